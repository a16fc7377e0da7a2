"""papermill's engine with the secrets taken out of each message before it becomes output."""

from __future__ import annotations

from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from helpers.jobs.redaction import Redaction

_NAME = "lakeprep-redacting"


def engine_for(redaction: Redaction) -> str | None:
    """Give the name of an engine that shows no secret; None is papermill's own, where there is none to hide."""
    if not redaction:
        return None

    class Client(PapermillNotebookClient):
        """Reads what the kernel says without secrets."""

        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            shown = super().process_message({**msg, "content": redaction.deep(msg["content"])}, cell, cell_index)
            return _joined(cell.get("outputs", []), redaction) or shown

    class Engine(NBClientEngine):
        """Runs a notebook with that client."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            del options  # papermill's own of these, which a task's notebook does not change
            return Client(nb_man, kernel_name=kernel_name, startup_timeout=60, timeout=None).execute()

    papermill_engines.register(_NAME, Engine)
    return _NAME


def _joined(outputs: list[Any], redaction: Redaction) -> Any | None:
    """Join the last two pieces of one stream, as a secret may be in both; None when there are none."""
    if len(outputs) < 2 or any(one.output_type != "stream" for one in outputs[-2:]):
        return None
    if outputs[-2].name != outputs[-1].name:
        return None
    last = outputs.pop()
    outputs[-1].text = redaction.text(outputs[-1].text + last.text)
    return outputs[-1]
