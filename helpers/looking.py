"""What checks look at: tables, streams and landed files; each finding is a sentence for the learner."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError


class NotThere(LakeprepError):
    """What the check looks for does not exist yet."""


def landed_lines(lab: Any, feed: str = "transactions") -> dict[str, int]:
    """Lines of each landed file of a feed, by file name, as text has them: no Spark is asked."""
    files = sorted(path for path in Path(lab.volume(f"landing/{feed}")).glob("*") if not path.name.startswith("."))
    return {path.name: sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line) for path in files}


def landed_records(lab: Any, feed: str = "transactions") -> dict[str, list[dict[str, Any]]]:
    """The JSON objects of each landed file of a feed; a line that is no JSON is left out."""
    return {name: list(_objects(Path(lab.volume(f"landing/{feed}/{name}")))) for name in landed_lines(lab, feed)}


def _objects(path: Path) -> Any:
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def table(lab: Any, name: str) -> Any:
    """A table of the lesson; :class:`NotThere` says that it has not been written yet."""
    if not lab.spark.catalog.tableExists(name):
        raise NotThere(f"There is no table `{name}` yet. Did your code name it exactly so, and did it run to its end?")
    return lab.spark.table(name)


def types(frame: Any) -> dict[str, str]:
    """Column names and SQL types, such as ``{"price": "decimal(10,2)"}``."""
    return dict(frame.dtypes)


def missing_columns(frame: Any, wanted: Sequence[str], *, name: str) -> list[str]:
    missing = [column for column in wanted if column not in frame.columns]
    return [f"`{name}` has no column {_list(missing)}. It has {_list(frame.columns)}."] if missing else []


def wrong_types(frame: Any, wanted: Mapping[str, str], *, name: str) -> list[str]:
    """One sentence for each column whose type is another one; a missing column is said too."""
    found = types(frame)
    return missing_columns(frame, list(wanted), name=name) + [
        f"`{name}.{column}` is {found[column]}, expected {type_}." for column, type_ in wanted.items()
        if column in found and found[column] != type_]


def not_a_stream(frame: Any, *, name: str) -> list[str]:
    if not hasattr(type(frame), "isStreaming"):
        return [f"`{name}` is a {type(frame).__name__}, expected a streaming DataFrame. "
                "A stream ends with `.load(…)`; writing it comes later."]
    if not frame.isStreaming:
        return [f"`{name}` is a batch DataFrame: `spark.read` reads everything, each time. What reads a stream?"]
    return []


def stream_problems(query: Any, *, name: str) -> list[str]:
    """Whether a started stream has ended well; one that runs on is stopped."""
    # A DataFrame has every attribute: it takes an unknown one for a column.
    if not hasattr(type(query), "awaitTermination"):
        return [f"`{name}` is a {type(query).__name__}, expected a started stream: what `.toTable(…)` gives back."]
    try:
        ended = query.awaitTermination(120)
    except Exception as error:
        from helpers.lab.outcome import explained

        condition, message = explained(str(error))
        return [f"The stream stopped: {condition or 'an error'}. {message}"]
    if not ended:
        query.stop()
        return [f"The stream `{name}` never ends, so it was stopped: without a trigger it waits for new files for "
                "ever. "
                "Which trigger reads what is there, and ends?"]
    return []


def row_count_problem(found: int, expected: int, *, name: str, more: str, fewer: str) -> list[str]:
    """Compare row counts; ``more`` and ``fewer`` say what the likely cause is."""
    if found == expected:
        return []
    return [f"`{name}` has {found:,} rows, expected {expected:,}: {more if found > expected else fewer}"]


def has_checkpoint(lab: Any, path: str) -> list[str]:
    """Whether a stream has kept its checkpoint in this place of the volumes."""
    if (Path(lab.volume(path)) / "commits").is_dir():
        return []
    return [f"There is no checkpoint in {path}. Give the option checkpointLocation as `lab.volume(\"{path}\")`."]


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def update_problems(report: Any, **kinds: str) -> list[str]:
    """Whether a pipeline's update went well and defined these datasets, each as this kind ("STREAMING_TABLE", …)."""
    if not hasattr(report, "datasets"):
        return [f"Your answer is a {type(report).__name__}, expected the report of an update: what `retail.update()` "
                "gives back."]
    if report.error:
        return [f"The update failed: {report.error}"]
    found = {dataset.name: dataset.kind for dataset in report.datasets}
    problems = [f"The pipeline has no `{name}`. Did retail.sql name it exactly so, and did an update run after it?"
                for name in kinds if name not in found]
    said = {"STREAMING_TABLE": "streaming table", "MATERIALIZED_VIEW": "materialized view", "VIEW": "temporary view"}
    return problems + [f"`{name}` is a {said.get(found[name], found[name])}, expected a {said[kind]}."
                       for name, kind in kinds.items() if name in found and found[name] != kind]


def input_problems(report: Any, name: str, wanted: Sequence[str]) -> list[str]:
    """Whether a dataset of an update reads these datasets."""
    inputs = report.dataset(name).inputs
    return [f"`{name}` does not read `{one}`. It reads {_list(inputs) or 'nothing'}."
            for one in wanted if one not in inputs]


def rule_problems(lab: Any, report: Any, name: str, wanted: Mapping[str, str]) -> list[str]:
    """Whether a dataset has these expectations, each with its action (warn, drop, fail).

    Where this update had nothing to do, the event log says which expectations were counted last.
    """
    found: dict[str, str | None] = {count.name: count.action for count in report.dataset(name).expectations}
    found = found or dict.fromkeys(_rules_in_log(lab, report.pipeline_id, name))
    problems = [f"`{name}` has counted no rule {_list([rule])}. A rule is written in brackets after the table's name, "
                "and counts rows that are read after it was added." for rule in wanted if rule not in found]
    return problems + [f"The rule `{rule}` of `{name}` does {found[rule]}, expected {action}."
                       for rule, action in wanted.items() if found.get(rule) not in (None, action)]


def _rules_in_log(lab: Any, pipeline_id: str, name: str) -> list[str]:
    log = lab.spark.table(f"event_log_{pipeline_id.replace('-', '_')}").where("event_type = 'flow_progress'")
    told = [json.loads(row.details)["flow_progress"].get("data_quality", {}).get("expectations", [])
            for row in log.orderBy("timestamp", "sequence.data_plane_id.seq_no").select("details").collect()]
    own = [[count["name"] for count in counts if count["dataset"] == name] for counts in told]
    return next((rules for rules in reversed(own) if rules), [])


def rows_by_file_problems(lab: Any, name: str, wanted: Mapping[str, int], *, hint: str = "") -> list[str]:
    """Compare a table's rows with the wanted ones, by its column `source_file`; ``hint`` follows what differs."""
    frame = table(lab, name)
    problems = missing_columns(frame, ["source_file"], name=name)
    if problems:
        return problems
    found = {row.source_file: row["count"] for row in frame.groupBy("source_file").count().collect()}
    nowhere = found.pop(None, 0)
    if nowhere:
        problems.append(f"{nowhere:,} rows of `{name}` have no source_file. {hint}".strip())
    if found and not set(found) & set(wanted):
        return [*problems, f"`source_file` should be a file's name, such as {next(iter(wanted))}: "
                           "`_metadata.file_name`."]
    other = [file for file in {**wanted, **found} if found.get(file, 0) != wanted.get(file, 0)]
    problems += [f"`{name}` has {found.get(file, 0):,} rows of {file}, expected {wanted.get(file, 0):,}."
                 for file in other[:3]]
    if other:
        problems.append(f"{len(other)} of {len(wanted)} files differ. {hint}".strip())
    return problems
