"""What a reader of the dashboard chose to see, and the same as conditions in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

#: The tiers of `silver_sales`, for rows that have a price but no tier; products instead of quotients keep it exact.
LINE_TIER = (
    "CASE WHEN quantity > 0 AND sales_value >= 0 THEN CASE WHEN sales_value < 2 * quantity THEN 'budget' "
    "WHEN sales_value < 5 * quantity THEN 'standard' ELSE 'premium' END END"
)


@dataclass(frozen=True)
class Filters:
    """Days are inclusive; an empty choice means all."""

    first_day: date | None = None
    last_day: date | None = None
    departments: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    def of_sales(self) -> str:
        """Return the condition on `silver_sales`, whose days are those of the sale in the shops' time."""
        return _all(
            [
                *_from(self.first_day, "sold_at >= TIMESTAMP '{}T00:00:00Z'"),
                *_from(_after(self.last_day), "sold_at < TIMESTAMP '{}T00:00:00Z'"),
                *_in("department", self.departments),
                *_in("category", self.categories),
                *_in("price_tier", self.tiers),
            ]
        )

    def of_lines(self) -> str:
        """Return the condition on line items, valid or not: their day is that of the file they came in."""
        return _all(
            [
                *_from(self.first_day, "source_file >= '{}'"),
                *_from(_after(self.last_day), "source_file < '{}'"),
                *_in(LINE_TIER, self.tiers),
            ]
        )

    def of_products(self) -> str:
        """Return the condition on the department and category that a line item gets from `silver_products`."""
        return _all(
            [
                *_in("coalesce(product.department, 'UNKNOWN')", self.departments),
                *_in("coalesce(product.category, 'UNKNOWN')", self.categories),
            ]
        )


def quoted(text: str) -> str:
    """Return a text as a literal of DataFusion's SQL, in which a quote, doubled, is the only special character."""
    return "'" + text.replace("'", "''") + "'"


def _in(column: str, values: Iterable[str]) -> list[str]:
    listed = ", ".join(map(quoted, values))
    return [f"{column} IN ({listed})"] if listed else []


def _from(day: date | None, condition: str) -> list[str]:
    return [condition.format(day.isoformat())] if day else []


def _after(day: date | None) -> date | None:
    return day + timedelta(days=1) if day else None


def _all(conditions: list[str]) -> str:
    return " AND ".join(conditions) or "TRUE"
