"""The statement is refused as it stands; which change lets the pipeline run?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import dry_error, land, true


def prove(question: Question, lab: Any) -> set[str]:
    code = question.code.replace("/Volumes/shop/raw/landing/orders", land(lab, "05_q10/a.json", {"id": 1}))
    place = lab.volume("state/q10_schema")
    assert "CREATE_APPEND_ONCE_FLOW_FROM_BATCH_QUERY_NOT_ALLOWED" in (dry_error(lab, code) or "")
    return true({
        "no-stream": not dry_error(lab, code.replace("FROM read_files", "FROM STREAM read_files")),
        "no-prefix": not dry_error(lab, code.replace("format =>", "`cloudFiles.format` =>")),
        "no-schema-location": not dry_error(lab, code.replace("'json'", f"'json', schemaLocation => '{place}'")),
        "no-live": not dry_error(lab, code.replace("TABLE bronze_orders", "TABLE LIVE.bronze_orders")),
    })
