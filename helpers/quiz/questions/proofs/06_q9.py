"""The stream is refused; which change keeps the types and takes on a new column?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, true

MODE = '    .option("cloudFiles.schemaEvolutionMode", "addNewColumns")\n'
LINE = {"amount": 1.5, "discount": 0.5}


def prove(question: Question, lab: Any) -> set[str]:
    code = question.code
    hinted = f'{MODE}    .option("cloudFiles.schemaHints", money)\n'
    hints = code.replace("    .schema(money)\n", "").replace(MODE, hinted)
    infer = code.replace(MODE, f'{MODE}    .option("cloudFiles.inferColumnTypes", "true")\n')
    assert not _evolves(lab, "as_it_is", code)
    return true({
        "hints": _evolves(lab, "hints", hints),
        "rescue": _evolves(lab, "rescue", code.replace('"addNewColumns"', '"rescue"')),
        "drop-mode": _evolves(lab, "drop", code.replace(MODE, "")),
        "infer-types": _evolves(lab, "infer", infer),
    })


def _evolves(lab: Any, name: str, code: str) -> bool:
    """Whether the second start after a new field has the field as a column, and money as a decimal."""
    landing = land(lab, f"06_q9_{name}/a.json", LINE)
    names = {"spark": lab.spark, "landing": landing, "checkpoint": lab.volume(f"state/q9_{name}")}
    for _ in range(3):
        try:
            exec(code, names)
        except Exception:  # refused when it is loaded
            return False
        types = dict(names["orders"].dtypes)
        lab.outcome(names["orders"].writeStream.option("checkpointLocation", lab.volume(f"state/q9_{name}_c"))
                    .option("mergeSchema", "true").trigger(availableNow=True).toTable(f"q9_{name}"))
        land(lab, f"06_q9_{name}/b.json", {**LINE, "coupon": "x"})
    return types["amount"] == "decimal(10,2)" and "coupon" in types
