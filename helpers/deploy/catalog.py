"""Schema, volumes and landed files in Unity Catalog."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers import landing
from helpers.deploy.connection import Hand
from helpers.deploy.errors import CatalogMissing, DeployError, Occupied
from helpers.deploy.places import COMMENTS, SCHEMA_COMMENT, Place
from helpers.landing import DataFile


def check_catalog(hand: Hand, place: Place) -> None:
    """CatalogMissing, with the catalogs that there are, when the user cannot see this one."""
    from databricks.sdk.errors import NotFound

    try:
        hand.client.catalogs.get(place.catalog)
    except NotFound:
        there = ", ".join(sorted(str(each.name) for each in hand.client.catalogs.list())) or "none"
        raise CatalogMissing(
            f"There is no catalog '{place.catalog}' in {hand.host} (you see: {there}). Name one with --catalog."
        ) from None


def missing_volumes(hand: Hand, place: Place) -> tuple[str, ...]:
    """Name the volumes that are to be made; Occupied when one is there that is not ours."""
    return tuple(name for name in COMMENTS if not _has_volume(hand, place, name))


def _has_volume(hand: Hand, place: Place, name: str) -> bool:
    from databricks.sdk.errors import NotFound

    full_name = f"{place.full_schema}.{name}"
    try:
        found = hand.client.volumes.read(full_name)
    except NotFound:
        return False
    if found.comment != COMMENTS[name]:
        raise Occupied(
            f"There is a volume {full_name} that Lakeprep did not make (its comment is not '{COMMENTS[name]}'). "
            "It was left alone; nothing was changed. Name another schema with --schema."
        )
    return True


def make_schema(hand: Hand, place: Place) -> None:
    """Make the schema where it is missing; one that is there is used as it is."""
    from databricks.sdk.errors import NotFound

    try:
        hand.client.schemas.get(place.full_schema)
        hand.say(f"schema {place.full_schema} is there")
    except NotFound:
        hand.do(
            "create",
            f"schema {place.full_schema}",
            lambda: hand.client.schemas.create(place.schema, place.catalog, comment=SCHEMA_COMMENT),
        )


def make_volumes(hand: Hand, place: Place, missing: Iterable[str]) -> None:
    """Make the missing volumes."""
    from databricks.sdk.service.catalog import VolumeType

    def create(name: str) -> Any:
        return hand.client.volumes.create(
            place.catalog, place.schema, name, VolumeType.MANAGED, comment=COMMENTS[name]
        )  # fmt: skip

    for name in missing:
        hand.do("create", f"volume {place.volume(name)}", lambda name=name: create(name))


def land_first(hand: Hand, place: Place, source: Path) -> None:
    """Upload the first week's files, but those that are there in their size."""
    folder = place.volume("landing")
    sizes = _sizes(hand.client, folder)
    first = landing.first_files(landing.data_files(source))
    due = [file for file in first if sizes.get(file.name) != (source / file.name).stat().st_size]
    if due:
        _upload(hand, due, source=source, folder=folder)
    else:
        hand.say(f"{folder} holds the first {landing.FIRST_DAYS} days")


def land_next(hand: Hand, place: Place, source: Path) -> None:
    """Upload what arrives next: the first week into an empty volume, then a day each time."""
    if "landing" in missing_volumes(hand, place):
        raise DeployError(
            f"There is no volume {place.volume('landing')} for files to arrive in. Deploy first: without --arrive, or "
            "with the bundle. Use the same --target, --catalog and --schema."
        )
    folder, files = place.volume("landing"), landing.data_files(source)
    landed = frozenset(_sizes(hand.client, folder))
    due = [file for file in landing.first_files(files) if file.name not in landed]
    due = due or list(landing.next_files(files, landed=landed))
    if due:
        _upload(hand, due, source=source, folder=folder)
    else:
        hand.say("No day is left to arrive: all of them have landed.")


def _sizes(client: Any, folder: str) -> dict[str, int]:
    """Give the bytes of the landed files by name, such as `transactions/2017-01-01.json`."""
    from databricks.sdk.errors import NotFound

    sizes: dict[str, int] = {}
    for feed in landing.FEEDS:
        try:
            found = list(client.files.list_directory_contents(f"{folder}/{feed}"))
        except NotFound:
            continue
        sizes |= {f"{feed}/{each.name}": each.file_size or 0 for each in found if not each.is_directory}
    return sizes


def _upload(hand: Hand, files: Iterable[DataFile], *, source: Path, folder: str) -> None:
    files = tuple(files)
    days = sorted({file.day for file in files})

    def send() -> None:
        for feed in sorted({file.name.partition("/")[0] for file in files}):
            hand.client.files.create_directory(f"{folder}/{feed}")
        for file in files:
            content = io.BytesIO((source / file.name).read_bytes())
            hand.client.files.upload(f"{folder}/{file.name}", content, overwrite=True)

    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else f"{days[0]}"
    hand.do("upload", f"{len(files)} files of {span} to {folder}", send)
