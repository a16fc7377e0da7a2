"""Numbers and names as people read them, safe inside a figure."""

import html
import math
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_UNITS = ((3 * 3600, 3600, "hours"), (180, 60, "minutes"), (0, 1, "seconds"))
NO_NAME = "(none)"


def plain(value: Any) -> str:
    """Return a name on one line without control or direction characters; a missing one is "(none)"."""
    missing = value is None or (not isinstance(value, str) and value != value)
    return ("" if missing else _UNSEEN.sub(" ", str(value)).strip()) or NO_NAME


def label(value: Any, *, width: int = 60) -> str:
    """Return a name that plotly shows as it stands: tags, entities and TeX marks lose their meaning; it is cut."""
    return html.escape(cut(value, width=width), quote=False).replace("$", "&#36;")


def cut(value: Any, *, width: int) -> str:
    """Return a name on one line of at most so many characters."""
    name = plain(value)
    return name if len(name) <= width else name[: width - 1].rstrip() + "…"


def number(value: Any) -> float | None:
    """Return any numeric value (Decimal and numpy ones too) as a float; missing and endless ones are None."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def total(values: Iterable[Any]) -> Decimal:
    """Add money exactly; missing values count as nothing."""
    return sum((Decimal(str(value)) for value in values if number(value) is not None), Decimal(0))


def money(value: Any) -> str:
    """Return US dollars and cents."""
    found = number(value)
    if found is None:
        return "unknown"
    return f"-${-found:,.2f}" if found < 0 else f"${found:,.2f}"


def count(value: Any, one: str = "", many: str = "") -> str:
    """Return a whole number with separators, and its noun if one is given."""
    found = number(value)
    shown = "unknown" if found is None else f"{round(found):,}"
    noun = one if found == 1 else many or f"{one}s"
    return f"{shown} {noun}" if one else shown


def share(value: Any) -> str:
    """Return a fraction as a percentage; one below 1 is never rounded up to 100."""
    found = number(value)
    if found is None:
        return "unknown"
    tenths = math.floor(found * 1000) / 10 if found < 1 else round(found * 100, 1)
    return f"{tenths:.1f} %"


def small_share(value: Any) -> str:
    """Return a fraction that is mostly near nothing as a percentage: two digits count, and only nothing is 0."""
    found = number(value)
    if found is None or found >= 0.1:
        return share(found)
    return f"{found * 100:.2g} %"


def seconds(value: Any) -> str:
    """Return a duration, with minutes and hours once there are any."""
    found = number(value)
    if found is None:
        return "unknown"
    if found < 60:
        return f"{found:.1f} s"
    minutes, rest = divmod(round(found), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def time_unit(longest: float) -> tuple[int, str]:
    """Return how many seconds the unit has that suits an axis of such times, and its name."""
    return next((size, name) for limit, size, name in _UNITS if longest >= limit)
