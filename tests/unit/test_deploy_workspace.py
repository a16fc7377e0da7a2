"""A deployment to a workspace that a local server plays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import cli
from helpers.deploy import TARGETS, DeployError, Deployment, arrive, deploy
from helpers.deploy.places import COMMENTS
from helpers.deploy.sources import JOB_FOLDERS, sources
from helpers.runtime import places
from tests.unit.deploy_fixtures import FILES, LANDING, ROOT, SCHEMA, free, hand, no_workspace, repository, workspace
from tests.unit.deploy_workspace import USER, Refused, Workspace, serving

__all__ = ["no_workspace", "repository", "workspace"]


def test_the_first_deployment_makes_everything_that_the_job_needs(workspace: Workspace, repository: Path) -> None:
    lines: list[str] = []
    address = deploy(hand(lines), free(repository))
    assert set(workspace.schemas) == {SCHEMA}
    assert set(workspace.volumes) == {f"{SCHEMA}.landing", f"{SCHEMA}.reports"}
    assert set(workspace.notebooks) == {
        f"{FILES}/solutions/retail_job/{name}" for name in ("setup_environment", "create_dashboard")
    }
    uploaded = {path.removeprefix(f"{FILES}/") for path in workspace.files}
    assert {"helpers/__init__.py", "solutions/retail_job/pipeline/bronze.sql", "lakeprep.json"} <= uploaded
    assert [path for path in uploaded if "__pycache__" in path] == []
    landed = {path.removeprefix(f"{LANDING}/"): content for path, content in workspace.landed.items()}
    assert {name: (repository / "datasets/retail" / name).read_bytes() for name in landed} == landed
    assert len([name for name in landed if name.startswith("transactions/")]) == 7
    ((pipeline_id, pipeline),) = workspace.pipelines.items()
    ((job_id, job),) = workspace.jobs.items()
    assert pipeline["name"] == "[dev alice_b] retail"
    assert {task["pipeline_task"]["pipeline_id"] for task in job["tasks"] if "pipeline_task" in task} == {pipeline_id}
    assert address == f"{workspace.host}/jobs/{job_id}"
    assert lines == [
        f"free as {USER} on {workspace.host}: {SCHEMA}",
        f"created schema {SCHEMA}",
        f"created volume {LANDING}",
        f"created volume {LANDING.replace('landing', 'reports')}",
        f"uploaded {len(uploaded) - 1 + 2} files to {FILES}",
        f"uploaded {len(landed)} files of 2017-01-01 to 2017-01-07 to {LANDING}",
        "created pipeline '[dev alice_b] retail'",
        "created job '[dev alice_b] DLT-Pipeline-Retail-Analytics'",
    ]


def test_the_second_deployment_updates_what_is_there_and_uploads_nothing(
    workspace: Workspace, repository: Path
) -> None:
    first = deploy(hand(), free(repository))
    workspace.requests.clear()
    (job,) = workspace.jobs.values()
    job["schedule"]["pause_status"], job["max_concurrent_runs"] = "UNPAUSED", 5
    assert deploy(hand(), free(repository)) == first
    (pipeline_id,) = workspace.pipelines
    assert workspace.writes == [f"PUT /api/2.0/pipelines/{pipeline_id}", "POST /api/2.2/jobs/reset"]
    (job,) = workspace.jobs.values()
    assert (job["schedule"]["pause_status"], job["max_concurrent_runs"]) == ("PAUSED", 1)


def test_only_changed_files_are_uploaded_and_only_our_own_are_deleted(workspace: Workspace, repository: Path) -> None:
    deploy(hand(), free(repository))
    workspace.files[f"{FILES}/notes.md"] = b"the learner's own"
    workspace.landed[f"{LANDING}/transactions/2017-01-03.json"] = b"cut off"
    sources = repository / "solutions" / "retail_job"
    (sources / "pipeline" / "silver.sql").unlink()
    (sources / "pipeline" / "gold.sql").write_text("-- new\n", encoding="utf-8")
    lines: list[str] = []
    deploy(hand(lines), free(repository))
    folder = f"{FILES}/solutions/retail_job/pipeline"
    assert f"{folder}/silver.sql" not in workspace.files
    assert workspace.files[f"{folder}/gold.sql"] == b"-- new\n"
    assert workspace.files[f"{FILES}/notes.md"] == b"the learner's own"
    assert lines[2:5] == [
        f"uploaded 1 files to {FILES}",
        f"deleted {folder}/silver.sql",
        f"uploaded 1 files of 2017-01-03 to {LANDING}",
    ]


def test_a_deployment_that_was_cut_off_again_and_again_is_finished_by_the_last(
    workspace: Workspace, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cut, after in (
        ("POST /api/2.1/unity-catalog/volumes", 1),
        ("POST /api/2.0/workspace/import", 5),
        ("PUT /api/2.0/fs/files", 9),
        ("POST /api/2.0/pipelines", 0),
        ("POST /api/2.2/jobs/create", 0),
    ):
        workspace.refuse = cutting(cut, after=after)
        with pytest.raises(DeployError, match=r"The cable is out\..*run the same command again"):
            deploy(hand(), free(repository))
        assert workspace.jobs == {}
    workspace.refuse = lambda method, path: None
    deploy(hand(), free(repository))
    with serving(Workspace()) as undisturbed:
        monkeypatch.setenv("DATABRICKS_HOST", undisturbed.host)
        deploy(hand(), free(repository))
    for what in ("schemas", "volumes", "files", "notebooks", "landed"):
        assert getattr(workspace, what) == getattr(undisturbed, what), what
    assert (len(workspace.pipelines), len(workspace.jobs)) == (1, 1)


def test_a_file_that_a_cut_off_deployment_brought_goes_when_it_is_gone_here(
    workspace: Workspace, repository: Path
) -> None:
    deploy(hand(), free(repository))
    extra = repository / "solutions/retail_job/pipeline/extra.sql"
    extra.write_text("-- a mistake\n", encoding="utf-8")
    workspace.refuse = cutting("POST /api/2.0/workspace/import", after=2)
    with pytest.raises(DeployError, match="The cable is out"):
        deploy(hand(), free(repository))
    there = f"{FILES}/solutions/retail_job/pipeline/extra.sql"
    assert there in workspace.files
    extra.unlink()
    workspace.refuse = lambda method, path: None
    deploy(hand(), free(repository))
    assert there not in workspace.files


def cutting(cut: str, *, after: int) -> Callable[[str, str], Refused | None]:
    """Refuse everything once that many of these requests were answered."""
    seen = []

    def refuse(method: str, path: str) -> Refused | None:
        if f"{method} {path}".startswith(cut):
            seen.append(path)
        return Refused(500, "INTERNAL_ERROR", "The cable is out") if len(seen) > after else None

    return refuse


def test_a_dry_run_says_what_a_deployment_would_do_and_writes_nothing(workspace: Workspace, repository: Path) -> None:
    lines: list[str] = []
    assert deploy(hand(lines, dry=True), free(repository)) is None
    assert workspace.writes == []
    real: list[str] = []
    deploy(hand(real), free(repository))
    past = {"create": "created", "upload": "uploaded"}
    assert [" ".join([past[line.split()[1]], *line.split()[2:]]) for line in lines[1:]] == real[1:]


def test_production_has_plain_names_a_job_cluster_and_its_own_settings(workspace: Workspace, repository: Path) -> None:
    what = Deployment(TARGETS["prod"], repository, node_type="Standard_D4ds_v5", notify="night@example.com")
    deploy(hand(), what)
    (job,), (pipeline,) = workspace.jobs.values(), workspace.pipelines.values()
    assert (job["name"], pipeline["name"], set(workspace.schemas)) == (
        "DLT-Pipeline-Retail-Analytics", "retail", {"main.retail"},
    )  # fmt: skip
    (cluster,) = job["job_clusters"]
    assert cluster["new_cluster"]["node_type_id"] == "Standard_D4ds_v5"
    assert cluster["new_cluster"]["spark_version"].startswith("17.3.")
    assert job["email_notifications"]["on_failure"] == ["night@example.com"]
    assert "development" not in pipeline


def test_files_arrive_in_the_volume_of_a_bundle_a_week_and_then_a_day_at_a_time(
    workspace: Workspace, repository: Path
) -> None:
    with pytest.raises(DeployError, match=r"no volume /Volumes/.*Deploy first"):
        arrive(hand(), free(repository))
    workspace.schemas[SCHEMA] = {}
    workspace.volumes[f"{SCHEMA}.landing"] = {"comment": COMMENTS["landing"]}
    lines: list[str] = []
    for _ in range(4):
        arrive(hand(lines), free(repository))
    assert [line.partition(" to /")[0].partition(" files of ")[2] or line for line in lines] == [
        "2017-01-01 to 2017-01-07",
        "2017-01-08",
        "2017-01-09",
        "No day is left to arrive: all of them have landed.",
    ]
    assert workspace.jobs == workspace.pipelines == {}


def test_the_command_deploys_the_repository_that_it_is_in(
    workspace: Workspace, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "REPO_ROOT", repository)
    assert cli.main(["deploy", "--target", "elsewhere"]) == 2
    assert "free, dev, prod" in capsys.readouterr().err
    assert cli.main(["deploy"]) == 0
    out = capsys.readouterr().out.splitlines()
    (job_id,) = workspace.jobs
    assert out[-1] == f"The job is ready: {workspace.host}/jobs/{job_id}"
    assert json.loads(workspace.files[f"{FILES}/lakeprep.json"])["version"] == 1
    assert cli.main(["deploy", "--arrive"]) == 0
    assert "uploaded" in capsys.readouterr().out
    assert f"{LANDING}/transactions/2017-01-08.json" in workspace.landed


def test_everything_that_the_notebooks_import_is_uploaded_and_no_module_would_become_a_notebook() -> None:
    files = {file.path: file.content for file in sources(ROOT, JOB_FOLDERS)}
    assert {"helpers/lab/task.py", "helpers/charts/report.py", "solutions/retail_job/job.json"} <= files.keys()
    assert [path for path, content in files.items() if b"# Databricks notebook source" in content[:40]] == []
