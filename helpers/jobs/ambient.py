"""What a notebook finds without an import, as on Databricks: `dbutils`, and `spark` once a cell names it."""

from __future__ import annotations

import re
from typing import Any

from helpers.jobs.values import get_dbutils

_SPARK = re.compile(r"\bspark\b")


def provide(shell: Any) -> None:
    """Give an IPython shell `dbutils` now and `spark` later: a session costs a second, and not every task wants one."""
    names = shell.user_ns
    names["dbutils"] = get_dbutils()

    def attach_when_named(info: Any) -> None:
        code = info.raw_cell or ""
        if "spark" not in names and "open_task" not in code and _SPARK.search(code):
            names["spark"] = _session()

    shell.events.register("pre_run_cell", attach_when_named)


def _session() -> Any:
    from helpers.runtime import Places, attach

    return attach(Places.from_environment())
