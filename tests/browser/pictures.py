"""Make the README's pictures from the last run in this home; run by hand after `python3 -m helpers run`.

    .venv/bin/python tests/browser/pictures.py
"""

from __future__ import annotations

from playwright.sync_api import Page, sync_playwright

from helpers.runtime import REPO_ROOT, Places
from tests.browser.conftest import CHROMIUM, FLAGS

PICTURES = REPO_ROOT / ".github" / "pictures"
# Figure by the beginning of its heading: picture.
FIGURES = {"Timeline": "timeline.png", "Pipeline": "pipeline.png"}


def main() -> None:
    report = Places.from_environment().root / "reports" / "retail.html"
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = chromium.new_page(viewport={"width": 1240, "height": 1180}, device_scale_factor=1.5)
        page.goto(report.as_uri())
        page.wait_for_selector(".js-plotly-plot .main-svg")
        page.screenshot(path=PICTURES / "report.png")
        for heading, name in FIGURES.items():
            _figure(page, heading).screenshot(path=PICTURES / name)
        chromium.close()


def _figure(page: Page, heading: str):  # type: ignore[no-untyped-def]  # playwright's Locator
    return page.locator("figure", has=page.locator("h3", has_text=heading)).first


if __name__ == "__main__":
    main()
