"""Two runs of the job with each change: which of them loads both files, each once?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, load_files, true


def prove(question: Question, lab: Any) -> set[str]:
    def loaded(name: str, *, same_checkpoint: bool = False, trigger: str = "availableNow", **options: str) -> int:
        folder = land(lab, f"05_q9_{name}/a.json", {"id": 1})
        for run in ("1", "2"):
            checkpoint = name if same_checkpoint else f"{name}_{run}"
            load_files(lab, folder, checkpoint, table=f"q9_{name}", trigger=trigger, **options)
            land(lab, f"05_q9_{name}/b.json", {"id": 2})
        return int(lab.spark.table(f"q9_{name}").count())

    assert loaded("as_it_is") == 3
    return true({
        "fixed-checkpoint": loaded("fixed", same_checkpoint=True) == 2,
        "skip-existing": loaded("skip", includeExistingFiles="false") == 2,
        "trigger-once": loaded("once", trigger="once") == 2,
    })
