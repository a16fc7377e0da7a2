"""One job and one pipeline, in JSON, in the bundle, and as the SDK deploys them."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.catalog import SchemaInfo, VolumeInfo
from databricks.sdk.service.jobs import JobSettings
from databricks.sdk.service.pipelines import PipelineSpec

from helpers.deploy import TARGETS, DeployError, Place
from helpers.deploy.definitions import ENVIRONMENT, JOB_FOLDER, PACKAGES, job_settings, pipeline_spec
from helpers.deploy.places import COMMENTS, SCHEMA_COMMENT, short_name
from helpers.installing import pins
from helpers.jobs import load_bundle_job, schema
from helpers.jobs.merging import merged
from helpers.jobs.substitution import Substitution
from helpers.jobs.yaml_text import read_yaml

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "databricks.yml"
JOB = json.loads((ROOT / JOB_FOLDER / "job.json").read_text(encoding="utf-8"))
PIPELINE = json.loads((ROOT / JOB_FOLDER / "pipeline.json").read_text(encoding="utf-8"))
PIPELINE_ID = "${resources.pipelines.retail.id}"
each_target = pytest.mark.parametrize("name", TARGETS)


def place(name: str, catalog: str | None = None) -> Place:
    return Place(TARGETS[name], "alice@example.com", "alice", catalog or TARGETS[name].catalog)


@cache
def whole() -> Any:
    return read_yaml(BUNDLE)


def bundle(name: str, *, catalog: str | None = None, in_schema: str = "retail") -> Any:
    """The resources of a target as the CLI resolves them, before it adds a development mode's prefixes."""
    document = whole()
    target = document["targets"][name]
    values = {key: item["default"] for key, item in document["variables"].items()} | target.get("variables", {})
    values |= {"catalog": catalog} if catalog else {}
    known = {f"var.{key}": value for key, value in values.items()} | {"resources.schemas.retail.name": in_schema}
    return Substitution(known)(merged(document["resources"], target.get("resources", {})))


def as_in_json(job: dict[str, Any], folder: str) -> dict[str, Any]:
    """A target's job with what a target decides taken back: where files are, and what the notebooks run on."""
    job = copy.deepcopy(job)
    for task in job["tasks"]:
        if "notebook_task" in task:
            path = task["notebook_task"]["notebook_path"]
            assert path.startswith(f"{folder}/")
            task["notebook_task"]["notebook_path"] = path.removeprefix(f"{folder}/").removesuffix(".ipynb") + ".ipynb"
            task.pop("libraries", None)
            assert task.pop("environment_key", ENVIRONMENT) == ENVIRONMENT
            task["job_cluster_key"] = "retail_cluster"
    job.pop("environments", None)
    job["job_clusters"] = JOB["job_clusters"]
    job["parameters"][0]["default"] = job["parameters"][0]["default"].removeprefix("workspace.")
    return job


@each_target
def test_the_bundles_job_is_that_of_job_json(name: str) -> None:
    job = bundle(name, catalog="workspace")["jobs"]["retail_analytics"]
    assert job["parameters"][0] == {"name": "schema", "default": "workspace.retail"}
    assert as_in_json(job, f"./{JOB_FOLDER}") == JOB


@each_target
def test_our_own_runner_understands_the_bundle(name: str) -> None:
    job = load_bundle_job(ROOT / "databricks.yml", "retail_analytics", target=name, environment={})
    assert [task.key for task in job.tasks] == [task["task_key"] for task in JOB["tasks"]]
    assert job.parameters["landing"].endswith("/retail/landing")


@each_target
def test_the_bundles_pipeline_is_that_of_pipeline_json(name: str) -> None:
    pipeline = bundle(name, catalog="workspace")["pipelines"]["retail"]
    assert pipeline == {
        **PIPELINE,
        "catalog": "workspace",
        "schema": "retail",
        "configuration": {"landing": "/Volumes/workspace/retail/landing"},
        "libraries": [{"glob": {"include": f"./{JOB_FOLDER}/{PIPELINE['libraries'][0]['glob']['include']}"}}],
    }


@each_target
def test_the_sdk_deploys_what_the_cli_deploys(name: str) -> None:
    here = place(name)
    theirs = bundle(name, in_schema=here.schema)
    ours = job_settings(JOB, here, pipeline_id=PIPELINE_ID)
    assert ours.pop("tags") == here.tags
    expected = theirs["jobs"]["retail_analytics"]
    assert ours.pop("name") == here.prefix + expected.pop("name")
    for task in expected["tasks"]:
        if "notebook_task" in task:
            path = task["notebook_task"]["notebook_path"].removeprefix("./").removesuffix(".ipynb")
            task["notebook_task"]["notebook_path"] = f"{here.root}/{path}"
    assert ours == expected
    spec, pipeline = pipeline_spec(PIPELINE, here), theirs["pipelines"]["retail"]
    assert spec.pop("tags") == here.tags
    assert spec.pop("development", False) is here.target.development
    assert spec.pop("name") == here.prefix + pipeline.pop("name")
    assert spec.pop("libraries") == [
        {"glob": {"include": each["glob"]["include"].replace("./", f"{here.root}/")}}
        for each in pipeline.pop("libraries")
    ]
    assert spec == pipeline


