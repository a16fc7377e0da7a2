"""What can be wrong with a question file, and with a call that answers."""

from __future__ import annotations

from helpers.errors import LakeprepError


class QuestionBankError(LakeprepError):
    """A question file breaks a rule; the message names the file, the question and the field."""


class UnknownQuestion(LakeprepError):
    """The quiz has no question with this id."""


class UnknownChoice(LakeprepError):
    """The question has no such option, or wants another number of them."""
