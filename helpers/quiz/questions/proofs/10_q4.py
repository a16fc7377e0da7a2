"""The two updates of the question, with its own statement."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land


def prove(question: Question, lab: Any) -> set[str]:
    folder = land(lab, "10_q4/a.json", {"id": 1}, {"id": 2})
    pipeline, code = lab.pipeline("proof_10_q4"), question.code.replace("/Volumes/shop/raw/landing", folder)
    pipeline.sql(code)
    pipeline.update()
    land(lab, "10_q4/b.json", {"id": 3})
    pipeline.sql(code.replace("'old'", "'new'"))
    pipeline.update()
    found = {row.tag: row["count"] for row in lab.spark.table("sales").groupBy("tag").count().collect()}
    # After a full refresh every row follows the new query: the second option.
    pipeline.update(full_refresh=True)
    assert {row.tag: row["count"] for row in lab.spark.table("sales").groupBy("tag").count().collect()} == {"new": 3}
    said = {"old-two-new-one": {"old": 2, "new": 1}, "new-three": {"new": 3},
            "old-two-new-three": {"old": 2, "new": 3}, "old-three": {"old": 3}}
    return {key for key, counts in said.items() if counts == found}
