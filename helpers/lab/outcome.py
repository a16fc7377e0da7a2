"""How a stream ended, in words."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]{5,})\]")


@dataclass(frozen=True)
class Outcome:
    """``rows``: what this start read; ``condition``: the error condition that stopped it, if any."""

    completed: bool
    rows: int
    batches: int
    condition: str | None = None
    message: str = ""

    def __str__(self) -> str:
        if self.completed:
            batches = "1 micro-batch" if self.batches == 1 else f"{self.batches} micro-batches"
            return f"✓ Completed: {self.rows:,} rows read in {batches}."
        return f"✗ Stopped: {self.condition or 'an error'}\n{self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in str(self).splitlines())
        return f'<div role="status">{lines}</div>'


def outcome_of(query: Any) -> Outcome:
    """Wait for a stream that ends by itself (``availableNow``), and say how it ended; its error is not raised."""
    failure: Exception | None = None
    try:
        query.awaitTermination()
    except Exception as error:
        failure = error
    progress = [each for each in query.recentProgress if each.numInputRows]
    rows, batches = sum(each.numInputRows for each in progress), len(progress)
    if failure is None:
        return Outcome(True, rows, batches)
    condition, message = explained(str(failure))
    return Outcome(False, rows, batches, condition, message)


def explained(text: str) -> tuple[str | None, str]:
    """The innermost error condition and the sentence that follows it, without the stack."""
    found = list(_CONDITION.finditer(text))
    if not found:
        return None, text.strip().splitlines()[0] if text.strip() else ""
    last = next((each for each in reversed(found) if "STREAM_FAILED" not in each.group(1)), found[-1])
    rest = text[last.end():].split("SQLSTATE")[0].split("\n\tat ")[0].strip()
    return last.group(1), rest
