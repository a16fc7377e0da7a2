"""A reader opens the report without a network, on a desk or a phone, in the light or in the dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SIZES = {"desk": (1360, 900), "phone": (390, 844)}
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 29, 39)"}


@pytest.fixture(scope="module")
def page(browser: Any, report: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The sample report, drawn once a size and scheme; `page.troubles` lists what the browser complained of."""
    size, scheme = getattr(request, "param", ("desk", "light"))
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
    opened = context.new_page()
    opened.troubles = []
    opened.on("console", lambda message: opened.troubles.append(message.text))
    opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
    opened.on("request", lambda asked: None if asked.url.startswith("file:") else opened.troubles.append(asked.url))
    opened.goto(report.path.as_uri())
    opened.wait_for_selector(f'html[data-drawn="{scheme}"]', timeout=60_000)
    yield opened
    context.close()


EVERYWHERE = pytest.mark.parametrize(
    "page", [(size, scheme) for size in SIZES for scheme in GROUNDS], indirect=True, ids="-".join
)


@EVERYWHERE
def test_every_chart_is_drawn_offline_without_a_complaint(page: Any, report: Any, tmp_path: Path) -> None:
    assert page.locator(".plot svg.main-svg >> nth=0").count() == 1
    drawn = page.evaluate(
        "[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('.point, .points path').length)"
    )
    assert len(drawn) == report.figures
    assert all(drawn)
    assert page.troubles == []
    picture = page.screenshot(path=tmp_path / "report.png", full_page=True)
    assert len(picture) > 100_000


@EVERYWHERE
def test_nothing_is_wider_than_the_screen(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wider = "[...document.querySelectorAll('figure')].filter(f => f.getBoundingClientRect().right > innerWidth).length"
    assert page.evaluate(wider) == 0


@EVERYWHERE
def test_a_figure_stands_on_the_colour_of_its_card(page: Any, request: pytest.FixtureRequest) -> None:
    scheme = request.node.callspec.params["page"][1]
    ground = "getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor"
    card = "getComputedStyle(document.querySelector('figure')).backgroundColor"
    assert (page.evaluate(ground), page.evaluate(card)) == (GROUNDS[scheme], GROUNDS[scheme])


def test_figures_turn_dark_and_light_with_the_page(page: Any) -> None:
    ground = "getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor"
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f'html[data-drawn="{scheme}"]', timeout=60_000)
        assert page.evaluate(ground) == GROUNDS[scheme]


def test_a_hostile_name_runs_nothing_and_is_read_as_written(page: Any) -> None:
    assert page.title() == "Retail analytics"
    assert page.locator("main img").count() == 0
    assert page.locator(".plot text", has_text="<script>document.title").count() >= 2


def test_the_names_of_screen_readers_are_the_text_twins(page: Any, report: Any) -> None:
    assert page.get_by_role("img").count() >= report.figures
    assert page.get_by_role("img", name="Pipeline retail, update FAILED: 12 datasets").count() == 1
    assert page.get_by_role("table", name="Key figures").get_by_role("row").count() == 5
    assert page.get_by_role("navigation", name="Sections").get_by_role("link").count() == 4


@pytest.mark.parametrize("page", [("phone", "light")], indirect=True)
def test_the_pipeline_graph_scrolls_sideways_on_a_phone(page: Any) -> None:
    scrolls = (
        "(() => { const p = document.querySelector('[tabindex]'); return p.scrollWidth > p.clientWidth + 300; })()"
    )
    assert page.evaluate(scrolls)
