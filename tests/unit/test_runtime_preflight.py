from __future__ import annotations

import errno
import shutil
import socket
from pathlib import Path

import pytest

from helpers.runtime import Places, Settings, ensure_server, server_status
from helpers.runtime.errors import (
    HomeUnusable,
    NotEnoughMemory,
    PortBusy,
    PortTaken,
    ServerNotStarted,
)
from helpers.runtime.jvm import explain
from helpers.runtime.preflight import check_home, check_memory


def test_too_little_memory_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughMemory, match=r"1\.5 GB of free memory.*1\.0 of 8\.0 GB is free\. .*LAKEPREP_HEAP"):
        check_memory(2048, total_mb=8192, available_mb=1024)
    with pytest.raises(NotEnoughMemory):
        check_memory(2048, total_mb=2048, available_mb=2000)
    check_memory(2048, total_mb=8192, available_mb=1700)
    with pytest.raises(NotEnoughMemory):
        ensure_server(Places(tmp_path), environ={"LAKEPREP_HEAP": "900000g"})
    assert server_status(Places(tmp_path)).state == "stopped"


def test_a_busy_port_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortBusy, match=rf"Port {port}, which LAKEPREP_PORT names, is used by another program\. "):
            ensure_server(Places(tmp_path), environ={"LAKEPREP_PORT": str(port), "LAKEPREP_HEAP": "512m"})
    assert server_status(Places(tmp_path)).state == "stopped"


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable, match=r"file/home cannot be written: Not a directory\. .*LAKEPREP_HOME"):
        check_home(Places(tmp_path / "file"))


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 5 * 2**20))
        with pytest.raises(HomeUnusable, match=r"The disk is full: 5 MB are free at .*needs 200"):
            check_home(Places(tmp_path))
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", lambda self, data: (_ for _ in ()).throw(full))
        with pytest.raises(HomeUnusable, match="cannot be written: No space left on device"):
            check_home(Places(tmp_path))


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ("java.net.BindException: Address already in use", PortTaken, "Port 5 was taken"),
        ("java.io.IOException: No space left on device", HomeUnusable, "The disk is full"),
        ("Error during initialization of VM\nCould not reserve enough space", NotEnoughMemory, "LAKEPREP_HEAP"),
        ("Caused by: ERROR XSDB6: Another instance of Derby", ServerNotStarted, "Another program has the metastore"),
        ("noise\njava.lang.IllegalStateException: odd\n at x", ServerNotStarted, "IllegalStateException: odd"),
        ("", ServerNotStarted, "ended while it was starting. All that it wrote is in"),
    ],
)
def test_what_a_jvm_says_before_it_ends_becomes_one_sentence(
    tmp_path: Path, said: str, kind: type[Exception], message: str
) -> None:
    error = explain(said, log=tmp_path / "server.log", port=5)
    assert type(error) is kind
    assert message in str(error)
    assert "\n" not in str(error)


def test_a_setting_that_cannot_be_used_stops_before_java_is_looked_for(tmp_path: Path) -> None:
    assert Settings.from_environment({}).port is None
    with pytest.raises(Exception, match="LAKEPREP_PORT is 'x'"):
        ensure_server(Places(tmp_path), environ={"LAKEPREP_PORT": "x", "LAKEPREP_JAVA": "/nowhere"})
