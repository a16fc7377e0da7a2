"""Where tables lie, as one look at the catalog tells; and what that look cannot tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.pipelines.catalog import Catalog
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.scope import TempViews


@dataclass
class Listing:
    """As much of a session as lists its tables, views and ``functions``; ``asked``: its statements about the former."""

    places: Mapping[str, str | Path]
    views: Iterable[str] = ()
    temporary: Iterable[str] = ()
    broken: bool = False
    asked: list[str] = field(default_factory=list)
    folder: str = ""
    functions: Iterable[str] = ()

    @property
    def catalog(self) -> Any:
        return SimpleNamespace(getDatabase=lambda _: SimpleNamespace(locationUri=self.folder))

    def sql(self, statement: str) -> Any:
        if statement == "SHOW USER FUNCTIONS":
            return SimpleNamespace(collect=lambda: [SimpleNamespace(function=f"lab.{name}") for name in self.functions])
        self.asked.append(statement)
        if statement == "SHOW VIEWS":
            rows = [SimpleNamespace(viewName=name, isTemporary=True) for name in self.temporary]
        elif self.broken:
            raise RuntimeError("a table went while Spark looked")
        else:
            told = {name: f"Comment: Location: here\nLocation: file:{at}\n" for name, at in self.places.items()}
            told |= dict.fromkeys(self.views, "Type: VIEW\n")
            rows = [row(name, False, information) for name, information in told.items()]
            rows = [*[row(name, True, "") for name in self.temporary], *rows]
        return SimpleNamespace(collect=lambda: rows)


def row(name: str, temporary: bool, information: str) -> SimpleNamespace:
    return SimpleNamespace(tableName=name, isTemporary=temporary, information=information)


def test_one_look_tells_of_all_tables_of_the_schema_however_they_are_named() -> None:
    spark = Listing({"sales": "/lake/sales"}, views=["seen"], functions=["Rate"])
    catalog = Catalog(spark, "Lab")
    for name in ("sales", "SALES", "lab.Sales", "spark_catalog.lab.`sales`"):
        assert catalog.location(name) == "file:/lake/sales"
    assert catalog.location("seen") is None
    assert [catalog.lacks(name) for name in ("Sales", "seen", "new")] == [False, False, True]
    assert spark.asked == ["SHOW TABLE EXTENDED LIKE '*'"]
    assert catalog.functions == {"rate"}


def test_a_table_that_was_made_lies_in_the_folder_of_its_schema_or_is_asked_for(tmp_path: Path) -> None:
    spark = Listing({"old": "/lake/old", "elsewhere": "/lake/elsewhere"}, folder=f"file:{tmp_path}")
    catalog = Catalog(spark, "lab")
    for name in ("new", "private/mine"):
        (tmp_path / name / "_delta_log").mkdir(parents=True)
    for name in ("old", "new"):
        catalog.made(name)
    catalog.made("mine", str(tmp_path / "private" / "mine"))
    assert [catalog.location(name) for name in ("old", "new", "mine")] == [
        "file:/lake/old", str(tmp_path / "new"), str(tmp_path / "private" / "mine"),
    ]  # fmt: skip
    assert len(spark.asked) == 1

    catalog.dropped("elsewhere")
    assert catalog.lacks("elsewhere")
    catalog.made("elsewhere")
    assert catalog.location("elsewhere") == "file:/lake/elsewhere"
    catalog.look()
    assert [catalog.lacks(name) for name in ("old", "new")] == [False, True]


def test_a_temporary_view_hides_the_table_of_its_name_and_no_dataset_may_have_that_name() -> None:
    catalog = Catalog(Listing({"sales": "/lake/sales"}, temporary=["Sales"]), "lab")
    assert catalog.location("sales") is None
    with pytest.raises(InvalidDataset, match=r"temporary view 'sales'.*dropTempView\('sales'\)"):
        TempViews(None).refuse_foreign({"sales": None}, catalog)
    TempViews(None).refuse_foreign({"other": None}, catalog)


def test_a_listing_that_fails_says_of_nothing_that_it_is_missing() -> None:
    catalog = Catalog(Listing({"sales": "/lake/sales"}, temporary=["mine"], broken=True), "lab")
    assert catalog.location("sales") is None
    assert not catalog.lacks("new")
    assert catalog.temporary_views() == {"mine"}


def test_a_table_of_another_schema_is_asked_for_once_and_data_named_by_folder_never() -> None:
    spark = Listing({"raw": "/lake/raw", "raw2": "/lake/raw2"})
    catalog = Catalog(spark, "lab")
    assert [catalog.location("shop.Raw"), catalog.location("shop.Raw")] == ["file:/lake/raw"] * 2
    assert catalog.location("delta.`/lake/raw`") is None
    assert catalog.location("`it's`.gone") is None
    assert spark.asked[1:] == ["SHOW TABLE EXTENDED IN `shop` LIKE 'Raw'", "SHOW TABLE EXTENDED IN `it's` LIKE 'gone'"]
