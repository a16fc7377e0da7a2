"""A dropped row is not in the table, is counted, and stops nothing."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, true

SOURCE = """
CREATE OR REFRESH STREAMING TABLE known (CONSTRAINT known EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW)
AS SELECT * FROM STREAM read_files('{folder}', format => 'json')
"""


def prove(question: Question, lab: Any) -> set[str]:
    pipeline = lab.pipeline("proof_00_q8")
    pipeline.sql(SOURCE.format(folder=land(lab, "00_q8/a.json", {"id": 1, "n": 1}, {"n": 2})))
    report = pipeline.update()
    missing = lab.spark.table("known").where("id IS NULL").count()
    (rule,) = report.dataset("known").expectations
    return true({
        "left-out": missing == 0,
        "counted": (rule.passed_records, rule.failed_records) == (1, 1),
        "stops": bool(report.error),
        "in-table": missing == 1,
        "quarantine": lab.spark.catalog.tableExists("known_quarantine"),
    })
