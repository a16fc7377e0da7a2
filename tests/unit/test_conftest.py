"""When tests of a classic session are left out: with a reason, and never by CI."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from helpers.runtime import Places
from helpers.runtime.errors import JavaUnusable
from tests import conftest

NO_JAVA = JavaUnusable("LAKEPREP_SPARK=classic needs a Java with all its modules.")


def started(monkeypatch: pytest.MonkeyPatch, folder: Path, **environ: str) -> Any:
    """What the fixture does where there is no Java for it."""

    def attach(*_: Any, **__: Any) -> None:
        raise NO_JAVA

    monkeypatch.setattr("helpers.runtime.attach", attach)
    for name in ("LAKEPREP_SPARK", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return next(inspect.unwrap(conftest.spark)(Places(folder)))


def test_without_a_java_classic_tests_are_skipped_and_say_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="needs a Java with all its modules"):
        started(monkeypatch, tmp_path, LAKEPREP_SPARK="classic")


@pytest.mark.parametrize("environ", [{"LAKEPREP_SPARK": "classic", "CI": "true"}, {}])
def test_ci_and_tests_of_a_server_fail_where_java_is_missing(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises((JavaUnusable, pytest.skip.Exception)) as raised:
        started(monkeypatch, tmp_path, **environ)
    assert raised.type is JavaUnusable
