"""The pieces of the report's page: its style, its script and its HTML; every text is escaped here."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from html import escape

from plotly.offline import get_plotlyjs

from helpers.charts.chart import Chart
from helpers.charts.texts import plain
from helpers.charts.theme import DARK, FONT, LIGHT, THEMES, Theme

# Nothing may be loaded from anywhere: what is in the file is all there is.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)

_STYLE = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:3.5rem}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 FONT}
.wrap{max-width:1240px;margin:0 auto;padding:0 24px}
header{background:var(--surface);border-bottom:1px solid var(--grid);padding:36px 0 28px}
h1{margin:0;font-size:clamp(1.5rem,3.2vw,2.1rem);line-height:1.2;letter-spacing:-.02em;overflow-wrap:anywhere}
.made{margin:.4rem 0 1.6rem;color:var(--muted);font-size:.875rem}
.facts{width:100%;border-spacing:0}
.facts caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.facts tbody{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));
border-top:1px solid var(--grid)}
.facts tr{display:flex;flex-direction:column;padding:14px 16px 2px 0;min-width:0}
.facts th{font-weight:500;text-align:left;color:var(--muted);font-size:.8125rem;padding:0}
.facts td{font-size:1.5rem;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;padding:0;
line-height:1.35;overflow-wrap:anywhere}
nav{position:sticky;top:0;z-index:5;background:var(--surface);border-bottom:1px solid var(--grid)}
nav ul{display:flex;gap:24px;list-style:none;margin:0;padding:0;overflow-x:auto}
nav a{display:block;padding:11px 0;color:var(--muted);text-decoration:none;font-size:.875rem;font-weight:550;
white-space:nowrap}
nav a:hover{color:var(--text)}
a:focus-visible,.plot-scroll:focus-visible{outline:2px solid var(--blue);outline-offset:2px;border-radius:3px}
section{padding:34px 0 6px}
h2{margin:0 0 4px;font-size:1.25rem;letter-spacing:-.01em}
.note{margin:0;color:var(--muted);max-width:70ch;font-size:.9375rem;overflow-wrap:anywhere}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px;margin-top:16px;align-items:start}
figure{margin:0;background:var(--surface);border:1px solid var(--grid);border-radius:10px;padding:18px 0 14px;
min-width:0}
figure.wide{grid-column:1/-1}
h3{margin:0 18px 2px;font-size:.9688rem;font-weight:620;line-height:1.35;overflow-wrap:anywhere}
.plot-scroll{overflow-x:auto;margin:0 10px}
figcaption{margin:10px 18px 0;padding-top:10px;border-top:1px solid var(--grid);color:var(--muted);font-size:.8125rem;
line-height:1.5;overflow-wrap:anywhere}
footer.wrap{color:var(--muted);font-size:.8125rem;padding-top:28px;padding-bottom:44px}
@media (max-width:860px){.grid{grid-template-columns:minmax(0,1fr)}.wrap{padding:0 14px}header{padding:26px 0 18px}
.facts td{font-size:1.25rem}.facts tbody{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media print{nav{display:none}figure{break-inside:avoid}}
"""

_SCRIPT = """
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = {displayModeBar: false, responsive: true, typesetMath: false};
  const draw = theme => Promise.all(Object.entries(figures).map(([id, themes]) => {
    const {data, layout} = structuredClone(themes[theme]);
    return Plotly.react(id, data, layout, config);
  })).then(() => { document.documentElement.dataset.drawn = theme; });
  const drawForScreen = () => draw(dark.matches ? "dark" : "light");
  drawForScreen();
  dark.addEventListener("change", drawForScreen);
  addEventListener("beforeprint", () => draw("light"));
  addEventListener("afterprint", drawForScreen);
})();
"""


def head(title: str) -> str:
    """Return the page's head: its policy and its style sheet, with the colours of both themes as variables."""
    light = f":root{{color-scheme:light dark;{_variables(LIGHT)}}}"
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
    return (
        f'<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{text(title)}</title>'
        f"<style>{light}{dark}{_STYLE.replace('FONT', FONT)}</style></head>"
    )


