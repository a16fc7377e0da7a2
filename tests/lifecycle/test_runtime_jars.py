"""Delta's JARs as they are fetched: by the real Ivy, from a mirror that is a folder of this machine."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from helpers.runtime import ivy
from helpers.runtime.errors import JarDamaged, JarsUnavailable
from helpers.runtime.jars import Jar, ensure_jars, missing_jars, needed_jars
from helpers.runtime.java import find_java

_POM = (
    "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId><artifactId>{name}</artifactId>"
    "<version>1.0</version><dependencies><dependency><groupId>org.example</groupId><artifactId>unwanted</artifactId>"
    "<version>1.0</version></dependency></dependencies></project>"
)
_MIRROR = (
    '<ivysettings><settings defaultResolver="mirror"/><resolvers>'
    '<ibiblio name="mirror" m2compatible="true" root="{root}/"/></resolvers></ivysettings>'
)


@pytest.fixture
def mirror(tmp_path: Path) -> tuple[tuple[Jar, ...], str]:
    """Three small JARs in a folder, and the Ivy settings that name it."""
    jars = []
    for name in ("one", "two", "three"):
        folder, content = tmp_path / "mirror" / "org" / "example" / name / "1.0", f"content of {name}".encode()
        folder.mkdir(parents=True)
        (folder / f"{name}-1.0.jar").write_bytes(content)
        (folder / f"{name}-1.0.pom").write_text(_POM.format(name=name))
        jars.append(Jar("org.example", name, "1.0", len(content), hashlib.sha256(content).hexdigest()))
    settings = tmp_path / "ivysettings.xml"
    settings.write_text(_MIRROR.format(root=(tmp_path / "mirror").as_uri()))
    return tuple(jars), str(settings)


def _silent(message: str) -> None:
    """Progress that no claim is about."""


def test_the_jars_are_fetched_once_with_progress_and_without_what_they_depend_on(tmp_path: Path, mirror) -> None:
    jars, settings = mirror
    said: list[str] = []
    folder = tmp_path / "jars"
    paths = ensure_jars(folder, java=find_java(None), ivy_settings=settings, jars=jars, report=said.append)
    assert [path.read_bytes() for path in paths] == [b"content of one", b"content of two", b"content of three"]
    assert (said[0], said[-1]) == ("Fetching Delta's JARs: 0 of 3", "Fetching Delta's JARs: 3 of 3")
    assert sorted(path.name for path in folder.iterdir()) == sorted([".lock", *(jar.file_name for jar in jars)])
    said.clear()
    assert ensure_jars(folder, java=find_java(None), ivy_settings="/nowhere", jars=jars, report=said.append) == paths
    assert said == []


def test_only_a_missing_or_damaged_jar_is_fetched_again(tmp_path: Path, mirror) -> None:
    jars, settings = mirror
    folder = tmp_path / "jars"
    paths = ensure_jars(folder, java=find_java(None), ivy_settings=settings, jars=jars, report=_silent)
    kept = paths[0].stat().st_ino
    paths[1].write_bytes(b"content of TWO")
    assert missing_jars(folder, jars) == [jars[1]]
    said: list[str] = []
    ensure_jars(folder, java=find_java(None), ivy_settings=settings, jars=jars, report=said.append)
    assert said == ["Fetching Delta's JARs: 2 of 3", "Fetching Delta's JARs: 3 of 3"]
    assert missing_jars(folder, jars) == []
    assert paths[0].stat().st_ino == kept


def test_two_that_fetch_at_once_do_it_once(tmp_path: Path, mirror) -> None:
    jars, settings = mirror
    said: list[str] = []

    def fetch() -> None:
        ensure_jars(tmp_path / "jars", java=find_java(None), ivy_settings=settings, jars=jars, report=said.append)

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missing_jars(tmp_path / "jars", jars) == []
    assert said.count("Fetching Delta's JARs: 0 of 3") == 1


def test_a_jar_with_a_wrong_hash_is_named_and_not_kept(tmp_path: Path, mirror) -> None:
    jars, settings = mirror
    wrong = (jars[0], Jar("org.example", "two", "1.0", jars[1].size, "0" * 64))
    with pytest.raises(JarDamaged, match=r"org\.example_two-1\.0\.jar is not the file .* SHA-256 differs"):
        ensure_jars(tmp_path / "jars", java=find_java(None), ivy_settings=settings, jars=wrong, report=_silent)
    assert [path.name for path in (tmp_path / "jars").iterdir()] == [".lock"]


def test_without_a_network_one_sentence_says_what_to_do(tmp_path: Path, mirror, free_port: int) -> None:
    jars, _ = mirror
    settings = tmp_path / "nobody.xml"
    settings.write_text(_MIRROR.format(root=f"http://127.0.0.1:{free_port}"))
    with pytest.raises(JarsUnavailable) as caught:
        ensure_jars(tmp_path / "jars", java=find_java(None), ivy_settings=str(settings), jars=jars, report=_silent)
    assert str(caught.value).startswith(f"Delta's JARs could not be fetched with LAKEPREP_IVY_SETTINGS={settings} (")
    assert "refused" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / "jars").iterdir()] == [".lock"]
    unset = ivy._explain("HttpClientHandler: UnknownHostException: somewhere url=x", settings=None)
    assert "Connect to the network once, or set https_proxy" in unset
    assert "LAKEPREP_IVY_SETTINGS" in unset


def test_a_full_disk_is_said(tmp_path: Path, mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    jars, settings = mirror

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(JarsUnavailable, match=r"cannot be kept in .*: No space left on device\. Free space"):
        ensure_jars(tmp_path / "jars", java=find_java(None), ivy_settings=settings, jars=jars, report=_silent)
    assert [path.name for path in (tmp_path / "jars").iterdir()] == [".lock"]
    huge = (Jar("org.example", "huge", "1.0", 10**15, "0" * 64),)
    with pytest.raises(JarsUnavailable, match=r"The disk is full: Delta's JARs do not fit"):
        ensure_jars(tmp_path / "jars", java=find_java(None), ivy_settings=settings, jars=huge, report=_silent)


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({}, ["-Djava.net.useSystemProxies=true"]),
        ({"HTTPS_PROXY": "http://proxy:3128"}, ["-Dhttps.proxyHost=proxy", "-Dhttps.proxyPort=3128"]),
        ({"https_proxy": "proxy"}, ["-Dhttps.proxyHost=proxy", "-Dhttps.proxyPort=80"]),
        (
            {"http_proxy": "http://u:p@one:8080/", "no_proxy": "localhost, .corp.example,*"},
            [
                "-Dhttp.proxyHost=one",
                "-Dhttp.proxyPort=8080",
                "-Dhttp.nonProxyHosts=localhost|*.localhost|corp.example|*.corp.example",
            ],
        ),
    ],
)
def test_the_proxy_variables_reach_java(environ: dict[str, str], options: list[str]) -> None:
    assert ivy._proxy(environ) == options


def test_the_list_names_only_delta_and_nothing_that_spark_has() -> None:
    jars = needed_jars()
    assert {jar.organisation for jar in jars} == {"io.delta"}
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)
