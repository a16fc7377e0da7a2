"""Colours, fonts and the look of each state, for a light and a dark page."""

from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

import plotly.graph_objects as go

ThemeName = Literal["light", "dark"]

FONT = 'Inter, "Segoe UI", system-ui, -apple-system, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif'


@dataclass(frozen=True)
class Theme:
    """One colour a role; the hues are Okabe and Ito's, made darker or lighter until each has 3:1 on its surface."""

    surface: str
    page: str
    text: str
    muted: str
    grid: str
    rule: str
    hollow: str
    soft: str
    blue: str
    green: str
    vermillion: str
    amber: str
    purple: str
    grey: str

    def role(self, name: str) -> str:
        """Return the colour of a role named in a `StatusStyle`."""
        return getattr(self, name)

    @property
    def template(self) -> go.layout.Template:
        """The plotly template that every figure of this theme carries."""
        axis = {
            "gridcolor": self.grid,
            "linecolor": self.rule,
            "zerolinecolor": self.rule,
            "tickcolor": self.rule,
            "automargin": True,
            "title": {"font": {"size": 12, "color": self.muted}, "standoff": 10},
            "tickfont": {"size": 11, "color": self.muted},
        }
        return go.layout.Template(
            layout={
                "font": {"family": FONT, "size": 12, "color": self.text},
                "title": {
                    "font": {"size": 15, "color": self.text},
                    "x": 0,
                    "xref": "container",
                    "xanchor": "left",
                    "pad": {"l": 16},
                },
                "paper_bgcolor": self.surface,
                "plot_bgcolor": self.surface,
                "xaxis": axis,
                "yaxis": axis,
                "bargap": 0.35,
                "dragmode": False,
                "colorway": [self.blue, self.vermillion, self.green, self.purple, self.amber, self.grey],
                "hoverlabel": {
                    "bgcolor": self.page,
                    "bordercolor": self.rule,
                    "font": {"family": FONT, "size": 12, "color": self.text},
                    "align": "left",
                    "namelength": -1,
                },
                "legend": {
                    "orientation": "h",
                    "x": 0,
                    "y": 1,
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "font": {"size": 12},
                    "itemclick": False,
                    "itemdoubleclick": False,
                },
            }
        )


LIGHT = Theme(
    surface="#ffffff",
    page="#f6f7f9",
    text="#1b2430",
    muted="#586473",
    grid="#e8ebef",
    rule="#c8d0d9",
    hollow="#7b8794",
    soft="#cfe3f1",
    blue="#0072b2",
    green="#00805e",
    vermillion="#bd4a00",
    amber="#8a5f00",
    purple="#96497f",
    grey="#616d7b",
)
DARK = Theme(
    surface="#161d27",
    page="#0f141b",
    text="#e8ecf1",
    muted="#a3afbd",
    grid="#263140",
    rule="#3b4858",
    hollow="#8492a3",
    soft="#21435c",
    blue="#56b4e9",
    green="#35c29b",
    vermillion="#f28544",
    amber="#e6a117",
    purple="#d78bb8",
    grey="#94a1b0",
)
THEMES = MappingProxyType({"light": LIGHT, "dark": DARK})


DOLLAR_AXIS = MappingProxyType(
    {"title_text": "Revenue, US dollars", "tickprefix": "$", "tickformat": "~s", "rangemode": "tozero", "nticks": 6}
)


@dataclass(frozen=True)
class StatusStyle:
    """How a state looks without its word: a colour role, a bar pattern and a marker symbol."""

    role: str
    pattern: str
    symbol: str


_DONE = StatusStyle("green", "", "circle")
_FAILED = StatusStyle("vermillion", "x", "x")
_LATE = StatusStyle("amber", "+", "hourglass")
_BLOCKED = StatusStyle("purple", "/", "diamond")
_STOPPED = StatusStyle("grey", "-", "square")
_LEFT_OUT = StatusStyle("grey", "\\", "diamond-open")
_RUNNING = StatusStyle("blue", ".", "triangle-right")
_WAITING = StatusStyle("hollow", "", "circle-open")

STATUS_STYLES = MappingProxyType(
    {
        "SUCCESS": _DONE,
        "COMPLETED": _DONE,
        "SUCCESS_WITH_FAILURES": _LATE,
        "FAILED": _FAILED,
        "INTERNAL_ERROR": _FAILED,
        "TIMEDOUT": _LATE,
        "UPSTREAM_FAILED": _BLOCKED,
        "UPSTREAM_CANCELED": _BLOCKED,
        "BLOCKED": _BLOCKED,
        "CANCELED": _STOPPED,
        "STOPPED": _STOPPED,
        "STOPPING": _STOPPED,
        "TERMINATING": _STOPPED,
        "SKIPPED": _LEFT_OUT,
        "EXCLUDED": _LEFT_OUT,
        "DISABLED": _LEFT_OUT,
        "IDLE": _LEFT_OUT,
        "RUNNING": _RUNNING,
        "STARTING": _RUNNING,
        "INITIALIZING": _RUNNING,
        "RESETTING": _RUNNING,
        "SETTING_UP_TABLES": _RUNNING,
    }
)


def status_style(status: str) -> StatusStyle:
    """Return the look of a job or pipeline state; one that has not begun, or that nobody knows, is hollow."""
    return STATUS_STYLES.get(status, _WAITING)


def bar_marker(theme: Theme, role: str, pattern: str = "") -> dict[str, Any]:
    """Return the fill of a bar: a colour, and a pattern over it for those who see no difference in colours."""
    over = {"shape": pattern, "fillmode": "overlay", "fgcolor": theme.surface, "size": 6, "solidity": 0.3}
    return {"color": theme.role(role), "line_width": 0, "pattern": over}


def in_theme(figure: go.Figure, theme: Theme) -> go.Figure:
    """Return the same figure in another theme; only values under a key that names a colour change, never data."""
    swap = {
        old: new
        for source in THEMES.values()
        if source is not theme
        for old, new in zip(asdict(source).values(), asdict(theme).values(), strict=True)
    }
    return go.Figure(_recoloured(figure.to_plotly_json(), swap, colour=False))


def _recoloured(node: Any, swap: dict[str, str], *, colour: bool) -> Any:
    if isinstance(node, dict):
        return {key: _recoloured(value, swap, colour="color" in key) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_recoloured(value, swap, colour=colour) for value in node]
    return swap.get(node, node) if colour and isinstance(node, str) else node
