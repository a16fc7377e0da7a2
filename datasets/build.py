"""Rebuild the retail data: `python datasets/build.py`; `--check` compares, `--full TARGET` writes all of it."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent))

from retail_builder.files import Batch, write_batches, write_manifest
from retail_builder.households import household_batches
from retail_builder.products import pick_products, product_batches
from retail_builder.readme import with_tables
from retail_builder.source import SALE_COLUMNS, Product, Source, SourceChanged, SourceMissing, load_source
from retail_builder.transactions import FIRST_DAY, transaction_batches

__all__ = [
    "SALE_COLUMNS",
    "BuildRefused",
    "Product",
    "Source",
    "SourceChanged",
    "SourceMissing",
    "build_full",
    "build_slice",
    "differing_files",
    "load_source",
]

HERE = Path(__file__).resolve().parent
SEED = 8451
SLICE_LAST_DAY = date(2017, 1, 21)
SLICE_HOUSEHOLDS = 540
SLICE_UNSOLD_PRODUCTS = 500
MANIFEST = "manifest.json"
FEEDS = ("transactions", "products", "households")


class BuildRefused(ValueError):
    """What was asked for cannot be built there or that way."""


def build_slice(target: Path) -> None:
    """Write `target/retail/` and `target/manifest.json`: some whole households, three weeks."""
    source = _slice(load_source())
    files = _write_feeds(source, target / "retail", last_day=SLICE_LAST_DAY, days_each=1, report=_silent)
    write_manifest(target / MANIFEST, files, seed=SEED, days_each=1)


def build_full(
    target: Path,
    *,
    days_each: int | None = None,
    report: Callable[[date], None] | None = None,
    source: Source | None = None,
) -> None:
    """Write the feeds of all 1,469,307 transactions and their manifest to `target`, which is replaced as a whole.

    `days_each`: how many days of transactions or household changes one file holds (a day when None).
    `report` is called with each day when its transactions are written; `source` is read when it is not given.
    Raises BuildRefused, SourceMissing, SourceChanged; the target is untouched until everything is written.
    """
    if days_each is not None and days_each < 1:
        raise BuildRefused(f"days_each is {days_each}: a file holds at least one day")
    if target.exists() and not _is_ours(target):
        raise BuildRefused(f"{target} holds other files: name a new or an empty folder")
    source = source or load_source()
    building = target.with_name(f"{target.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    try:
        files = _write_feeds(
            source, building, last_day=source.days()[-1], days_each=days_each or 1, report=report or _silent
        )
        write_manifest(building / MANIFEST, files, seed=SEED, days_each=days_each or 1)
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def differing_files(committed: Path, built: Path) -> list[str]:
    """Name each file of the slice that is missing, additional or different, relative to the folder."""
    names = {MANIFEST} | {
        path.relative_to(root).as_posix()
        for root in (committed, built)
        for path in (root / "retail").rglob("*")
        if path.is_file()
    }
    differing = [name for name in names if _bytes(committed / name) != _bytes(built / name)]
    readme = (committed / "README.md").read_text(encoding="utf-8")
    if with_tables(readme, manifest=built / MANIFEST) != readme:
        differing.append("README.md")
    return sorted(differing)


def _is_ours(target: Path) -> bool:
    return target.is_dir() and {child.name for child in target.iterdir()} <= {MANIFEST, *FEEDS}


def _silent(day: date) -> None:
    """Report nothing."""


def _slice(source: Source) -> Source:
    weeks = source.keep(last_day=SLICE_LAST_DAY)
    active = sorted(set(weeks.sales["household_id"].tolist()))
    # The few households with a known coupon are always in: the new column is then never empty.
    with_coupon = {sale.household_id for _, sales in weeks.daily() for sale in sales if sale.coupon_upc is not None}
    chosen = set(Random(f"{SEED}:slice").sample(active, SLICE_HOUSEHOLDS)) | with_coupon
    kept = weeks.keep(households=frozenset(chosen), last_day=SLICE_LAST_DAY)
    sold = frozenset(kept.first_sold())
    return replace(kept, products=pick_products(kept.products, sold=sold, others=SLICE_UNSOLD_PRODUCTS, seed=SEED))


def _write_feeds(
    source: Source, root: Path, *, last_day: date, days_each: int, report: Callable[[date], None]
) -> list[dict[str, Any]]:
    days = [FIRST_DAY + timedelta(days=number) for number in range((last_day - FIRST_DAY).days + 1)]
    sales = transaction_batches(source.daily(), products=source.products, last_day=last_day, seed=SEED)
    products = product_batches(source.products, first_sold=source.first_sold(), seed=SEED)
    households = household_batches(source.demographics, days=days, seed=SEED)
    return [
        *_write_feed(root, "transactions/{}.json", _reported(sales, report), days_each=days_each),
        *_write_feed(root, "products/products-{}.csv", products, days_each=1),
        *_write_feed(root, "households/{}.json", households, days_each=days_each),
    ]


def _write_feed(
    root: Path, name: str, batches: Iterable[tuple[date, Batch]], *, days_each: int
) -> Iterator[dict[str, Any]]:
    """Write `days_each` days to a file, named after the first of them."""
    for number, group in groupby(batches, key=lambda batch: (batch[0] - FIRST_DAY).days // days_each):
        first_day = FIRST_DAY + timedelta(days=number * days_each)
        yield write_batches(root, name.format(first_day), (batch for _, batch in group))


def _reported(batches: Iterable[tuple[date, Batch]], report: Callable[[date], None]) -> Iterator[tuple[date, Batch]]:
    for day, batch in batches:
        yield day, batch
        report(day)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _rebuild(*, check: bool) -> int:
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder)
        build_slice(built)
        differing = differing_files(HERE, built)
        if not check:
            _install(built)
    for name in differing:
        print(f"{'differs' if check else 'written'}: datasets/{name}")
    if not differing:
        print("datasets/ is as the script builds it")
    return 1 if check and differing else 0


def _install(built: Path) -> None:
    shutil.rmtree(HERE / "retail", ignore_errors=True)
    shutil.copytree(built / "retail", HERE / "retail")
    shutil.copyfile(built / MANIFEST, HERE / MANIFEST)
    readme = HERE / "README.md"
    text = with_tables(readme.read_text(encoding="utf-8"), manifest=HERE / MANIFEST)
    readme.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    """Run the command line; 1 when a file differs or the data cannot be built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, name the files that differ")
    parser.add_argument("--full", type=Path, metavar="TARGET", help="write all transactions to this folder")
    parser.add_argument("--days-each", type=int, default=1, help="with --full: how many days a file holds")
    options = parser.parse_args(arguments)
    try:
        if options.full is None:
            return _rebuild(check=options.check)
        build_full(options.full, days_each=options.days_each)
    except (SourceMissing, SourceChanged, BuildRefused) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"the data could not be written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
