"""Keys of questions that code can prove without Spark; those with Spark are in tests/exercises and tests/soak."""

from __future__ import annotations

import pytest

from helpers.quiz import load_questions
from helpers.quiz.bank import QUESTIONS
from helpers.quiz.proving import load_proof, needs, wanted

ALL = [question for path in sorted(QUESTIONS.glob("*.json")) for question in load_questions(path.stem)]
PROVEN = [question for question in ALL if question.proof]
PURE = [question for question in PROVEN if not needs(load_proof(question))]


@pytest.mark.parametrize("question", PURE, ids=lambda question: question.id)
def test_the_code_shows_what_the_key_says(question: object) -> None:
    assert set(load_proof(question)(question)) == wanted(question)  # type: ignore[arg-type]


def test_each_proof_belongs_to_one_question_and_carries_its_name() -> None:
    assert [question.proof for question in PROVEN] == [f"{question.id.replace('.', '_')}.py" for question in PROVEN]
    assert sorted(path.name for path in (QUESTIONS / "proofs").glob("*.py")) == sorted(each.proof for each in PROVEN)
    assert {needs(load_proof(question)) for question in PROVEN} == {"", "spark", "lab"}
