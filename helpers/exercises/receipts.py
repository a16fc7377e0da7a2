"""What the landed receipts and products say, by the standard library alone, and how tables differ from it."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from helpers import looking

UNKNOWN = "UNKNOWN"
CENT = Decimal("0.01")
Key = tuple[int, int]
#: Each gold table's key and the columns that are compared.
GOLD = {
    "gold_revenue_by_department": ("department", ("revenue", "baskets", "products", "quantity")),
    "gold_revenue_by_price_tier": ("price_tier", ("revenue", "quantity", "products")),
    "gold_quality_by_file": ("source_file", ("records", "valid_records", "valid_share")),
}


@dataclass(frozen=True)
class Line:
    """One landed line as bronze must hold it; what does not fit its type is None."""

    file: str
    household: int | None
    basket: int | None
    product: int | None
    quantity: int | None
    value: Decimal | None

    @property
    def good(self) -> bool:
        """Whether the line keeps all four rules."""
        known = self.household is not None and self.product is not None
        return known and (self.quantity or 0) > 0 and self.value is not None and self.value >= 0

    @property
    def tier(self) -> str:
        price = Fraction(self.value or 0) / (self.quantity or 1)
        return "budget" if price < 2 else "standard" if price < 5 else "premium"


def receipt_lines(lab: Any) -> list[Line]:
    """Every line of the landed receipts, in the order of the files' names; a damaged line is empty."""
    files = looking.landed_lines(lab)
    return [_line(name, text) for name in files
            for text in Path(lab.volume(f"landing/transactions/{name}")).read_text(encoding="utf-8").splitlines()
            if text]


def _line(file: str, text: str) -> Line:
    try:
        data = json.loads(text, parse_float=Decimal)
    except ValueError:
        data = {}
    quantity, value = data.get("quantity"), data.get("sales_value")
    money = Decimal(value).quantize(CENT, ROUND_HALF_UP) if isinstance(value, int | Decimal) else None
    return Line(file, data.get("household_id"), data.get("basket_id"), data.get("product_id"),
                quantity if isinstance(quantity, int) else None, money)


def catalogue(lab: Any) -> dict[int, tuple[str, str]]:
    """Department and category of each product, from the newest file that has it."""
    found: dict[int, tuple[str, str]] = {}
    for name in looking.landed_lines(lab, "products"):
        with Path(lab.volume(f"landing/products/{name}")).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[int(row["product_id"])] = (row["department"] or UNKNOWN, row["product_category"] or UNKNOWN)
    return found


def newest(lines: Iterable[Line]) -> dict[Key, Line]:
    """The good line of each key that came last."""
    return {(line.basket, line.product): line for line in lines if line.good}  # type: ignore[misc]  # good: has both


def revenue(lines: Iterable[Line]) -> Decimal:
    """The sum of the amounts, in dollars."""
    return sum((line.value for line in lines if line.value is not None), Decimal(0))


def by_department(lab: Any) -> dict[str, dict[str, Any]]:
    """What gold_revenue_by_department must hold, by department."""
    known, sales = catalogue(lab), newest(receipt_lines(lab)).values()
    return _totals((known.get(line.product or 0, (UNKNOWN, UNKNOWN))[0], line) for line in sales)


def by_price_tier(lab: Any) -> dict[str, dict[str, Any]]:
    """What gold_revenue_by_price_tier must hold, by price tier; `baskets` too, which that table leaves out."""
    return _totals((line.tier, line) for line in newest(receipt_lines(lab)).values())


def by_file(lab: Any) -> dict[str, dict[str, Any]]:
    """What gold_quality_by_file must hold, by file; the share has four decimals, rounded half up."""
    records: dict[str, list[bool]] = {}
    for line in receipt_lines(lab):
        records.setdefault(line.file, []).append(line.good)
    return {file: {"records": len(good), "valid_records": sum(good),
                   "valid_share": (Decimal(sum(good)) / len(good)).quantize(Decimal("0.0001"), ROUND_HALF_UP)}
            for file, good in records.items()}


def _totals(sales: Iterable[tuple[str, Line]]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Line]] = {}
    for name, line in sales:
        groups.setdefault(name, []).append(line)
    return {name: {"revenue": revenue(lines), "baskets": len({line.basket for line in lines}),
                   "products": len({line.product for line in lines}),
                   "quantity": sum(line.quantity or 0 for line in lines)}
            for name, lines in groups.items()}


def product_problems(frame: Any, wanted: Mapping[int, tuple[str, str]]) -> list[str]:
    """What is wrong with the rows of silver_products."""
    rows = frame.select("product_id", "department", "category").collect()
    found = {row.product_id: (row.department, row.category) for row in rows}
    problems = looking.row_count_problem(
        len(rows), len(wanted), name="silver_products", more="some products stand there twice, from two files. What "
        "numbers the rows of a product, and what keeps number 1?", fewer="did a join or a filter remove products?")
    if any(None in pair for pair in found.values()):
        problems.append("Some departments or categories are NULL. `coalesce(a, b)` gives b where a is NULL.")
    old = [key for key, pair in wanted.items() if key in found and None not in found[key] and found[key] != pair]
    if old:
        problems.append(f"Product {old[0]} is in {found[old[0]]}, but its newest file says {wanted[old[0]]} "
                        f"({len(old)} such products). Which row comes first in your order?")
    return problems


