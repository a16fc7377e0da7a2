"""A classic session before there is one: its JDK, and its home, which a server may not use at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.runtime import Places, attach, ensure_server, server_status, stop_server
from helpers.runtime.doctor import diagnose
from helpers.runtime.errors import BadSetting, HomeInUse, JavaUnusable, NotShared
from helpers.runtime.java import find_jdk
from helpers.runtime.locks import try_lock
from helpers.runtime.settings import Settings

CLASSIC = {"LAKEPREP_SPARK": "classic"}


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Places]:
    """A home over which this process has a classic session."""
    places = Places(tmp_path)
    places.home.mkdir()
    lock = try_lock(places.server_lock, now=1.0, purpose="classic")
    assert lock is not None
    yield places
    os.close(lock)


def _java(folder: Path, *, vectors: bool) -> Path:
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    refuse = "" if vectors else 'case "$1" in --add-modules=*) exit 1;; esac\n'
    binary.write_text(f"#!/bin/sh\n{refuse}echo 'openjdk version \"17.0.15\"' >&2\n")
    binary.chmod(0o755)
    return binary


def test_the_kind_of_spark_is_connect_unless_classic_is_asked_for() -> None:
    assert Settings.from_environment({"LAKEPREP_SPARK": " "}).spark == "connect"
    assert Settings.from_environment(CLASSIC).spark == "classic"
    with pytest.raises(BadSetting, match=r"LAKEPREP_SPARK is 'Classic': give connect .* or classic"):
        Settings.from_environment({"LAKEPREP_SPARK": "Classic"})


def test_a_java_with_all_modules_is_a_jdk_and_its_home_is_found_through_links(tmp_path: Path) -> None:
    binary = _java(tmp_path / "jdk", vectors=True)
    link = tmp_path / "java"
    link.symlink_to(binary)
    assert find_jdk(str(tmp_path / "jdk")).home == tmp_path / "jdk"
    assert find_jdk(str(link)).home == tmp_path / "jdk"


def test_without_a_jdk_the_next_step_is_named(tmp_path: Path) -> None:
    _java(tmp_path / "jre", vectors=False)
    for named, culprit in ((None, "the bundled one lacks it"), (str(tmp_path / "jre"), "LAKEPREP_JAVA names .*/jre")):
        with pytest.raises(JavaUnusable, match=culprit) as caught:
            find_jdk(named)
        assert "Install a JDK 17 or newer (Debian: default-jre-headless)" in str(caught.value)
    with pytest.raises(JavaUnusable, match="LAKEPREP_SPARK=classic needs a Java"):
        attach(Places(tmp_path / "home"), environ=CLASSIC)
    assert not (tmp_path / "home").exists()


def test_a_server_is_refused_where_each_process_has_its_own_spark(tmp_path: Path) -> None:
    with pytest.raises(NotShared, match="Unset LAKEPREP_SPARK"):
        ensure_server(Places(tmp_path), environ=CLASSIC)


def test_a_session_of_a_server_and_a_classic_one_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="SPARK_REMOTE names a server"):
        attach(Places(tmp_path), environ={**CLASSIC, "SPARK_REMOTE": "sc://host"})
    with pytest.raises(BadSetting, match="to be joined"):
        attach(Places(tmp_path), session_id="0", environ=CLASSIC)


def test_a_home_with_a_classic_session_takes_no_server_and_says_whose_it_is(held: Places) -> None:
    with pytest.raises(HomeInUse, match=rf"in use by a classic Spark session \(process {os.getpid()}\)"):
        ensure_server(held, environ={})
    assert server_status(held).state == "classic"
    said = [finding.what for finding in diagnose(held, environ={})]
    assert "No Spark server is running: a process has a Spark of its own over this home." in said


def test_stopping_the_server_leaves_a_process_with_a_classic_session_alone(held: Places) -> None:
    # This very process has it: it would not come to the next line.
    assert not stop_server(held)
    assert server_status(held).state == "classic"
