from __future__ import annotations

from pathlib import Path

import pytest

from helpers.runtime.errors import JavaUnusable
from helpers.runtime.java import find_java


def _fake(folder: Path, body: str) -> Path:
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\n{body}\n")
    binary.chmod(0o755)
    return binary


def test_the_bundled_java_is_used_when_none_is_named() -> None:
    java = find_java(None)
    assert java.bundled
    assert java.major == 21
    assert java.binary.is_file()


@pytest.mark.parametrize(("said", "major"), [('openjdk version "17.0.15" 2025', 17), ('java version "25-ea"', 25)])
def test_a_java_is_named_by_its_home_or_by_its_binary(tmp_path: Path, said: str, major: int) -> None:
    binary = _fake(tmp_path, f"echo '{said}' >&2")
    for named in (tmp_path, binary):
        java = find_java(str(named))
        assert (java.binary, java.major, java.bundled) == (binary, major, False)


def test_a_newer_java_is_told_that_spark_uses_unsafe_memory(tmp_path: Path) -> None:
    _fake(tmp_path, "echo 'openjdk version \"25.0.1\"' >&2")
    assert "--sun-misc-unsafe-memory-access=allow" in find_java(str(tmp_path)).options
    assert "--sun-misc-unsafe-memory-access=allow" not in find_java(None).options


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo 'java version \"1.8.0_392\"' >&2", "is Java 8, and Spark needs 17"),
        ("echo 'openjdk version \"11.0.2\"' >&2", "is Java 11, and Spark needs 17"),
        ("echo GNU coreutils", "is not a Java: `-version` said 'GNU coreutils'"),
        ("exit 0", "is not a Java: `-version` said 'nothing'"),
        ("echo 'openjdk version \"21\"'; exit 3", "is not a Java"),
    ],
)
def test_what_is_not_a_usable_java_is_said_with_the_next_step(tmp_path: Path, body: str, message: str) -> None:
    _fake(tmp_path, body)
    with pytest.raises(JavaUnusable) as caught:
        find_java(str(tmp_path))
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "Unset LAKEPREP_JAVA" in str(caught.value)


def test_a_path_without_java_and_a_file_that_cannot_run_are_said(tmp_path: Path) -> None:
    with pytest.raises(JavaUnusable, match=r"there is no Java .*is not a file"):
        find_java(str(tmp_path / "none"))
    plain = tmp_path / "java"
    plain.write_text("no program")
    with pytest.raises(JavaUnusable, match="cannot be run"):
        find_java(str(plain))
