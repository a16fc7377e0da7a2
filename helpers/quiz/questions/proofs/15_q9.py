"""What a notebook gets: the run's value of a job parameter wins over a base parameter of the same name."""

from __future__ import annotations

from pathlib import Path

from helpers.jobs.work import Notebook
from helpers.quiz.model import Question
from helpers.quiz.proving import true


def prove(question: Question) -> set[str]:
    notebook = Notebook(Path("n.ipynb"), base_parameters={"day": "of the task"})
    shown = notebook.filled(lambda text: text, {"day": "of the run"}).base_parameters["day"]
    alone = notebook.filled(lambda text: text, {}).base_parameters["day"]
    assert alone == "of the task"
    return true({"parameter-of-job": shown == "of the run", "base-parameter": shown == "of the task"})