def sales_problems(lab: Any) -> list[str]:
    """What is wrong with the rows of silver_sales, against the landed files."""
    columns = ("household_id", "basket_id", "product_id", "quantity", "sales_value", "department", "category",
               "price_tier")
    frame = looking.table(lab, "silver_sales")
    problems = looking.missing_columns(frame, columns, name="silver_sales")
    if problems:
        return problems
    latest, known = newest(receipt_lines(lab)), catalogue(lab)
    rows: dict[Key, list[Any]] = defaultdict(list)
    for row in frame.select(*columns).collect():
        rows[row.basket_id, row.product_id].append(row)
    return [*_keys(rows, latest, known), *_values(rows, latest, known)]


def _keys(rows: Mapping[Key, list[Any]], wanted: Mapping[Key, Line], known: Mapping[int, Any]) -> Iterable[str]:
    several = [key for key, found in rows.items() if len(found) > 1]
    if several:
        yield (f"{len(several)} keys have more than one row in `silver_sales`, such as basket {several[0][0]} with "
               f"product {several[0][1]}. Are they numbered by (basket_id, product_id), and is silver_products unique?")
    absent = [key for key in wanted if key not in rows]
    unknown = [key for key in absent if key[1] not in known]
    if unknown:
        yield (f"{len(unknown)} sales of products that the catalogue does not know are gone, such as {unknown[0][1]}. "
               "Which join keeps them?")
    if len(absent) > len(unknown):
        yield f"{len(absent) - len(unknown)} sales of silver_transactions are not in `silver_sales`."
    if surplus := [key for key in rows if key not in wanted]:
        yield f"{len(surplus)} rows of `silver_sales` are no good line of a receipt. Does it read silver_transactions?"


def _values(rows: Mapping[Key, list[Any]], wanted: Mapping[Key, Line], known: Mapping[int, Any]) -> Iterable[str]:
    pairs = [(found[0], wanted[key]) for key, found in rows.items() if len(found) == 1 and key in wanted]
    old = [(row, line) for row, line in pairs if row.sales_value != line.value]
    if old:
        yield (f"{len(old)} sales have an old sales_value: product {old[0][0].product_id} has {old[0][0].sales_value}, "
               f"but {old[0][1].file} says {old[0][1].value}. Of several lines with one key, which comes first?")
    places = [(row, known.get(line.product, (UNKNOWN, UNKNOWN))) for row, line in pairs]  # type: ignore[arg-type]
    other = [(row, place) for row, place in places if (row.department, row.category) != place]
    if other:
        row, place = other[0]
        yield (f"{len(other)} sales are in another place than the catalogue says: product {row.product_id} is in "
               f"{(row.department, row.category)}, expected {place}.")
    if odd := [(row, line) for row, line in pairs if row.sales_value == line.value and row.price_tier != line.tier]:
        row, line = odd[0]
        yield (f"{len(odd)} sales have another price tier: {row.quantity} for {row.sales_value} is {row.price_tier!r}, "
               f"expected {line.tier!r}.")


def gold_problems(lab: Any) -> list[str]:
    """What is wrong in the gold tables, against the landed files."""
    truth = (by_department(lab), by_price_tier(lab), by_file(lab))
    return [problem for (name, (key, columns)), wanted in zip(GOLD.items(), truth, strict=True)
            for problem in gold_table_problems(looking.table(lab, name), name, key, columns, wanted)]


def gold_table_problems(
    frame: Any, name: str, key: str, columns: tuple[str, ...], wanted: Mapping[str, Any]
) -> list[str]:
    """What is wrong in one gold table, whose rows are ``wanted`` by ``key``."""
    problems = looking.missing_columns(frame, (key, *columns), name=name)
    if problems:
        return problems
    doubles = [column for column in columns if looking.types(frame)[column] in ("double", "float")]
    problems = [f"`{name}.{column}` is a double: sums of it are not exact. CAST(… AS DECIMAL(…))."
                for column in doubles]
    rows = {row[key]: row for row in frame.collect()}
    if set(rows) != set(wanted):
        other = sorted(str(each) for each in set(rows) ^ set(wanted))[:3]
        problems.append(f"`{name}` has {len(rows)} values of {key}, expected {len(wanted)}. They differ in "
                        f"{', '.join(other)}.")
    for column in (each for each in columns if each not in doubles):
        wrong = [each for each in wanted if each in rows and rows[each][column] != wanted[each][column]]
        if wrong:
            problems.append(f"`{name}.{column}` of {wrong[0]} is {rows[wrong[0]][column]}, but the files give "
                            f"{wanted[wrong[0]][column]} ({len(wrong)} of {len(wanted)} rows differ).")
    return problems