@each_target
def test_databricks_knows_every_field(name: str) -> None:
    resources, here = bundle(name), place(name)
    ours = [
        (JobSettings, resources["jobs"]["retail_analytics"]),
        (JobSettings, job_settings(JOB, here, pipeline_id="1", node_type="n2-highmem-4", notify="me@example.com")),
        (PipelineSpec, resources["pipelines"]["retail"]),
        (PipelineSpec, pipeline_spec(PIPELINE, here)),
        (SchemaInfo, resources["schemas"]["retail"]),
        *((VolumeInfo, volume) for volume in resources["volumes"].values()),
    ]
    assert [mistake for cls, document in ours for mistake in schema.check(document, cls)[1]] == []


def test_the_bundle_makes_the_storage_that_the_sdk_makes() -> None:
    resources = bundle("free")
    assert resources["schemas"]["retail"]["comment"] == SCHEMA_COMMENT
    assert {key: volume["comment"] for key, volume in resources["volumes"].items()} == COMMENTS
    assert all(volume["name"] == key for key, volume in resources["volumes"].items())


def test_the_targets_are_the_bundles_and_only_prod_has_a_job_cluster() -> None:
    targets = whole()["targets"]
    assert list(targets) == list(TARGETS) == ["free", "dev", "prod"]
    assert [name for name, each in targets.items() if each.get("default")] == ["free"]
    for name, target in TARGETS.items():
        assert targets[name]["mode"] == ("development" if target.development else "production")
        job = bundle(name)["jobs"]["retail_analytics"]
        assert ("job_clusters" in job) is target.classic
        assert ("environments" in job) is not target.classic
    (cluster,) = bundle("prod")["jobs"]["retail_analytics"]["job_clusters"]
    assert cluster["new_cluster"]["spark_version"] == "17.3.x-scala2.13"


def test_the_bundle_names_files_that_are_there() -> None:
    resources = bundle("free")
    tasks = resources["jobs"]["retail_analytics"]["tasks"]
    notebooks = [task["notebook_task"]["notebook_path"] for task in tasks if "notebook_task" in task]
    assert len(notebooks) == 2
    paths = [*notebooks, *whole()["sync"]["paths"]]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_what_databricks_installs_has_the_locks_versions() -> None:
    locked = {f"{name}=={version}" for name, version, _ in pins((ROOT / "requirements.lock").read_text("utf-8"))}
    assert set(PACKAGES) <= locked


def test_no_path_is_of_the_old_file_system() -> None:
    files = [BUNDLE, *(ROOT / "helpers" / "deploy").glob("*.py"), *(ROOT / JOB_FOLDER).glob("*.json")]
    assert [file.name for file in files if re.search(r"dbfs:|/dbfs/|/mnt/", file.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("user", "display_name", "short"),
    [
        ("Alice.B+x@example.com", "Alice B", "alice_b_x"),
        ("josé@example.com", None, "josé"),
        ("5c9e2f60-1111-4222-8333-123456789abc", "CI runner", "ci_runner"),
    ],
)
def test_a_development_copy_is_named_as_bundles_name_it(user: str, display_name: str | None, short: str) -> None:
    name = short_name(user, display_name=display_name)
    here = Place(TARGETS["dev"], user, name, "main")
    assert (here.prefix, here.full_schema) == (f"[dev {short}] ", f"main.dev_{short}_retail")
    assert here.tags["dev"].isascii()


def test_in_development_no_schedule_runs_and_in_production_the_definitions_own_does() -> None:
    running = copy.deepcopy(JOB)
    running["schedule"]["pause_status"] = "UNPAUSED"
    made = {name: job_settings(running, place(name), pipeline_id="1")["schedule"] for name in TARGETS}
    assert {name: schedule["pause_status"] for name, schedule in made.items()} == {
        "free": "PAUSED",
        "dev": "PAUSED",
        "prod": "UNPAUSED",
    }


def test_a_reference_that_nothing_fills_in_is_named() -> None:
    settings = {**PIPELINE, "configuration": {"landing": "${landing}", "day": "${today}"}}
    with pytest.raises(DeployError, match=r"\$\{today\}.*schema, landing"):
        pipeline_spec(settings, place("free"))
