"""Keys of questions that streams and pipelines prove, each in a lab of its own.

By hand: `.venv/bin/python -m pytest tests/soak/test_quiz_proofs.py`, about ten seconds for a question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from helpers.quiz.model import Question
from helpers.quiz.proving import load_proof, needs, wanted
from tests.exercises.conftest import lab_for
from tests.unit.test_quiz_proofs import PROVEN

__all__ = ["lab_for"]
RUNS = [question for question in PROVEN if needs(load_proof(question)) == "lab"]


@pytest.mark.parametrize("question", RUNS, ids=lambda question: question.id)
def test_the_run_shows_what_the_key_says(question: Question, lab_for: Callable[[str], Any]) -> None:
    assert set(load_proof(question)(question, lab_for(f"{question.id[:2]}_proofs"))) == wanted(question)
