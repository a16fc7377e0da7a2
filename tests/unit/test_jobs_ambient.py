"""What a task's notebook finds without an import."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.jobs import ambient


class Shell:
    """As much of an IPython shell as is needed: names, and what is called before a cell runs."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.hooks: list[Callable[[Any], None]] = []
        self.events = SimpleNamespace(register=lambda name, hook: self.hooks.append(hook))

    def before(self, code: str) -> None:
        for hook in self.hooks:
            hook(SimpleNamespace(raw_cell=code))


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    opened: list[str] = []
    monkeypatch.setattr(ambient, "_session", lambda: opened.append("session") or f"session {len(opened)}")
    return opened


OPENS_ITSELF = "from helpers import open_task\nspark = open_task().spark"


@pytest.mark.parametrize("code", ["print(1)", "sparkling = 1", OPENS_ITSELF])
def test_a_cell_that_does_not_need_spark_opens_no_session(sessions: list[str], code: str) -> None:
    shell = Shell()
    ambient.provide(shell)
    shell.before(code)
    assert sessions == []
    assert "spark" not in shell.user_ns
    assert shell.user_ns["dbutils"] is not None


def test_the_first_cell_that_names_spark_opens_the_only_session(sessions: list[str]) -> None:
    shell = Shell()
    ambient.provide(shell)
    for code in ("rows = spark.sql('SELECT 1')", "spark.table('t')"):
        shell.before(code)
    assert shell.user_ns["spark"] == "session 1"
    assert sessions == ["session"]
