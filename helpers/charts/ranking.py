"""The largest (or worst) rows of a table, and the rest as one row called "other"."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from helpers.charts.texts import number, plain, total


@dataclass(frozen=True)
class Ranked:
    """Names with their value, largest first; `rest` counts the rows that the last one, "other", stands for."""

    names: tuple[str, ...]
    values: tuple[Decimal, ...]
    rest: int

    def title(self, subject: str) -> str:
        """Say in a title what is left out."""
        top = len(self.names) - 1
        return f"{subject}: top {top} of {top + self.rest}, the rest as “other”" if self.rest else subject


def ranked(frame: pd.DataFrame, *, names: Sequence[str], value: str, top: int) -> Ranked:
    """Rank the rows by a value; never an "other" that stands for one row, which can as well be shown."""
    rows = sorted(
        (
            (name, total([amount]))
            for name, amount in zip(names, frame[value], strict=True)
            if number(amount) is not None
        ),
        key=lambda row: (-row[1], row[0]),
    )
    if len(rows) <= top + 1:
        return Ranked(tuple(name for name, _ in rows), tuple(amount for _, amount in rows), 0)
    rest = rows[top:]
    head = [*rows[:top], (f"other ({len(rest):,} more)", total(amount for _, amount in rest))]
    return Ranked(tuple(name for name, _ in head), tuple(amount for _, amount in head), len(rest))


def category_names(frame: pd.DataFrame) -> list[str]:
    """Return each row's category, with its department where another has a category of that name too."""
    names = [plain(value) for value in frame["category"]]
    seen = Counter(names)
    departments = map(plain, frame["department"])
    return [
        f"{name} ({department})" if seen[name] > 1 and name != department else name
        for name, department in zip(names, departments, strict=True)
    ]
