"""A stream's own log in its checkpoint: what it has read, and files that were overwritten since; without Spark."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyspark.sql.connect.proto as pb2
import pytest

from helpers.autoloader import NoStreamState
from helpers.autoloader.overwrites import MARK, before_command, forget_overwritten, marked_paths
from helpers.autoloader.stream_log import DamagedStreamLog, SourceLog, source_logs
from helpers.autoloader.stream_state import seen_files


class Checkpoint:
    """A checkpoint as Spark writes it; `plan` is a micro-batch that goes up to a look of each source."""

    def __init__(self, root: Path) -> None:
        self.root, self.landing = root / "checkpoint", root / "landing"
        for folder in ("offsets", "commits"):
            (self.root / folder).mkdir(parents=True)
        self.landing.mkdir()

    def land(self, name: str, at: int, text: str = "{}") -> Path:
        path = self.landing / name
        path.write_text(text)
        os.utime(path, (at, at))
        return path

    def look(self, number: int, *paths: Path, source: int = 0, name: str = "") -> None:
        entries = [{"path": path.as_uri(), "timestamp": int(path.stat().st_mtime * 1000), "batchId": number}
                   for path in paths]
        file = self.root / "sources" / str(source) / (name or str(number))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(["v1", *map(json.dumps, entries)]))
        (file.parent / f".{file.name}.crc").write_bytes(b"crc")

    def plan(self, batch: int, *looks: int | None, commit: bool = True) -> None:
        lines = ["-" if look is None else json.dumps({"logOffset": look}) for look in looks]
        (self.root / "offsets" / str(batch)).write_text("\n".join(["v1", "{}", *lines]))
        if commit:
            (self.root / "commits" / str(batch)).write_text("v1\n{}")

    def known(self, source: int = 0) -> list[tuple[str, int]]:
        """The files of the log and their times in seconds."""
        entries = SourceLog(self.root, source).entries()
        return sorted((Path(each["path"]).name, each["timestamp"] // 1000) for each in entries)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path)


def forget(checkpoint: Checkpoint, landing: Path | str = "") -> None:
    forget_overwritten(str(checkpoint.root), frozenset([str(landing or checkpoint.landing)]))


def test_a_file_written_since_it_was_read_is_taken_out_of_every_log_file(checkpoint: Checkpoint) -> None:
    one, two, gone = (checkpoint.land(f"{name}.json", 100) for name in ("one", "two", "gone"))
    checkpoint.look(0, one, two, gone, name="9.compact")
    checkpoint.look(0, one, two, gone)
    checkpoint.plan(0, 0)
    gone.unlink()
    log = checkpoint.root / "sources" / "0" / "0"
    os.utime(log, (50, 50))
    before = log.read_bytes()
    forget(checkpoint)
    assert log.read_bytes() == before
    assert (checkpoint.root / "sources" / "0" / ".0.crc").exists()
    checkpoint.land("one.json", 200)
    forget(checkpoint, "/elsewhere")
    assert len(checkpoint.known()) == 3
    forget(checkpoint, f"{checkpoint.root.parent}/land*/*.json")
    assert checkpoint.known() == [("gone.json", 100), ("two.json", 100)]
    assert log.stat().st_mtime == 50
    # A checksum of what the file held before would make it unreadable.
    assert not list((checkpoint.root / "sources" / "0").glob(".*"))


def test_a_file_of_a_micro_batch_that_is_not_written_yet_is_read_once(checkpoint: Checkpoint) -> None:
    one, two = checkpoint.land("one.json", 100), checkpoint.land("two.json", 100)
    checkpoint.look(0, one)
    checkpoint.look(1, two)
    checkpoint.plan(0, 0)
    checkpoint.plan(1, 1, commit=False)
    checkpoint.land("one.json", 200)
    checkpoint.land("two.json", 200)
    forget(checkpoint)
    # Spark runs that micro-batch again, and reads the file as it is now: its new time is noted.
    assert checkpoint.known() == [("two.json", 200)]
    forget(checkpoint)
    assert checkpoint.known() == [("two.json", 200)]


def test_a_checkpoint_that_is_not_there_yet_has_nothing_to_forget(checkpoint: Checkpoint) -> None:
    forget(checkpoint)
    assert source_logs(checkpoint.root) == []
    with pytest.raises(NoStreamState, match="no checkpoint"):
        seen_files(str(checkpoint.root))


def test_each_source_of_a_stream_has_a_state_of_its_own(checkpoint: Checkpoint) -> None:
    one, two, three = (checkpoint.land(f"{name}.json", 100) for name in ("1", "2", "3"))
    checkpoint.look(0, one)
    checkpoint.look(0, two, source=1)
    checkpoint.look(1, three, source=1)
    checkpoint.plan(0, None, 0)
    checkpoint.plan(1, 0, 0)
    checkpoint.plan(2, 0, 1, commit=False)
    found = [(Path(each.path).name, each.source_id, each.row()[-1]) for each in seen_files(str(checkpoint.root))]
    assert found == [("1.json", "0", "COMMITTED"), ("2.json", "1", "COMMITTED"), ("3.json", "1", "DISCOVERED")]


def test_a_file_stays_committed_when_spark_has_forgotten_its_micro_batch(checkpoint: Checkpoint) -> None:
    checkpoint.look(0, checkpoint.land("old.json", 100))
    checkpoint.look(7, checkpoint.land("new.json", 100))
    checkpoint.plan(150, 7)
    assert [each.row()[-1] for each in seen_files(str(checkpoint.root))] == ["COMMITTED", "COMMITTED"]


def test_a_damaged_checkpoint_is_named(checkpoint: Checkpoint) -> None:
    checkpoint.look(0, checkpoint.land("a.json", 100))
    (checkpoint.root / "offsets" / "0").write_text("v1\n{}\nnonsense")
    with pytest.raises(DamagedStreamLog, match="offsets/0"):
        seen_files(str(checkpoint.root))
    (checkpoint.root / "sources" / "0" / "0").write_text("v1\n{")
    with pytest.raises(DamagedStreamLog, match="sources/0/0"):
        list(SourceLog(checkpoint.root, 0).entries())


def source(path: str, *, mark: str = "true") -> pb2.Relation:
    read = pb2.Read(is_streaming=True, data_source=pb2.Read.DataSource(paths=[path], options={MARK: mark}))
    return pb2.Relation(limit=pb2.Limit(input=pb2.Relation(read=read), limit=5))


def test_a_plan_names_its_sources_and_those_behind_its_views(checkpoint: Checkpoint) -> None:
    one = checkpoint.land("one.json", 100)
    checkpoint.look(0, one)
    checkpoint.plan(0, 0)
    checkpoint.land("one.json", 200)
    views: dict[str, frozenset[str]] = {}
    start = {"options": {"checkpointLocation": checkpoint.root.as_uri()}}
    other = pb2.WriteStreamOperationStart(input=source(str(checkpoint.landing), mark="false"), **start)
    before_command(pb2.Command(write_stream_operation_start=other), views)
    assert checkpoint.known() == [("one.json", 100)]
    view = pb2.CreateDataFrameViewCommand(input=source(str(checkpoint.landing)), name="Landed")
    before_command(pb2.Command(create_dataframe_view=view), views)
    query = pb2.WriteStreamOperationStart(input=pb2.Relation(sql=pb2.SQL(query="SELECT * FROM STREAM landed")), **start)
    before_command(pb2.Command(write_stream_operation_start=query), views)
    assert checkpoint.known() == []


def test_a_view_that_a_plan_names_is_found_beside_a_source() -> None:
    plan = pb2.Relation(read=pb2.Read(named_table=pb2.Read.NamedTable(unparsed_identifier="`v`")))
    joined = pb2.Relation(join=pb2.Join(left=source("/a"), right=plan))
    assert marked_paths(joined, {"v": frozenset(["/b"])}) == {"/a", "/b"}
    assert marked_paths(source("/a", mark="false"), {"v": frozenset(["/b"])}) == frozenset()
    views = {"my t": frozenset(["/b"]), "t": frozenset(["/c"])}
    query = pb2.Relation(sql=pb2.SQL(query="SELECT * FROM STREAM `My T` WHERE total > 0"))
    assert marked_paths(query, {**views, "tot": frozenset(["/d"])}) == {"/b", "/c"}
