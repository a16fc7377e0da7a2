"""What the retail job's tables must hold, computed from the landed files with the standard library and pandas alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

SHOPS = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Expected:
    """Rows by layer, the counts of each rule, and the gold tables as sorted rows."""

    bronze: int
    kept: int
    quarantined: int
    sales: int
    failed: dict[str, int]
    gold: dict[str, list[tuple[Any, ...]]]


def expected(landing: Path) -> Expected:
    """Everything, from the files in ``landing``."""
    lines = pd.DataFrame(_lines(landing))
    rules = {
        "household_known": lines.household_id.notna(),
        "product_known": lines.product_id.notna(),
        "positive_quantity": lines.quantity.map(lambda q: q is not None and q > 0),
        "sales_not_negative": lines.sales_value.map(lambda v: v is not None and v >= 0),
    }
    valid = pd.concat(rules, axis=1).all(axis=1)
    products, households = _products(landing), _households(landing)
    kept = lines[valid].sort_values("source_file", kind="stable")
    sales = kept.drop_duplicates(["basket_id", "product_id"], keep="last").copy()
    sales["department"] = [products.get(key, ("UNKNOWN", "UNKNOWN"))[0] for key in sales.product_id]
    sales["category"] = [products.get(key, ("UNKNOWN", "UNKNOWN"))[1] for key in sales.product_id]
    sales["tier"] = [_tier(value, quantity) for value, quantity in zip(sales.sales_value, sales.quantity, strict=True)]
    sales["income"] = [households.get(key) or "not told" for key in sales.household_id]
    sold = [stamp.astimezone(SHOPS) for stamp in sales.transaction_timestamp]
    sales["day"], sales["hour"] = [moment.date() for moment in sold], [moment.hour for moment in sold]
    gold = _gold(sales) | {"gold_quality_by_category": _quality(lines, valid, products)}
    failed = {name: int((~met).sum()) for name, met in rules.items()}
    return Expected(len(lines), int(valid.sum()), int((~valid).sum()), len(sales), failed, gold)


def _lines(landing: Path) -> Iterable[dict[str, Any]]:
    for path in sorted((landing / "transactions").glob("*.json")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                data = json.loads(line, parse_float=Decimal)
            except ValueError:
                data = {}
            stamp = data.get("transaction_timestamp")
            quantity, value = data.get("quantity"), data.get("sales_value")
            yield {
                "household_id": data.get("household_id"),
                "basket_id": data.get("basket_id"),
                "product_id": data.get("product_id"),
                "source_file": path.name,
                "quantity": quantity if isinstance(quantity, int) else None,
                "sales_value": Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)
                if isinstance(value, int | Decimal)
                else None,
                "transaction_timestamp": datetime.fromisoformat(stamp) if stamp else None,
            }


def _products(landing: Path) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for path in sorted((landing / "products").glob("*.csv")):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        for row in table.itertuples():
            found[int(row.product_id)] = (row.department or "UNKNOWN", row.product_category or "UNKNOWN")
    return found


def _households(landing: Path) -> dict[int, str | None]:
    newest: dict[int, dict[str, Any]] = {}
    for path in (landing / "households").glob("*.json"):
        for line in path.read_text(encoding="utf-8").splitlines():
            change = json.loads(line)
            seen = newest.get(change["household_id"])
            if seen is None or seen["sequence_number"] < change["sequence_number"]:
                newest[change["household_id"]] = change
    return {key: change["income"] for key, change in newest.items() if change["operation"] != "DELETE"}


def _tier(value: Decimal, quantity: int) -> str:
    price = Fraction(value) / quantity
    return "budget" if price < 2 else "standard" if price < 5 else "premium"


def _gold(sales: pd.DataFrame) -> dict[str, list[tuple[Any, ...]]]:
    revenue = ("sales_value", "sum")
    quantity, baskets = ("quantity", "sum"), ("basket_id", "nunique")
    products = ("product_id", "nunique")
    return {
        "gold_revenue_by_department": _grouped(sales, ["department"], revenue, baskets, products, quantity),
        "gold_revenue_by_category": _grouped(sales, ["department", "category"], revenue, quantity),
        "gold_revenue_by_price_tier": _grouped(sales, ["tier"], revenue, quantity, products),
        "gold_revenue_by_day": _grouped(sales, ["day"], revenue, baskets, quantity),
        "gold_revenue_by_hour": _grouped(sales, ["hour"], revenue, products, baskets),
        "gold_revenue_by_income": _grouped(sales, ["income"], revenue, ("household_id", "nunique")),
    }


def _grouped(frame: pd.DataFrame, keys: list[str], *measures: tuple[str, str]) -> list[tuple[Any, ...]]:
    named = {f"m{place}": measure for place, measure in enumerate(measures)}
    table = frame.groupby(keys, dropna=False).agg(**named).reset_index()
    return sorted(tuple(row) for row in table.itertuples(index=False))


def _quality(lines: pd.DataFrame, valid: pd.Series, products: dict[int, tuple[str, str]]) -> list[tuple[Any, ...]]:
    places = [products.get(key, ("UNKNOWN", "UNKNOWN")) for key in lines.product_id]
    records, good = Counter(places), Counter(place for place, fine in zip(places, valid, strict=True) if fine)
    share = {
        place: (Decimal(good[place]) / Decimal(records[place])).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        for place in records
    }
    return sorted((*place, records[place], good[place], share[place]) for place in records)
