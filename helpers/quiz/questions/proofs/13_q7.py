"""A correction below a materialized view: with which change does gold follow it?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import true

SILVER = "CREATE OR REFRESH MATERIALIZED VIEW silver_{0} AS SELECT department, sales_value FROM sales_{0}"


def prove(question: Question, lab: Any) -> set[str]:
    code = question.code
    view = code.replace("STREAMING TABLE", "MATERIALIZED VIEW").replace("STREAM ", "")
    rule = "gold_revenue (CONSTRAINT known EXPECT (department IS NOT NULL) ON VIOLATION DROP ROW)"
    assert not _follows(lab, "as_it_is", code)
    return true({
        "view-instead": _follows(lab, "view", view),
        "skip-changes": _follows(lab, "skip", f"{code} WITH (SKIPCHANGECOMMITS)"),
        "add-drop-rule": _follows(lab, "rule", code.replace("gold_revenue", rule)),
    })


def _follows(lab: Any, name: str, code: str) -> bool:
    lab.spark.sql(f"CREATE TABLE sales_{name} AS SELECT * FROM VALUES ('DELI', 5), ('MEAT', 6) AS t(department, "
                  "sales_value)")
    pipeline = lab.pipeline(f"proof_13_q7_{name}")
    pipeline.sql(SILVER.format(name))
    pipeline.sql(code.replace("gold_revenue", f"gold_{name}").replace("silver_sales", f"silver_{name}"))
    if pipeline.update().error:
        return False
    lab.spark.sql(f"UPDATE sales_{name} SET sales_value = 7 WHERE department = 'MEAT'")
    report = pipeline.update()
    rows = sorted(map(tuple, lab.spark.table(f"gold_{name}").collect()))
    return not report.error and rows == [("DELI", 5), ("MEAT", 7)]
