"""Questions: a bank of JSON files, and a quiz that is answered by widget or by call and reads as text.

``lab.quiz()`` shows a lesson's questions; ``quiz.answer("05.q3", "b")`` answers one. No Spark in this room.
"""

from helpers.quiz.bank import QUESTIONS, load_questions
from helpers.quiz.errors import QuestionBankError, UnknownChoice, UnknownQuestion
from helpers.quiz.feedback import Feedback
from helpers.quiz.model import Blank, Kind, LikelyMistake, Option, Question
from helpers.quiz.quiz import Answers, AnswerState, Quiz

__all__ = [
    "QUESTIONS",
    "AnswerState",
    "Answers",
    "Blank",
    "Feedback",
    "Kind",
    "LikelyMistake",
    "Option",
    "Question",
    "QuestionBankError",
    "Quiz",
    "UnknownChoice",
    "UnknownQuestion",
    "load_questions",
]
