"""The grammar of an expectation takes one word only."""

from __future__ import annotations

from helpers.quiz.model import Question
from helpers.quiz.proving import fitting
from helpers.sql import PipelineSyntaxError, parse_pipeline


def prove(question: Question) -> set[str]:
    def works(code: str) -> bool:
        try:
            parse_pipeline(code, source="question", parameters={})
        except PipelineSyntaxError:
            return False
        return True

    return fitting(question, works)
