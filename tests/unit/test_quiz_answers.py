"""Answering by call: what is accepted, what is said, what is remembered, and how it reads."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.checks import WrongAnswer
from helpers.errors import LakeprepError
from helpers.progress import Progress
from helpers.quiz import Blank, Feedback, LikelyMistake, Option, Question, Quiz, UnknownChoice, UnknownQuestion

DOCS = "https://docs.databricks.com/aws/en/"
HOSTILE = "<img src=x onerror=alert(1)>&`x`"

SINGLE = Question(
    id="05.q1",
    objective="2.3",
    kind="single",
    stem="Which mode keeps `<new>` fields & goes on?",
    docs=DOCS,
    options=(
        Option("rescue", "`rescue`", "Kept in `_rescued_data`.", True),
        Option("none", "`none`", "Ignored & lost."),
        Option("fail", "`failOnNewColumns`", "Stops."),
    ),
)
MULTIPLE = Question(
    id="05.q2",
    objective="2.3",
    kind="multiple",
    stem="Which two?",
    docs=DOCS,
    options=(
        Option("path", "By path", "The path is the key.", True),
        Option("state", "In the checkpoint", "State lives there.", True),
        Option("hash", "By content", "No content is compared."),
        Option("name", "By name", "Two folders may hold one name."),
    ),
)
BLANK = Question(
    id="05.q3",
    objective="2.3",
    kind="blank",
    stem="Which source?",
    docs=DOCS,
    code='spark.readStream\n    .format("____")',
    language="python",
    blank=Blank(("cloudFiles",), "That is the source.", "Look below.", (LikelyMistake("json", "Spark's own."),)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.jsonl"


@pytest.fixture
def quiz(path: Path) -> Quiz:
    return made(path)


def made(path: Path, *, seed: str = "ada", strict: bool = False, questions: tuple[Question, ...] = ()) -> Quiz:
    return Quiz(questions or (SINGLE, MULTIPLE, BLANK), progress=Progress(path), seed=seed, strict=strict)


def order(quiz: Quiz, question: str = "05.q2") -> list[str]:
    return [option.key for option in quiz.options(question)]


def without_spaces(markup: str) -> str:
    return re.sub(r"\s", "", html.unescape(re.sub(r"<[^>]*>", "", markup)))


def test_an_option_is_named_by_key_or_by_its_letter(quiz: Quiz) -> None:
    letter = "abc"[order(quiz, "05.q1").index("rescue")]
    for name in ("rescue", letter, letter.upper(), " Rescue "):
        assert quiz.answer("05.q1", name).correct
    assert not quiz.answer("05.q1", "none").correct


def test_options_keep_their_order_for_one_learner_and_differ_between_learners(path: Path) -> None:
    orders = {seed: tuple(order(made(path, seed=seed))) for seed in map(str, range(20))}
    assert all(tuple(order(made(path, seed=seed))) == kept for seed, kept in orders.items())
    assert len(set(orders.values())) > 5
    assert {tuple(sorted(each)) for each in orders.values()} == {("hash", "name", "path", "state")}


def test_the_order_of_a_seed_never_changes(path: Path) -> None:
    assert order(made(path, seed="ada")) == ["name", "hash", "path", "state"]


def test_feedback_begins_with_the_chosen_option_and_ends_with_the_link(quiz: Quiz) -> None:
    feedback = quiz.answer("05.q1", "none")
    assert (feedback.question_id, feedback.correct, feedback.chosen) == ("05.q1", False, ("none",))
    assert feedback.text.startswith("✗ 05.q1 is not right.")
    said = [feedback.text.index(each) for each in ("Ignored & lost.", "Kept in `_rescued_data`.", f"Read more: {DOCS}")]
    assert said == sorted(said)
    assert repr(feedback) == feedback.text
    assert quiz.answer("05.q1", "rescue").text.startswith("✓ 05.q1 is right.")


def test_a_first_wrong_try_at_several_counts_but_does_not_name_the_missing_ones(quiz: Quiz) -> None:
    feedback = quiz.answer("05.q2", "path", "hash")
    assert "1 of your 2 is right, 1 is missing." in feedback.text
    assert "✓" in line(feedback, "By path")
    assert "✗" in line(feedback, "By content")
    assert "In the checkpoint" not in feedback.text
    assert "By name" not in feedback.text


def test_all_feedback_is_given_after_the_second_try_or_when_right(quiz: Quiz, path: Path) -> None:
    quiz.answer("05.q2", "hash")
    second = made(path).answer("05.q2", "name")
    assert "none of your 1 is right, 2 are missing." in second.text
    assert all(option.feedback in second.text for option in MULTIPLE.options)
    right = quiz.answer("05.q2", "state", "path")
    assert right.correct
    assert all(option.feedback in right.text for option in MULTIPLE.options)


def test_several_options_are_right_only_together(quiz: Quiz) -> None:
    assert not quiz.answer("05.q2", "path").correct
    assert not quiz.answer("05.q2", "path", "state", "hash").correct
    assert quiz.answer("05.q2", "state", "path", "path").correct


def test_a_gap_takes_a_text_and_knows_the_likely_mistakes(quiz: Quiz) -> None:
    mistake = quiz.answer("05.q3", "json")
    assert "Spark's own." in mistake.text
    assert "cloudFiles" not in mistake.text
    other = quiz.answer("05.q3", "CLOUDFILES")
    assert "Look below." in other.text
    assert "`cloudFiles`" in other.text
    assert quiz.answer("05.q3", "  cloudFiles ").correct


def test_a_gap_may_ignore_case(path: Path) -> None:
    assert BLANK.blank is not None
    loose = replace(BLANK, blank=replace(BLANK.blank, ignore_case=True))
    assert made(path, questions=(loose,)).answer("05.q3", "CLOUDfiles").correct


@pytest.mark.parametrize(
    ("question", "choice", "told"),
    [
        ("05.q1", ("rescued",), "no option 'rescued'. It has a ("),
        ("05.q1", ("d",), "no option 'd'"),
        ("05.q1", ("rescue", "none"), "takes one option, and you named 2"),
        ("05.q1", (), "takes one option, and you named 0"),
        ("05.q2", (), "Name each option of 05.q2"),
        ("05.q3", (), "takes one text"),
        ("05.q3", ("  ",), "takes one text"),
        ("05.q3", ("a", "b"), "takes one text"),
    ],
)
def test_an_unknown_choice_says_what_there_is_and_is_not_counted(
    quiz: Quiz, path: Path, question: str, choice: tuple[str, ...], told: str
) -> None:
    with pytest.raises(UnknownChoice, match=re.escape(told)):
        quiz.answer(question, *choice)
    assert Progress(path).question(question).attempts == 0


def test_an_unknown_question_says_which_there_are(quiz: Quiz) -> None:
    with pytest.raises(UnknownQuestion, match=r"05\.q1, 05\.q2, 05\.q3"):
        quiz.answer("05.q9", "a")


def test_a_strict_quiz_ends_at_a_wrong_answer_and_remembers_it(path: Path) -> None:
    quiz = made(path, strict=True)
    assert quiz.answer("05.q1", "rescue").correct
    with pytest.raises(WrongAnswer, match=r"05\.q1 is not right") as caught:
        quiz.answer("05.q1", "none")
    assert isinstance(caught.value, LakeprepError)
    assert Progress(path).question("05.q1").chosen == ("none",)


def test_answers_are_remembered_by_key_with_each_attempt(quiz: Quiz, path: Path) -> None:
    quiz.answer("05.q2", "a")
    quiz.answer("05.q2", "path", "state")
    state = Progress(path).question("05.q2")
    assert (state.attempts, state.correct, state.first_correct) == (2, True, False)
    assert set(state.chosen) == {"path", "state"}


def test_a_later_quiz_goes_on_where_the_earlier_one_ended(quiz: Quiz, path: Path) -> None:
    told = quiz.answer("05.q1", "rescue")
    quiz.answer("05.q3", "json")
    later = made(path)
    assert later.standing("05.q1") == told
    assert later.standing("05.q2") is None
    assert later.score == (1, 3)


def test_an_answer_that_the_bank_no_longer_has_counts_as_none(path: Path) -> None:
    Progress(path).record_question("05.q1", chosen=["gone"], correct=True)
    assert made(path).standing("05.q1") is None
    assert made(path).score == (0, 3)


def test_the_text_form_shows_state_options_code_and_how_to_answer(quiz: Quiz) -> None:
    text = quiz.text()
    assert text.startswith("0 of 3 right\n")
    assert text.count("not answered yet") == 3
    assert 'quiz.answer("05.q2", "a", "b")' in text
    assert '\n    spark.readStream\n        .format("____")\n' in text
    assert repr(quiz) == text


def test_the_text_form_marks_an_earlier_answer_and_repeats_its_feedback(quiz: Quiz, path: Path) -> None:
    quiz.answer("05.q1", "rescue")
    quiz.answer("05.q3", "json")
    text = made(path).text()
    assert text.startswith("1 of 3 right\n")
    assert "05.q1 · choose one · answered right" in text
    assert "05.q3 · fill the gap · answered wrong" in text
    assert [each for each in text.splitlines() if each.startswith("→")] == [line_of(quiz, "rescue")]
    assert "Kept in `_rescued_data`." in text


def test_the_html_of_feedback_has_the_words_of_its_text(quiz: Quiz) -> None:
    told = [quiz.answer("05.q1", "none"), quiz.answer("05.q2", "path"), quiz.answer("05.q2", "hash")]
    for feedback in [*told, quiz.answer("05.q3", "json"), quiz.answer("05.q3", "cloudFiles")]:
        # Without spaces, since code has none beside punctuation, and without the text's marks of code.
        assert without_spaces(feedback._repr_html_()) == re.sub(r"[`\s]", "", feedback.text)


def test_what_a_learner_writes_stays_text(quiz: Quiz, path: Path) -> None:
    shown = quiz.answer("05.q3", HOSTILE)._repr_html_()
    assert "<img" not in shown
    assert HOSTILE in html.unescape(shown)
    assert HOSTILE in made(path).text()


def test_an_empty_quiz_says_so(path: Path) -> None:
    empty = Quiz((), progress=Progress(path), seed="ada")
    assert empty.text() == "There are no questions here yet."
    assert empty.score == (0, 0)


def line(feedback: Feedback, part: str) -> str:
    return next(each for each in feedback.text.splitlines() if part in each)


def line_of(quiz: Quiz, key: str) -> str:
    place = order(quiz, "05.q1").index(key)
    return f"→ {'abc'[place]}) {quiz.options('05.q1')[place].text}"
