"""`python -m helpers.jobs.sql_task SPEC.json`: run a SQL file or a saved query as one attempt of a task.

The spec has `file` or `query` (a query's JSON file), `parameters` (`:name` in the statements), `result` and `progress`.
Statements run one by one. The rows of the last one are kept: as on Databricks at most 1,000, and at most 48 KB of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import LakeprepError
from helpers.jobs.context import write_json
from helpers.jobs.queries import read_query
from helpers.jobs.sentences import sentence

if TYPE_CHECKING:
    from helpers.sql.lexemes import Lexeme

_MOST_ROWS = 1000
_MOST_BYTES = 48 * 1024
#: The session's `sql`.
Run = Callable[..., Any]


def main(spec_file: Path) -> int:
    """Run the file or the query that the spec names; gives the exit code."""
    from helpers.runtime import Places, attach

    spec = json.loads(spec_file.read_text(encoding="utf-8"))
    progress = Path(spec["progress"])

    def report(said: str) -> None:
        with progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"version": 1, "message": said}) + "\n")

    try:
        spark = attach(Places.from_environment())
        run, named = (run_query, spec["query"]) if "query" in spec else (run_file, spec["file"])
        result = run(Path(named), spec["parameters"], sql=spark.sql, report=report)
    except LakeprepError as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    write_json(Path(spec["result"]), {"version": 1, **result})
    return 1 if result["error"] else 0


def run_file(
    file: Path, parameters: Mapping[str, str], *, sql: Run, report: Callable[[str], None]
) -> dict[str, Any]:
    """Run each statement to its end; gives `error` and the last one's rows as `output`.

    PipelineSyntaxError, which says where, when the text cannot be split into statements.
    """
    return _run(file.name, list(statements(file, parameters)), sql, report)


def run_query(
    file: Path, parameters: Mapping[str, str], *, sql: Run, report: Callable[[str], None]
) -> dict[str, Any]:
    """The same for a saved query, in its schema; QueryFileError when its file has no meaning here."""
    query = read_query(file)
    found = list(_statements(file.name, query.text, query.with_parameters(parameters)))
    if query.schema is not None:
        named = query.schema.replace("`", "``")
        try:
            sql(f"USE SCHEMA `{named}`")
        except Exception as error:  # as below
            return {"error": f"{sentence(type(error).__name__, str(error))} (schema of {file.name})", "output": None}
    return _run(file.name, found, sql, report)


def statements(file: Path, parameters: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Give each statement of a file, its parameters' values in place, and the line, from 1, on which it begins."""
    return _statements(file.name, file.read_text(encoding="utf-8"), parameters)


def _statements(name: str, text: str, parameters: Mapping[str, str | Decimal]) -> Iterator[tuple[str, int]]:
    """A parameter's value becomes a literal: Spark's own `args` do not get through Delta's parser."""
    from helpers.sql.source import Source, split

    source = Source(name, text)
    for lexemes in split(source):
        pieces, at = [], lexemes[0].start
        for place in range(len(lexemes) - 1):
            marked = lexemes[place + 1]
            if _is_marker(lexemes, place) and marked.text in parameters:
                pieces += [source.text[at : lexemes[place].start], _literal(parameters[marked.text])]
                at = marked.end
        yield "".join([*pieces, source.text[at : lexemes[-1].end]]), source.position(lexemes[0].start).line


def _run(
    name: str, found: Sequence[tuple[str, int]], sql: Run, report: Callable[[str], None]
) -> dict[str, Any]:
    output: dict[str, Any] | None = None
    for number, (text, line) in enumerate(found, start=1):
        report(f"{name}: statement {number} of {len(found)}")
        try:
            output = _rows(sql(text))
        except Exception as error:  # whatever stops a statement must reach the record as a sentence
            where = f"(statement {number}, line {line} of {name})"
            return {"error": f"{sentence(type(error).__name__, str(error))} {where}", "output": None}
    return {"error": None, "output": output}


def _is_marker(lexemes: Sequence[Lexeme], place: int) -> bool:
    """Whether `:` and a name stand here, and not a path into a column, `col:name`."""
    colon, name = lexemes[place], lexemes[place + 1]
    if not colon.is_symbol(":") or name.kind != "word" or name.start != colon.end:
        return False
    before = lexemes[place - 1] if place else None
    path = before is not None and before.end == colon.start and (before.is_name or before.text in (")", "]"))
    return not path


def _literal(value: str | Decimal) -> str:
    if isinstance(value, Decimal):
        return f"({value:f})"  # in brackets, as `1-:n` with -1 would be a comment
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _rows(frame: Any) -> dict[str, Any] | None:
    """The first rows, whose taking is what runs a query; a statement without columns, as CREATE TABLE, gives none."""
    if not frame.columns:
        return None
    taken = frame.take(_MOST_ROWS + 1)
    rows = [json.loads(json.dumps(_named(row.asDict(recursive=True)), default=str)) for row in taken[:_MOST_ROWS]]
    kept = _fitting(rows)
    return {"columns": list(frame.columns), "rows": kept, "truncated": len(kept) < len(taken)}


def _named(value: Any) -> Any:
    """The value with strings for the keys of its maps, which may be dates or numbers."""
    if isinstance(value, dict):
        return {str(key): _named(inner) for key, inner in value.items()}
    return [_named(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _fitting(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    kept, size = [], 2
    for row in rows:
        size += len(json.dumps(row, ensure_ascii=False).encode()) + 2
        if size > _MOST_BYTES:
            break
        kept.append(row)
    return kept


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
