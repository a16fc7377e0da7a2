from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from helpers.runtime import Places
from helpers.runtime.doctor import Finding, diagnose
from helpers.runtime.locks import try_lock


def _said(findings: list[Finding], pattern: str) -> Finding:
    found = [finding for finding in findings if re.search(pattern, finding.what)]
    assert len(found) == 1, (pattern, findings)
    return found[0]


def test_a_sound_machine_has_no_problem_and_nothing_is_made(tmp_path: Path) -> None:
    findings = diagnose(Places(tmp_path / "new"), environ={"LAKEPREP_HEAP": "512m"})
    assert [finding for finding in findings if finding.level == "problem"] == []
    for what in ("Python 3", "of memory is free", "of disk are free", "Java 21", "Delta's", "No Spark server"):
        assert _said(findings, what)
    assert not (tmp_path / "new").exists()


def test_each_problem_comes_with_its_next_step(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.home.mkdir()
    places.server_file.write_text("{")
    findings = diagnose(places, environ={"LAKEPREP_JAVA": str(tmp_path), "LAKEPREP_HEAP": "900000g"})
    problems = [finding for finding in findings if finding.level == "problem"]
    assert len(problems) == 3
    assert "Close other programs, or set LAKEPREP_HEAP" in _said(problems, "free memory").next_step
    assert "Unset LAKEPREP_JAVA" in _said(problems, "there is no Java").next_step
    assert "python3 -m helpers stop" in _said(problems, r"server\.json is damaged").next_step


def test_who_holds_the_lock_is_named_with_its_command_and_since_when(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.home.mkdir()
    lock = try_lock(places.server_lock, now=1_000_000.0)
    assert lock is not None
    try:
        held = _said(diagnose(places, environ={}, now=1_000_100.0), "holds the server's lock")
        stuck = _said(diagnose(places, environ={}, now=1_001_000.0), "holds the server's lock")
    finally:
        os.close(lock)
    assert held.what.startswith(f"Process {os.getpid()} holds the server's lock since 1970-01-12 13:46:40 UTC: ")
    assert "pytest" in held.what
    assert (held.level, stuck.level) == ("ok", "problem")
    assert "python3 -m helpers stop" in stuck.next_step


def test_variables_that_change_where_spark_comes_from_are_shown_without_their_token(tmp_path: Path) -> None:
    environ = {"SPARK_REMOTE": "sc://host:1/;token=secret", "LAKEPREP_HOME": "/x", "SPARK_HOME": "/s"}
    findings = diagnose(Places(tmp_path), environ=environ)
    assert "Unset SPARK_REMOTE" in _said(findings, "SPARK_REMOTE is set to 'sc://host:1/'").next_step
    assert _said(findings, "LAKEPREP_HOME is set to '/x'").level == "note"
    assert _said(findings, "SPARK_HOME is set; the local server does not use it")
    assert "secret" not in str(findings)


@pytest.mark.parametrize("value", ["x", "99999"])
def test_a_bad_setting_is_a_problem_and_the_rest_is_still_looked_at(tmp_path: Path, value: str) -> None:
    findings = diagnose(Places(tmp_path), environ={"LAKEPREP_PORT": value})
    assert _said(findings, f"LAKEPREP_PORT is '{value}'").level == "problem"
    assert _said(findings, "Java 21").level == "ok"
