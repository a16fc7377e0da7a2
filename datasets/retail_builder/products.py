"""Products as CSV files: a first one, and later ones with new products and changed categories."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from random import Random

from retail_builder.files import Batch, Defect
from retail_builder.source import Product

FIRST_DAY = date(2017, 1, 1)
LATER_DAYS = (date(2017, 1, 9), date(2017, 1, 16))
NEW_PRODUCTS = 40
CHANGED_CATEGORIES = 8


def product_batches(
    products: Iterable[Product], *, first_sold: Mapping[int, date], seed: int
) -> Iterator[tuple[date, Batch]]:
    """Give the day and the lines of each product file; no product comes after the day of its first sale.

    `first_sold` has the first day of each product that was sold; a product of a later file is sold within its week.
    """
    rows = {product.product_id: product for product in products}
    new = {day: _new_products(day, rows, first_sold, seed=seed) for day in LATER_DAYS}
    held_back = {key for keys in new.values() for key in keys}
    first = [product for key, product in rows.items() if key not in held_back]
    yield FIRST_DAY, _batch(first, changed={}, new=frozenset(), day=FIRST_DAY)
    for day in LATER_DAYS:
        changed = _changed(first, first_sold, rng=Random(f"{seed}:products:changed:{day}"))
        for key, product in changed.items():
            rows[key] = product
        first = [product for product in first if product.product_id not in changed]
        new_rows = [rows[key] for key in new[day]]
        yield day, _batch([*new_rows, *changed.values()], changed=changed, new=frozenset(new[day]), day=day)


def pick_products(products: Iterable[Product], *, sold: frozenset[int], others: int, seed: int) -> tuple[Product, ...]:
    """Keep every product that was sold, every one without a category, and `others` of the rest."""
    listed = list(products)
    kept = {product.product_id for product in listed if product.product_category is None} | sold
    rest = [product.product_id for product in listed if product.product_id not in kept]
    kept |= set(Random(f"{seed}:products:others").sample(rest, others))
    return tuple(product for product in listed if product.product_id in kept)


def _new_products(day: date, rows: Mapping[int, Product], first_sold: Mapping[int, date], *, seed: int) -> list[int]:
    week = [key for key in sorted(rows) if key in first_sold and timedelta() <= first_sold[key] - day < timedelta(7)]
    return Random(f"{seed}:products:new:{day}").sample(week, min(NEW_PRODUCTS, len(week)))


def _changed(candidates: Iterable[Product], first_sold: Mapping[int, date], *, rng: Random) -> dict[int, Product]:
    """Move some products that are sold from the start to another category of their department."""
    listed = [product for product in candidates if product.product_category is not None]
    categories: dict[str | None, set[str]] = {}
    for product in listed:
        categories.setdefault(product.department, set()).add(product.product_category or "")
    movable = [
        product
        for product in listed
        if first_sold.get(product.product_id, date.max) < LATER_DAYS[0] and len(categories[product.department]) > 1
    ]
    moved = rng.sample(movable, min(CHANGED_CATEGORIES, len(movable)))
    return {
        product.product_id: product._replace(
            product_category=rng.choice(sorted(categories[product.department] - {product.product_category}))
        )
        for product in moved
    }


def _batch(products: Iterable[Product], *, changed: Mapping[int, Product], new: frozenset[int], day: date) -> Batch:
    ordered = sorted(products)
    lines = [_csv_line(Product._fields), *(_csv_line(product) for product in ordered)]
    defects = []
    for number, product in enumerate(ordered, 2):
        if product.product_id in new:
            defects.append(Defect("new_product", {"line": number, "product_id": product.product_id}))
        elif product.product_id in changed:
            ids = {"line": number, "product_id": product.product_id, "now": product.product_category}
            defects.append(Defect("changed_category", ids))
    missing = sum(product.product_category is None for product in ordered)
    return Batch(tuple(lines), tuple(defects), {"without_category": missing})


def _csv_line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(["" if value is None else value for value in values])
    return text.getvalue()
