"""Keys of questions that a query proves: in a schema that goes afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.quiz.model import Question
from helpers.quiz.proving import load_proof, needs, wanted
from tests.unit.test_quiz_proofs import PROVEN

QUERIES = [question for question in PROVEN if needs(load_proof(question)) == "spark"]


@pytest.mark.parametrize("question", QUERIES, ids=lambda question: question.id)
def test_the_query_shows_what_the_key_says(question: Question, spark: Any, schema: str) -> None:
    assert set(load_proof(question)(question, spark)) == wanted(question)
