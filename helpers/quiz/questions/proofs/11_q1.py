"""An expectation without a clause warns; ON VIOLATION WARN is no grammar."""

from __future__ import annotations

from helpers.quiz.model import Question
from helpers.quiz.proving import true
from helpers.sql import CreateStreamingTable, PipelineSyntaxError, parse_pipeline

TABLE = "CREATE OR REFRESH STREAMING TABLE t (CONSTRAINT known EXPECT (id IS NOT NULL) {}) AS SELECT * FROM STREAM s"
CLAUSES = {"no-clause": "", "warn": "ON VIOLATION WARN", "drop-row": "ON VIOLATION DROP ROW",
           "fail-update": "ON VIOLATION FAIL UPDATE"}


def prove(question: Question) -> set[str]:
    return true({key: _action(clause) == "warn" for key, clause in CLAUSES.items()})


def _action(clause: str) -> str | None:
    try:
        (table,) = parse_pipeline(TABLE.format(clause), source="question", parameters={})
    except PipelineSyntaxError:
        return None
    assert isinstance(table, CreateStreamingTable)
    return table.expectations[0].action
