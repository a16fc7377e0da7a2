"""What the processes of a script task and of a SQL task do, in this process and without Spark."""

from __future__ import annotations

import os
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs.script_task import run_script
from helpers.jobs.sql_task import run_file, statements
from helpers.sql import PipelineSyntaxError


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a script and run it; what it changes of this process is put back."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(os.getcwd())

    def run(*lines: str, arguments: tuple[str, ...] = ()) -> dict[str, Any]:
        (tmp_path / "load.py").write_text("\n".join(lines))
        return dict(run_script(tmp_path / "load.py", list(arguments)))

    return run


def test_a_script_is_run_as_main_in_its_folder_with_its_command_line(script, tmp_path):
    (tmp_path / "beside.py").write_text("word = 'found'")
    ran = script(
        "import sys, pathlib, beside",
        "if __name__ == '__main__':",
        "    pathlib.Path('told').write_text(' '.join([beside.word, *sys.argv[1:]]))",
        arguments=("--day", "2017-01-01"),
    )
    assert ran == {"error": None, "error_trace": None}
    assert (tmp_path / "told").read_text() == "found --day 2017-01-01"


def test_a_script_that_fails_says_which_error_in_which_line(script):
    ran = script("def share(n):", "    return 1 / n", "", "share(0)")
    assert ran["error"] == "ZeroDivisionError: division by zero (line 2 of load.py)"
    assert ran["error_trace"].endswith("ZeroDivisionError: division by zero")


def test_a_script_that_cannot_be_read_says_where(script):
    assert script("x = (1,", "y = 2")["error"].startswith("SyntaxError: '(' was never closed")
    assert script("x = (1,", "y = 2")["error"].endswith("(line 1 of load.py)")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("raise SystemExit", None),
        ("raise SystemExit(0)", None),
        ("raise SystemExit(3)", "SystemExit: exit code 3"),
        ("raise SystemExit('no files')", "SystemExit: no files"),
    ],
)
def test_a_script_that_exits_succeeds_with_zero_only(script, line, error):
    assert script(line)["error"] == error


class Row:
    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def asDict(self, recursive: bool = False) -> dict[str, Any]:
        return self.fields


class Frame:
    def __init__(self, *rows: Row) -> None:
        self.rows = rows
        self.columns = list(rows[0].fields) if rows else []

    def take(self, most: int) -> list[Row]:
        return list(self.rows[:most])


class Session:
    """Keeps what it is asked; gives the frames it was made with, in order."""

    def __init__(self, *frames: Frame | Exception) -> None:
        self.frames, self.asked = list(frames), []

    def sql(self, text: str) -> Frame:
        self.asked.append(text)
        found = self.frames.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def sql(folder: Path, text: str, session: Session, **parameters: str) -> dict[str, Any]:
    (folder / "report.sql").write_text(text)
    return run_file(folder / "report.sql", parameters, sql=session.sql, report=lambda said: None)


def test_each_statement_runs_with_the_parameters_it_names_and_the_last_ones_rows_are_kept(tmp_path):
    session = Session(Frame(), Frame(Row(day=date(2017, 1, 2), revenue=Decimal("1.50"), n=None)))
    text = "-- prepare; first\nUSE SCHEMA retail;\n\nSELECT ';' AS s, x::int FROM t WHERE day = :day -- :day"
    ran = sql(tmp_path, text, session, day="2017-01-02", int="no marker", other="unused")
    assert session.asked == ["USE SCHEMA retail", "SELECT ';' AS s, x::int FROM t WHERE day = '2017-01-02'"]
    assert ran == {
        "error": None,
        "output": {
            "columns": ["day", "revenue", "n"],
            "rows": [{"day": "2017-01-02", "revenue": "1.50", "n": None}],
            "truncated": False,
        },
    }


def test_a_statement_that_fails_ends_the_file_and_says_which_it_was(tmp_path):
    session = Session(Frame(), ValueError("no table x"), Frame())
    ran = sql(tmp_path, "SELECT 1;\n\nSELECT *\nFROM x;\nSELECT 2", session)
    assert ran == {"error": "ValueError: no table x (statement 2, line 3 of report.sql)", "output": None}
    assert len(session.asked) == 2


def test_at_most_a_thousand_rows_and_48_kilobytes_are_kept(tmp_path):
    many = sql(tmp_path, "SELECT 1", Session(Frame(*(Row(n=1) for _ in range(1500)))))["output"]
    assert (len(many["rows"]), many["truncated"]) == (1000, True)
    wide = sql(tmp_path, "SELECT 1", Session(Frame(*(Row(n="x" * 1000) for _ in range(60)))))["output"]
    assert (len(wide["rows"]), wide["truncated"]) == (48, True)


def test_a_file_without_a_statement_is_fine_and_one_that_never_ends_is_not(tmp_path):
    assert sql(tmp_path, "-- nothing\n;;", Session()) == {"error": None, "output": None}
    (tmp_path / "open.sql").write_text("SELECT 'a;")
    with pytest.raises(PipelineSyntaxError, match=r"open\.sql"):
        list(statements(tmp_path / "open.sql", {}))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("SELECT :a, (:a), x = :a", "SELECT 'v', ('v'), x = 'v'"),
        ("USE IDENTIFIER(:a)", "USE IDENTIFIER('v')"),
        ("SELECT raw:a, raw:b.a, f(x):a, ':a', `:a`, x::a", "SELECT raw:a, raw:b.a, f(x):a, ':a', `:a`, x::a"),
        ("SELECT :b, : a, :c", "SELECT 'it\\'s \\\\', : a, :c"),
    ],
)
def test_a_parameter_is_a_string_wherever_its_marker_stands_and_nowhere_else(tmp_path, text, filled):
    (tmp_path / "p.sql").write_text(text)
    assert [found for found, _ in statements(tmp_path / "p.sql", {"a": "v", "b": "it's \\"})] == [filled]
