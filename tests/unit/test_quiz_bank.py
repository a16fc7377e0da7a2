"""A question file that breaks a rule is refused by name, and the course's own files keep the rules of style."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from helpers.exam import load_exam
from helpers.quiz import QUESTIONS, Question, QuestionBankError, load_questions

BANK = sorted(QUESTIONS.glob("*.json"))
SCHEMA = json.loads((QUESTIONS.parent / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EACH_FILE = pytest.mark.parametrize("path", BANK, ids=lambda path: path.stem)
PLACES = ("above", "below", "all of these")
TELLING = {"right", "correct", "wrong", "true", "false", "answer"}

CHOICE = {
    "id": "05.q1",
    "objective": "2.3",
    "kind": "single",
    "stem": "Which?",
    "options": [
        {"key": "first-one", "text": "One", "correct": True, "feedback": "Yes."},
        {"key": "second-one", "text": "Two", "feedback": "No."},
        {"key": "third-one", "text": "Three", "feedback": "No."},
    ],
    "docs": "https://docs.databricks.com/aws/en/",
}
BLANK = {
    "id": "05.q2",
    "objective": "2.3",
    "kind": "blank",
    "stem": "Fill.",
    "code": "x = ____",
    "language": "python",
    "answers": ["1"],
    "feedback": "Yes.",
    "wrong": [{"text": "2", "feedback": "No."}],
    "otherwise": "Count again.",
    "docs": "https://docs.databricks.com/aws/en/",
}


def write(folder: Path, *questions: dict[str, Any], **top: Any) -> Path:
    data = {"version": 1, "lesson": "05_auto_loader", "questions": list(questions), **top}
    (folder / "05_auto_loader.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


def changed(question: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    new = copy.deepcopy(question)
    change(new)
    return new


def refusal(folder: Path, *questions: dict[str, Any], **top: Any) -> str:
    with pytest.raises(QuestionBankError) as caught:
        load_questions("05_auto_loader", folder=write(folder, *questions, **top))
    return str(caught.value)


def options(question: Question) -> list[tuple[int, bool]]:
    return [(len(option.text), option.correct) for option in question.options]


def test_a_file_becomes_questions_in_its_order(tmp_path: Path) -> None:
    choice, blank = load_questions("05_auto_loader", folder=write(tmp_path, CHOICE, BLANK))
    assert [choice.id, blank.id] == ["05.q1", "05.q2"]
    assert choice.right == {"first-one"}
    assert blank.blank is not None
    assert blank.blank.accepts(" 1 ")


def test_a_lesson_without_a_file_has_no_questions(tmp_path: Path) -> None:
    assert load_questions("77_nothing", folder=tmp_path) == ()


WRONG_CHOICES: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("options[second-one].feedback", lambda q: q["options"][1].pop("feedback")),
    ("options[second-one].feedback", lambda q: q["options"][1].update(feedback=" ")),
    ("options[second-one].text", lambda q: q["options"][1].update(text=5)),
    ("options[second-one].corect", lambda q: q["options"][1].update(corect=True)),
    ("options[second-one].correct", lambda q: q["options"][1].update(correct="yes")),
    ("options[second one].key", lambda q: q["options"][1].update(key="second one")),
    ("options[b].key", lambda q: q["options"][1].update(key="b")),
    ("options: exactly one must be correct; 0 are", lambda q: q["options"][0].pop("correct")),
    ("options: exactly one must be correct; 2 are", lambda q: q["options"][1].update(correct=True)),
    ("options: 'first-one' is there twice", lambda q: q["options"][1].update(key="first-one")),
    ("options: 'One' is there twice", lambda q: q["options"][1].update(text="`One`")),
    ("options: must be 3 to 5; there are 2", lambda q: q["options"].pop()),
    ("options: must be a list", lambda q: q.update(options={})),
    ("options[0]: must be an object", lambda q: q["options"].insert(0, "One")),
    ("one or more, but not all", lambda q: (q.update(kind="multiple"), q["options"][0].pop("correct"))),
    ("one or more, but not all", lambda q: (q.update(kind="multiple"), [o.update(correct=True) for o in q["options"]])),
    ("kind: 'choice' is not one of single", lambda q: q.update(kind="choice")),
    ("code: is missing", lambda q: q.update(kind="output")),
    ("code: is missing", lambda q: q.update(kind="bug")),
    ("language: is missing", lambda q: q.update(code="x")),
    ("language: says nothing", lambda q: q.update(language="sql")),
    ("objective: '9.9' is not in exam.json", lambda q: q.update(objective="9.9")),
    ("stem: is missing", lambda q: q.pop("stem")),
    ("docs: must be a link", lambda q: q.update(docs="http://docs.databricks.com/")),
    ("answers: unknown here", lambda q: q.update(answers=["x"])),
    ("proof: '05_q1.py' is not a file", lambda q: q.update(proof="05_q1.py")),
    ("proof: '../../quiz.py' is not a file", lambda q: q.update(proof="../../quiz.py")),
]
WRONG_BLANKS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("code: must have ____ once", lambda q: q.update(code="x = 1")),
    ("code: must have ____ once", lambda q: q.update(code="____ = ____")),
    ("answers: must be a list of one or more texts", lambda q: q.update(answers=[])),
    ("answers: must be a list of one or more texts", lambda q: q.pop("answers")),
    ("answers: '1' is there twice", lambda q: q.update(answers=["1", "1"])),
    ("wrong: '1' is among the accepted", lambda q: q["wrong"][0].update(text="1")),
    ("wrong[2].feedback: is missing", lambda q: q["wrong"][0].pop("feedback")),
    ("wrong: '2' is there twice", lambda q: q["wrong"].append(q["wrong"][0])),
    ("feedback: is missing", lambda q: q.pop("feedback")),
    ("otherwise: is missing", lambda q: q.pop("otherwise")),
    ("ignore_case: must be true or false", lambda q: q.update(ignore_case=1)),
    ("options: unknown here", lambda q: q.update(options=[])),
]


@pytest.mark.parametrize(
    ("question", "told", "change"),
    [(CHOICE, *case) for case in WRONG_CHOICES] + [(BLANK, *case) for case in WRONG_BLANKS],
)
def test_what_is_wrong_is_named_with_file_question_and_field(
    tmp_path: Path, question: dict[str, Any], told: str, change: Callable[[dict[str, Any]], Any]
) -> None:
    said = refusal(tmp_path, changed(question, change))
    assert said.startswith(f"05_auto_loader.json, question {question['id']}, ")
    assert told in said


@pytest.mark.parametrize("name", ["06.q1", "05.1", "05.q0", "q1"])
def test_an_id_begins_with_the_number_of_its_lesson(tmp_path: Path, name: str) -> None:
    said = refusal(tmp_path, {**CHOICE, "id": name})
    assert f"question {name}, id: must be 05.q1" in said


def test_an_id_is_used_once(tmp_path: Path) -> None:
    assert "'05.q1' is there twice" in refusal(tmp_path, CHOICE, CHOICE)


def test_a_file_of_another_version_or_lesson_is_refused(tmp_path: Path) -> None:
    assert "version: must be 1" in refusal(tmp_path, CHOICE, version=2)
    assert "lesson: must be '05_auto_loader'" in refusal(tmp_path, CHOICE, lesson="06_other")
    assert "author: unknown here" in refusal(tmp_path, CHOICE, author="me")


@pytest.mark.parametrize("content", ["{", "[]", "null"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "05_auto_loader.json").write_text(content, encoding="utf-8")
    with pytest.raises(QuestionBankError, match=r"05_auto_loader\.json"):
        load_questions("05_auto_loader", folder=tmp_path)


def test_a_proof_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "proofs").mkdir()
    (tmp_path / "proofs" / "05_q1.py").touch()
    folder = write(tmp_path, {**CHOICE, "proof": "05_q1.py"})
    assert load_questions("05_auto_loader", folder=folder)[0].proof == "05_q1.py"


def test_the_schema_and_the_loader_accept_the_same_samples() -> None:
    for question in (CHOICE, BLANK, {**CHOICE, "kind": "bug", "code": "x", "language": "sql"}):
        VALIDATOR.validate({"version": 1, "lesson": "05_auto_loader", "questions": [question]})
    for question in ({**CHOICE, "kind": "bug"}, {**BLANK, "code": "x"}, {**CHOICE, "answers": ["1"]}):
        assert not VALIDATOR.is_valid({"version": 1, "lesson": "05_auto_loader", "questions": [question]})


def test_the_bank_has_the_lessons_on_ingestion() -> None:
    assert {"05_auto_loader", "06_schema_evolution"} <= {path.stem for path in BANK}


@EACH_FILE
def test_a_bank_file_follows_the_schema(path: Path) -> None:
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))


@EACH_FILE
def test_a_lesson_has_eight_questions_or_more_for_objectives_of_the_exam(path: Path) -> None:
    questions = load_questions(path.stem)
    objectives = {objective.id for section in load_exam().sections for objective in section.objectives}
    assert len(questions) >= 8
    assert {question.objective for question in questions} <= objectives


@EACH_FILE
def test_every_option_and_every_gap_has_feedback(path: Path) -> None:
    for question in load_questions(path.stem):
        if question.blank:
            assert question.blank.feedback
            assert question.blank.otherwise
        assert all(option.feedback for option in question.options), question.id


@EACH_FILE
def test_the_right_option_does_not_stand_out_by_its_length(path: Path) -> None:
    chosen_from = [question for question in load_questions(path.stem) if question.options]
    longest_is_right = 0
    for question in chosen_from:
        (most, right), (second, _) = sorted(options(question), reverse=True)[:2]
        assert not (right and most > 1.2 * second), f"{question.id}: the right option is {most} characters long"
        longest_is_right += right
    assert longest_is_right <= len(chosen_from) / 2


@EACH_FILE
def test_no_option_points_at_its_place_and_no_key_tells_the_answer(path: Path) -> None:
    for question in load_questions(path.stem):
        for option in question.options:
            assert not any(words in option.text.lower() for words in PLACES), question.id
            assert not TELLING & set(option.key.split("-")), question.id


@EACH_FILE
def test_texts_use_backticks_in_pairs_and_no_other_markdown(path: Path) -> None:
    for question in load_questions(path.stem):
        texts = [question.stem, *(text for option in question.options for text in (option.text, option.feedback))]
        if question.blank:
            texts += [question.blank.feedback, question.blank.otherwise, *(w.feedback for w in question.blank.wrong)]
        for text in texts:
            plain = "".join(text.split("`")[::2])
            assert text.count("`") % 2 == 0, text
            assert "**" not in plain, text
            assert "](" not in plain, text


@EACH_FILE
def test_every_docs_link_is_https(path: Path) -> None:
    assert all(question.docs.startswith("https://") for question in load_questions(path.stem))


def test_the_first_lesson_on_ingestion_has_every_kind_of_question() -> None:
    kinds = {question.kind for question in load_questions("05_auto_loader")}
    assert kinds == {"single", "multiple", "output", "blank", "bug"}
