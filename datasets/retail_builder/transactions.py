"""Sales as daily files of JSON lines, with the injected defects."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from retail_builder.defects import CHANGES, RULES, Rule, choose, is_ordinary
from retail_builder.files import Batch, Defect
from retail_builder.source import Product, Sale

FIRST_DAY = date(2017, 1, 1)
COUPON_DAY = date(2017, 1, 10)


@dataclass(frozen=True)
class _Item:
    """A line on its way into a file; `note` is the defect's kind and ids, None for an untouched line."""

    line: str
    note: tuple[str, dict[str, Any]] | None = None


def transaction_batches(
    daily: Iterable[tuple[date, list[Sale]]], *, products: Iterable[Product], last_day: date, seed: int
) -> Iterator[tuple[date, Batch]]:
    """Give the day and the lines of each daily file, in order; late lines wait for the next file that is due."""
    known = {product.product_id: product for product in products}
    with_category = frozenset(key for key, product in known.items() if product.product_category is not None)
    pending: list[tuple[date, _Item]] = []
    for day, sales in daily:
        items, delayed = _day_items(day, sales, with_category=with_category, last_day=last_day, seed=seed)
        items += [item for due, item in pending if due <= day]
        pending = [(due, item) for due, item in pending if due > day] + delayed
        counts = {
            "source_rows": len(sales),
            "zero_quantity": sum(sale.quantity == 0 for sale in sales),
            "product_without_category": sum(
                sale.product_id in known and sale.product_id not in with_category for sale in sales
            ),
            "unknown_product_id": sum(sale.product_id not in known for sale in sales),
        }
        yield day, _batch(items, counts)


def sale_line(sale: Sale, *, day: date) -> str:
    """Write a sale as one JSON line in the columns that the file of `day` has; amounts with two decimals."""
    fields = Sale._fields if day >= COUPON_DAY else Sale._fields[:-1]
    return "{" + ",".join(f'"{name}":{_token(value)}' for name, value in zip(fields, sale, strict=False)) + "}"


def _token(value: Any) -> str:
    if type(value) is int:
        return str(value)
    return f"{value:.2f}" if type(value) is float else json.dumps(value)


def _day_items(
    day: date, sales: list[Sale], *, with_category: frozenset[int], last_day: date, seed: int
) -> tuple[list[_Item], list[tuple[date, _Item]]]:
    rng = Random(f"{seed}:transactions:{day}")
    number, last = (day - FIRST_DAY).days + 1, (last_day - FIRST_DAY).days + 1
    candidates = [(index, sale) for index, sale in enumerate(sales) if is_ordinary(sale, with_category=with_category)]
    chosen = choose([rule for rule in RULES if rule.due(number, last=last)], candidates, rng=rng)
    items: list[_Item] = []
    copies: list[tuple[int, _Item]] = []
    delayed: list[tuple[date, _Item]] = []
    for index, sale in enumerate(sales):
        rule = chosen.get(index)
        if rule is None:
            items.append(_Item(sale_line(sale, day=day)))
            continue
        now, later = _apply(rule, sale, day=day, rng=rng)
        items += now
        if later and rule.delay:
            delayed.append((day + timedelta(days=rule.delay), later))
        elif later:
            copies.append((len(items), later))
    # Copies go in from the last to the first, so that earlier places do not move.
    for place, item in reversed(copies):
        items.insert(rng.randint(place, len(items)), item)
    return items, delayed


def _apply(rule: Rule, sale: Sale, *, day: date, rng: Random) -> tuple[list[_Item], _Item | None]:
    """Give what stands in the place of the sale, and what is delivered again or later."""
    ids = {"basket_id": sale.basket_id, "product_id": sale.product_id}
    line, origin = sale_line(sale, day=day), {**ids, "day": day.isoformat()}
    if rule.kind == "damaged_line":
        return [_Item(line[: rng.randint(len(line) * 2 // 5, len(line) * 4 // 5)], (rule.kind, ids))], None
    if rule.kind == "duplicate_in_file":
        return [_Item(line)], _Item(line, (rule.kind, ids))
    if rule.kind == "duplicate_in_later_file":
        return [_Item(line)], _Item(line, (rule.kind, origin))
    delivered = sale_line(sale, day=day + timedelta(days=rule.delay))
    if rule.kind == "late_record":
        return [], _Item(delivered, (rule.kind, origin))
    changed = CHANGES[rule.kind](sale)
    values = {name: [old, new] for name, old, new in zip(Sale._fields, sale, changed, strict=True) if old != new}
    now = [_Item(sale_line(changed, day=day), (rule.kind, {**ids, "was_now": values}))]
    if rule.kind == "wrong_sales_value":
        return now, _Item(delivered, ("corrected_sales_value", origin))
    return now, None


def _batch(items: list[_Item], counts: dict[str, int]) -> Batch:
    defects = (
        Defect(item.note[0], {"line": number, **item.note[1]}) for number, item in enumerate(items, 1) if item.note
    )
    return Batch(tuple(item.line for item in items), tuple(defects), counts)
