"""Two clauses can follow ON VIOLATION; only DROP ROW leaves the row out and goes on."""

from __future__ import annotations

from helpers.quiz.model import Question
from helpers.quiz.proving import fitting
from helpers.sql import CreateStreamingTable, PipelineSyntaxError, parse_pipeline


def prove(question: Question) -> set[str]:
    def works(code: str) -> bool:
        try:
            (table,) = parse_pipeline(code, source="question", parameters={})
        except PipelineSyntaxError:
            return False
        assert isinstance(table, CreateStreamingTable)
        return [rule.action for rule in table.expectations] == ["drop"]

    return fitting(question, works)
