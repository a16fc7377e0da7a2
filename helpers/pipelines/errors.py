"""What can be wrong with a pipeline, each with its own class; messages carry Databricks' condition where it has one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from helpers.classic import said, stack_trace
from helpers.errors import LakeprepError


class PipelineError(LakeprepError):
    """Base of every error of this room."""


class InvalidSettings(PipelineError):
    """The pipeline's settings file cannot be used."""


class InvalidSource(PipelineError):
    """A source file could not be read or run."""


class DuplicateDataset(PipelineError):
    """Two definitions have the same name."""


class UnknownTable(PipelineError):
    """A flow reads a table that neither the pipeline nor the catalog has."""


class UnknownDataset(PipelineError):
    """A selection names a dataset that the pipeline lacks."""


class MissingUpstream(PipelineError):
    """A selected dataset reads one that no update has made yet."""


class CyclicPipeline(PipelineError):
    """Datasets read each other in a circle."""


class InvalidDataset(PipelineError):
    """A dataset's definition contradicts itself: a streaming table over a batch query, for example."""


class FlowFailed(PipelineError):
    """A flow cannot be analysed, or ended with an error."""


class UpdateInProgress(PipelineError):
    """Another process is updating this pipeline."""


class StateUnusable(PipelineError):
    """The pipeline's folder or its event log cannot be read or written: a full disk, for example."""


class Unsupported(PipelineError):
    """Databricks has it, this engine does not yet."""


_SKIP = ("A stream reads rows that were added; this source had rows changed or deleted. Pass over such commits with "
         "WITH (SKIPCHANGECOMMITS) after the table (Python: .option(\"skipChangeCommits\", \"true\")), or run a full "
         "refresh of '{target}'.")
_REPLACED = "Its source was dropped, replaced or fully refreshed. Run a full refresh of '{target}' too."
_TYPES = "Cast the column in the query, or run a full refresh of '{target}'."
_NEXT_STEPS = {
    "DELTA_SOURCE_TABLE_IGNORE_CHANGES": _SKIP,
    "DELTA_SOURCE_IGNORE_DELETE": _SKIP,
    "DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE": _REPLACED,
    "DELTA_FAILED_TO_MERGE_FIELDS": _TYPES,
    "DELTA_MERGE_INCOMPATIBLE_DATATYPE": _TYPES,
    "DELTA_SCHEMA_CHANGED_WITH_VERSION": _REPLACED,
}
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")


#: Conditions of errors that another attempt may not meet.
_PASSING = re.compile(r"\[?DELTA_(CONCURRENT_\w+|METADATA_CHANGED|PROTOCOL_CHANGED)|CONCURRENT_STREAM_LOG_UPDATE|"
                      r"FILE_NOT_EXIST|FileNotFoundException")


def may_recover(error: BaseException) -> bool:
    """Whether another attempt may go well: two writers met, or a file went while it was read."""
    return not isinstance(error, LakeprepError) and bool(_PASSING.search(full_text(error)))


def full_text(error: BaseException) -> str:
    """An error's message and those of its causes, which Spark's client keeps with the server's stack trace."""
    trace = stack_trace(error).splitlines()
    return "\n".join([said(error), *(line for line in trace if not line.lstrip().startswith("at "))])


def explained(error: BaseException, *, target: str) -> str:
    """Spark's error as one line, with what to do next where its condition tells."""
    text = full_text(error) if "[TASK_WRITE_FAILED]" in str(error) else said(error)
    for before in ("terminated with exception: ", "Caused by: "):
        text = text.rsplit(before, 1)[-1]
    text = text.split(" SQLSTATE:", 1)[0]
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    found = [condition for condition in _CONDITION.findall(text) if condition in _NEXT_STEPS]
    step = f" {_NEXT_STEPS[found[0]].format(target=target)}" if found else ""
    return (lines[0] if lines else repr(error)) + step


def condition(error: BaseException) -> str | None:
    """Spark's error condition, such as TABLE_OR_VIEW_NOT_FOUND."""
    found = getattr(error, "getCondition", lambda: None)()
    return str(found) if found else None


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with a leading space, or nothing."""
    found = get_close_matches(name, list(known), n=1)
    return f" Did you mean '{found[0]}'?" if found else ""
