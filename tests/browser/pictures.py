"""Make the README's pictures from the last run in this home; run by hand after `python3 -m helpers run`.

Those of the dashboard show a year where `python3 -m helpers run --full-data` ran too.

PYTHONPATH=. .venv/bin/python tests/browser/pictures.py
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from helpers import charts
from helpers.commands.dashboard import plan_dashboard
from helpers.dashboard.lakehouse import schemas
from helpers.jobs import list_runs
from helpers.pipelines.report import combined, from_dict
from helpers.runtime import REPO_ROOT, Places
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.learner import Learner, studying
from tests.browser.reader import Reader, free_port, serving

#: The part of the dashboard in each picture, and how much of it, in pixels.
DASHBOARD = {"Sales": ("dashboard.png", 1120), "Quality": ("dashboard-quality.png", 900)}
PICTURES = REPO_ROOT / ".github" / "pictures"


def main() -> None:
    places = Places.from_environment()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        shoot(chromium, places.root / "reports" / "retail.html", {"": "report.png"})
        shoot(
            chromium, ended_run(places, Path(folder)), {"Timeline": "timeline.png", "Pipeline retail": "pipeline.png"}
        )
        shoot_dashboard(chromium, places)
        shoot_lesson(chromium, Places(Path(folder) / "study"))
        chromium.close()


def ended_run(places: Places, folder: Path) -> Path:
    """The last run as a page: the job's own report is written before its last task has ended."""
    run = list_runs(places.runs)[0]
    updates = combined([from_dict(task.update) for task in run.latest() if task.update])
    figures = (charts.job_timeline(run.as_dict()), charts.pipeline_graph(updates.as_dict()))
    return charts.write_report(
        folder / "run.html",
        charts=[charts.Section("Run", figures)],
        title="Run",
        facts=[],
        generated=datetime.now(UTC),
    )


def shoot(chromium: Browser, page_file: Path, figures: dict[str, str]) -> None:
    """One picture of each figure, by its heading; of the page's top where there is no heading."""
    page = chromium.new_page(viewport={"width": 1240, "height": 1180}, device_scale_factor=1.5)
    page.goto(page_file.as_uri())
    page.wait_for_selector(".js-plotly-plot .main-svg")
    for heading, name in figures.items():
        shown = page.locator("figure", has=page.locator("h3", has_text=heading)).first if heading else page
        shown.screenshot(path=PICTURES / name)
    page.close()


def shoot_dashboard(chromium: Browser, places: Places) -> None:
    """Sales and quality; of all transactions, where the job ran over them."""
    planned = plan_dashboard(places, address="127.0.0.1", port=free_port(), files=())
    with serving(planned):
        reader = Reader(chromium, planned.url)
        if places.warehouse.joinpath("retail_full.db").is_dir() and len(schemas(places)) > 1:
            reader.page.get_by_role("combobox", name="Schema").click()
            reader.page.get_by_role("option", name="retail_full").click()
        for tab, (name, height) in DASHBOARD.items():
            reader.figures(tab)
            reader.page.set_viewport_size({"width": 1400, "height": height})
            reader.page.wait_for_timeout(2000)  # the figures follow the size
            reader.page.screenshot(path=PICTURES / name)
        reader.page.context.close()


def shoot_lesson(chromium: Browser, places: Places) -> None:
    """Lesson 05 with a wrong answer judged, and a question answered, in a home of its own."""
    with studying(places) as study:
        learner = Learner(chromium, study.url)
        learner.begin()
        learner.solve('receipts = spark.read.json(lab.volume("landing/transactions"))\nlab.check("05.1", receipts)')
        learner.page.screenshot(path=PICTURES / "lesson.png")
        card = learner.open_quiz()
        learner.choose(card, 0)
        card.screenshot(path=PICTURES / "question.png")
        learner.close()


if __name__ == "__main__":
    main()
