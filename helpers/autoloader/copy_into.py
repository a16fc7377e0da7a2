"""COPY INTO: load the files that were not loaded before, each exactly once.

https://docs.databricks.com/aws/en/sql/language-manual/delta-copy-into
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import StructType

from helpers.autoloader.copy_files import EmptyCopySource, all_files, is_readable, matching_files, named_files
from helpers.autoloader.copy_frames import by_place, files_frame, query_over
from helpers.autoloader.copy_options import CopyOptions, check_copy_options
from helpers.autoloader.copy_target import CopyTargetError, Target
from helpers.autoloader.errors import UnsupportedOption
from helpers.autoloader.options import boolean

if TYPE_CHECKING:
    from helpers.sql import CopyInto

_RESULT = "num_affected_rows BIGINT, num_inserted_rows BIGINT, num_skipped_corrupt_files BIGINT"
_TRIES = 20
_PREVIEW = 50
_EMPTY_CHECK = "spark.databricks.delta.copyInto.emptySourceCheck.enabled"


@dataclass(frozen=True)
class _Job:
    """One statement, checked, and the table it loads."""

    spark: Any
    statement: CopyInto
    options: CopyOptions
    target: Target


def copy_into(spark: Any, statement: CopyInto) -> Any:
    """Run the statement; gives its one result row, or with VALIDATE the rows that would be loaded (at most 50).

    What a client that was killed has left behind is settled first: its load is complete or was never there.
    """
    job = _Job(spark, statement, check_copy_options(statement), Target.find(spark, statement.target))
    _refuse_header(job)
    if statement.validate:
        return _validated(job)
    rows, corrupt = _load(job)
    return spark.createDataFrame([(rows, rows, corrupt)], _RESULT)


def _refuse_header(job: _Job) -> None:
    if not (job.statement.by_position or job.statement.columns):
        return
    if job.options.format != "csv" or job.options.header or job.statement.query:
        raise UnsupportedOption("Columns by position are for CSV files without a header, without a SELECT. "
                                "Write FILEFORMAT = CSV, without the option 'header'.")


def _load(job: _Job) -> tuple[int, int]:
    """The number of rows and of corrupt files."""
    for _ in range(_TRIES):
        number = _next_number(job.target)
        files, corrupt = _new_files(job)
        if not files:
            return 0, corrupt
        attempt = job.target.log.propose(number, files)
        rows = _attempt(job, number, attempt, files)
        if rows is not None:
            return rows, corrupt
    raise CopyTargetError(f"Other clients loaded into {job.target.name} {_TRIES} times in a row. Run it again.")


def _attempt(job: _Job, number: int, attempt: str, files: list[str]) -> int | None:
    """Load the files; None when another client's load has taken the number meanwhile."""
    failure = None
    try:
        job.target.append(_rows(job, files), number=number, attempt=attempt, merge_schema=job.options.merge_schema)
    except Exception as error:
        failure = error
    commit = job.target.commit(number)
    if commit is None and failure is None:
        _settle_by_elimination(job.target, number, attempt)
        return None
    if commit is None:
        raise failure  # type: ignore[misc]
    job.target.log.settle(number, commit.attempt)
    return commit.rows if commit.attempt == attempt else None


def _next_number(target: Target) -> int:
    """The number after the last load; a load whose client was killed after its commit is settled here."""
    number = target.log.last() + 1
    commit = target.commit(number) if target.log.proposals(number) else None
    if commit is None:
        return number
    target.log.settle(number, commit.attempt)
    return number + 1


def _settle_by_elimination(target: Target, number: int, own: str) -> None:
    """Delta says that the number is taken, and the history that would tell by whom has expired."""
    if target.log.last() >= number:
        return
    others = [each for each in target.log.proposals(number) if each != own]
    if len(others) != 1:
        raise CopyTargetError(f"Nobody knows which files load {number} of {target.name} has brought: its commit is no "
                              f"longer in the table's history. Look at {target.log.folder}, and link the right one of "
                              f"{number}.*.json as {number}.json.")
    target.log.settle(number, others[0])


def _new_files(job: _Job) -> tuple[list[str], int]:
    """The files that are to be loaded, and how many more are corrupt."""
    statement, landing = job.statement, job.options.landing
    if statement.files:
        found = named_files(landing, statement.files)
    else:
        found = matching_files(landing, statement.pattern) if statement.pattern else all_files(landing)
    if not found and boolean(_EMPTY_CHECK, job.spark.conf.get(_EMPTY_CHECK, "true")):
        raise EmptyCopySource(job.statement)
    loaded = set() if job.options.force else job.target.log.loaded()
    new = [file for file in found if file not in loaded]
    if not job.options.ignore_corrupt:
        return new, 0
    good = [file for file in new if is_readable(file, job.options.format)]
    return good, len(new) - len(good)


def _rows(job: _Job, files: list[str]) -> Any:
    statement = job.statement
    query = statement.query
    frame = files_frame(job.spark, files, job.options, metadata=bool(query and query.uses_metadata))
    if not frame.columns:
        raise EmptyCopySource(statement)
    if query:
        return query_over(job.spark, query.text, query.file_sources[0].placeholder, frame)
    if statement.by_position or statement.columns:
        return by_place(frame, _places(job), job.target.name)
    return frame


def _places(job: _Job) -> StructType:
    columns = {each.name.lower(): each for each in job.target.schema}
    if job.statement.by_position:
        return job.target.schema  # type: ignore[no-any-return]
    unknown = [name for name in job.statement.columns if name.lower() not in columns]
    if unknown:
        raise CopyTargetError(f"{job.target.name} has no column '{unknown[0]}'. It has: "
                              f"{', '.join(each.name for each in columns.values())}.")
    return StructType([columns[name.lower()] for name in job.statement.columns])


def _validated(job: _Job) -> Any:
    """Read and check the rows without writing; gives the first of them."""
    _next_number(job.target)
    files, _ = _new_files(job)
    if not files:
        return job.spark.table(job.target.name).limit(0)
    rows = _rows(job, files)
    limit = job.statement.validate_rows
    rows = rows if limit is None else rows.limit(limit)
    job.target.refuse_other_columns(rows, merge_schema=job.options.merge_schema)
    job.target.refuse_violations(rows)
    rows.write.format("noop").mode("overwrite").save()
    return rows.limit(min(limit or _PREVIEW, _PREVIEW))
