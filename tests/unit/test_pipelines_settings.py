"""A pipeline's settings file: what it finds, and what it says about mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.pipelines import PipelineSpec

from helpers.pipelines.errors import InvalidSettings, Unsupported
from helpers.pipelines.settings import UNUSED, USED, PipelineSettings, load_settings
from helpers.pipelines.update import _unused

GOOD: dict[str, Any] = {
    "name": "retail",
    "schema": "${schema}",
    "configuration": {"landing": "${root}/in"},
    "libraries": [{"glob": {"include": "src/**"}}, {"file": {"path": "extra.py"}}],
    "serverless": True,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    for name in ("src/b.sql", "src/deep/a.py", "src/notes.md", "extra.py"):
        (tmp_path / name).touch()
    return tmp_path


def settings_in(folder: Path, data: Any, **parameters: str) -> Any:
    path = folder / "pipeline.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return load_settings(path, parameters=parameters)


def test_settings_find_their_sources_and_parameters(folder: Path) -> None:
    settings = settings_in(folder, GOOD, schema="shop", root="/data", day="monday")
    assert [path.relative_to(folder).as_posix() for path in settings.files] == [
        "extra.py",
        "src/b.sql",
        "src/deep/a.py",
    ]
    assert settings.schema == "shop"
    assert settings.configuration == {"landing": "/data/in", "schema": "shop", "root": "/data", "day": "monday"}
    assert settings.unused == ("serverless",)
    assert settings.pipeline_id == settings_in(folder, GOOD, schema="shop", root="/elsewhere").pipeline_id
    assert settings.pipeline_id != settings_in(folder, GOOD, schema="other", root="/data").pipeline_id


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ("{", InvalidSettings, "pipeline.json is not valid JSON: .*line 1"),
        ("[]", InvalidSettings, "must hold one JSON object, not list"),
        ({"nam": "x"}, InvalidSettings, "unknown setting 'nam'. Did you mean 'name'"),
        ({"name": ""}, InvalidSettings, "'name' must be a non-empty text"),
        ({"schema": "${shema}"}, InvalidSettings, "'schema' uses \\$\\{shema\\}, .* Did you mean 'schema'"),
        ({"schema": "a.b"}, InvalidSettings, "the schema 'a.b' is no name"),
        ({"configuration": {"n": 1}}, InvalidSettings, "configuration 'n' must be a text: write \"1\""),
        ({"configuration": []}, InvalidSettings, "'name'|one JSON object|must be an object"),
        ({"configuration": {"pipelines.maxFlowRetryAttempts": "-1"}}, InvalidSettings, "must be a number from 0"),
        ({"configuration": {"pipelines.incompatibleViewCheck.enabled": "f"}}, Unsupported, "incompatibleViewCheck"),
        ({"development": "yes"}, InvalidSettings, "'development' must be true or false"),
        ({"root_path": "nowhere"}, InvalidSettings, "'root_path' names the folder .*nowhere', which does not exist"),
        ({"root_path": "\ud800"}, InvalidSettings, r"'root_path' names the folder .*ud800', which does not exist"),
        *(({setting: []}, Unsupported, f"setting '{setting}' is not supported here yet")
          for setting in ("notifications", "environment", "event_log", "run_as", "parameters", "storage", "trigger")),
        ({"continuous": True}, Unsupported, "'continuous'"),
        ({"libraries": []}, InvalidSettings, "names no source"),
        ({"libraries": {"file": "a"}}, InvalidSettings, "must be a list"),
        (
            {"libraries": [{"glob": {"include": "nothing/**"}}]},
            InvalidSettings,
            "no .sql or .py file and no notebook matches 'nothing/\\*\\*'",
        ),
        ({"libraries": [{"glob": {"include": "/abs/**"}}]}, InvalidSettings, "relative to that file"),
        ({"libraries": [{"file": {"path": "gone.sql"}}]}, InvalidSettings, "'gone.sql' does not exist"),
        ({"libraries": [{"file": {"path": "src/notes.md"}}]}, Unsupported, "neither a .sql nor a .py"),
        ({"libraries": [{"file": {"pth": "a"}}]}, InvalidSettings, "needs 'path'"),
        ({"libraries": [{"notebook": {"path": "gone"}}]}, InvalidSettings, "there is no notebook 'gone'"),
        ({"libraries": [{"notebook": {"path": "extra"}}]}, InvalidSettings, "is a file and not a notebook"),
        ({"libraries": [{"maven": {"coordinates": "a"}}]}, Unsupported, "a 'maven' library"),
    ],
)
def test_wrong_settings_are_named(folder: Path, change: Any, error: type[Exception], words: str) -> None:
    data = change if isinstance(change, str) else {**GOOD, **change}
    if change == {"configuration": []}:
        data["configuration"] = ["a"]
    with pytest.raises(error, match=words):
        settings_in(folder, data, schema="shop", root="/data")


def test_every_setting_that_is_taken_is_one_of_the_pipelines_api() -> None:
    assert set(PipelineSpec.__dataclass_fields__) >= USED | UNUSED


def test_settings_for_the_platform_are_accepted_and_each_update_says_that_they_do_nothing(folder: Path) -> None:
    platform = {"catalog": "c", "channel": "PREVIEW", "clusters": [{"label": "default"}], "edition": "ADVANCED",
                "photon": True, "serverless": True, "tags": {"team": "x"}}
    delay = {"pipelines.clusterShutdown.delay": "60s"}
    settings = settings_in(folder, {**GOOD, **platform, "configuration": delay}, schema="shop")
    assert settings.unused == (*sorted(platform)[:5], *delay, *sorted(platform)[5:])
    assert settings.configuration == {"schema": "shop"}
    (note,) = _unused(settings)
    assert note == ("These settings are for the platform and do nothing here: 'catalog', 'channel', 'clusters', "
                    "'edition', 'photon', 'pipelines.clusterShutdown.delay', 'serverless', 'tags'.")
    assert _unused(PipelineSettings(name="p", schema="s")) == ()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, (False, 2, 5)),
        ({"development": True}, (True, 2, 5)),
        ({"development": False, "configuration": {"pipelines.numUpdateRetryAttempts": "0"}}, (False, 2, 0)),
        ({"configuration": {"pipelines.maxFlowRetryAttempts": "9"}}, (False, 9, 5)),
    ],
)
def test_the_mode_and_the_retries_are_those_of_the_file_or_databricks_defaults(
    folder: Path, change: dict[str, Any], wanted: tuple[bool, int, int]
) -> None:
    settings = settings_in(folder, {**GOOD, "configuration": {}, **change}, schema="shop")
    assert (settings.development, settings.flow_retries, settings.update_retries) == wanted


def test_production_retries_and_finds_notebooks_without_their_ending(folder: Path) -> None:
    (folder / "nb.py").write_text("# Databricks notebook source\n")
    (folder / "other.ipynb").write_text("{}")
    change = {
        "target": "old", "root_path": "src", "configuration": {"pipelines.maxFlowRetryAttempts": "7"},
        "libraries": [{"notebook": {"path": "./nb"}}, {"notebook": {"path": "other.ipynb"}}],
    }
    settings = settings_in(folder, {key: value for key, value in {**GOOD, **change}.items() if key != "schema"})
    assert [path.name for path in settings.files] == ["nb.py", "other.ipynb"]
    assert (settings.schema, settings.root, settings.configuration) == ("old", folder / "src", {})
    assert (settings.development, settings.flow_retries, settings.update_retries) == (False, 7, 5)


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"no pipeline settings file .*gone\.json"):
        load_settings(tmp_path / "gone.json")
    with pytest.raises(InvalidSettings, match="cannot be read: Is a directory"):
        load_settings(tmp_path)
