"""Keeps the values of secrets out of what a task leaves behind: Databricks shows `[REDACTED]` in their place.

Imitates https://docs.databricks.com/security/secrets/redaction.html: the literal value is replaced, not what was made
of it.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "LAKEPREP_SECRET_"
SHOWN = "[REDACTED]"
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Redaction:
    """What must not be shown, longest first: each secret's value, as it is and as text formats write it."""

    forms: tuple[str, ...] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Redaction:
        """The values of every `LAKEPREP_SECRET_...` variable."""
        values = {value for name, value in environ.items() if name.startswith(PREFIX) and value}
        forms = {form for value in values for form in _forms(value)}
        return cls(tuple(sorted(forms, key=lambda form: (-len(form), form))))

    def __bool__(self) -> bool:
        return bool(self.forms)

    def text(self, text: str) -> str:
        for form in self.forms:
            text = text.replace(form, SHOWN)
        return text

    def deep(self, value: Any) -> Any:
        """The same JSON value with every string redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.deep(key): self.deep(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.deep(item) for item in value]
        return value

    def holds(self, value: Any) -> bool:
        """Whether a secret is in a JSON value."""
        return bool(self.forms) and self.text(text := json.dumps(value, ensure_ascii=False)) != text

    def guard_output(self) -> None:
        """Redact all that this process, and those it starts, write to stdout and stderr from now on.

        A pipe takes the place of both. What is in it when the process is killed is lost, at most the last line or so;
        without a secret nothing is changed.
        """
        if not self.forms:
            return
        sys.stdout.flush()
        sys.stderr.flush()
        log, (reader, writer) = os.dup(1), os.pipe()
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.close(writer)
        pump = threading.Thread(target=self._pump, args=(reader, log), name="redaction", daemon=True)
        pump.start()
        atexit.register(_end, pump, log)

    def _pump(self, reader: int, log: int) -> None:
        """Pass on what comes, but for the end that may be the beginning of a secret."""
        forms = [form.encode() for form in self.forms]
        kept, most = b"", max(map(len, forms)) - 1
        while chunk := os.read(reader, _CHUNK):
            kept += chunk
            for form in forms:
                kept = kept.replace(form, SHOWN.encode())
            ready = len(kept) - most
            if ready > 0:
                _write(log, kept[:ready])
                kept = kept[ready:]
        _write(log, kept)


#: Where no environment is at hand.
NOTHING_SECRET = Redaction()


def _forms(value: str) -> set[str]:
    """A value as it is printed, shown by repr, in JSON and in HTML."""
    import html  # few tasks have a secret, and each imports this module

    return {value, repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1],
            html.escape(value)}  # fmt: skip


def _write(log: int, content: bytes) -> None:
    while content:
        content = content[os.write(log, content) :]


def _end(pump: threading.Thread, log: int) -> None:
    """Close the pipe's end and wait for its last line; a child that lives on may hold it open."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    pump.join(timeout=5)