def footer(figures: dict[str, Chart], closing: str) -> str:
    """Return the page's last lines, the figures as JSON, plotly.js, and the script that draws them in light or dark."""
    return (
        f'<footer class="wrap">{text(closing)}</footer>'
        '<noscript><p class="wrap">The figures need JavaScript; the text under each says what it shows.</p></noscript>'
        f'<script type="application/json" id="figures">{_json(figures)}</script>'
        f"<script>{get_plotlyjs()}</script><script>{_SCRIPT}</script>"
    )


def header(title: str, facts: Sequence[tuple[str, str]], generated: datetime) -> str:
    """Return the page's head line, when it was made, and the table of its key figures."""
    moment = generated.astimezone(UTC)
    # The roles give back to assistive technology the table that `display: grid` takes away.
    rows = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{text(name)}</th><td role="cell">{text(value)}</td></tr>'
        for name, value in facts
    )
    table = (
        f'<table class="facts" role="table"><caption>Key figures</caption><tbody role="rowgroup">{rows}</tbody></table>'
    )
    return (
        f'<header><div class="wrap"><h1>{text(title)}</h1><p class="made">Made <time datetime="{moment.isoformat()}">'
        f"{moment:%Y-%m-%d %H:%M} UTC</time></p>{table if rows else ''}</div></header>"
    )


def navigation(names: Sequence[str]) -> str:
    """Return links to the sections."""
    links = "".join(
        f'<li><a href="#section-{index}">{text(name)}</a></li>' for index, name in enumerate(names, start=1)
    )
    return f'<nav aria-label="Sections"><div class="wrap"><ul>{links}</ul></div></nav>' if links else ""


def section(index: int, title: str, note: str, figures: dict[str, Chart]) -> str:
    """Return one section with its figures."""
    said = f'<p class="note">{text(note)}</p>' if note else ""
    cards = "".join(figure(key, chart) for key, chart in _without_holes(figures).items())
    return (
        f'<section id="section-{index}" aria-labelledby="heading-{index}"><h2 id="heading-{index}">{text(title)}</h2>'
        f'{said}<div class="grid">{cards}</div></section>'
    )


def _without_holes(figures: dict[str, Chart]) -> dict[str, Chart]:
    """Return the figures with each that would stand alone in a row of two made wide."""
    keys, placed, index = list(figures), {}, 0
    while index < len(keys):
        pair = [key for key in keys[index : index + 2] if not figures[key].wide]
        alone = len(pair) < 2
        for key in keys[index : index + (1 if alone else 2)]:
            placed[key] = replace(figures[key], wide=alone)
            index += 1
    return placed


def figure(key: str, chart: Chart) -> str:
    """Return one figure; its caption is the text twin, and the name that a screen reader gives the picture."""
    wide = ' class="wide"' if chart.wide else ""
    scroll = ' tabindex="0" role="group" aria-label="Scrolls sideways on a narrow screen"' if chart.min_width else ""
    size = f"height:{chart.figure.layout.height}px" + (f";min-width:{chart.min_width}px" if chart.min_width else "")
    return (
        f'<figure{wide}><h3>{text(chart.title)}</h3><div class="plot-scroll"{scroll}>'
        f'<div id="{key}" class="plot" role="img" aria-labelledby="{key}-text" style="{size}"></div></div>'
        f'<figcaption id="{key}-text">{text(chart.text)}</figcaption></figure>'
    )


def text(value: object) -> str:
    """Return any text as HTML text or attribute value."""
    return escape(plain(value), quote=True)


def _json(figures: dict[str, Chart]) -> str:
    """Return every figure in both themes as JSON that cannot end the script element it stands in."""
    drawn = {
        key: {name: json.loads(chart.in_theme(name).figure.to_json()) for name in THEMES}
        for key, chart in figures.items()
    }
    text = json.dumps(drawn, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _variables(theme: Theme) -> str:
    return "".join(f"--{name}:{value};" for name, value in asdict(theme).items())
