"""What a deployment says when a workspace refuses, is not there, or holds something of the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import cli
from helpers.deploy import (
    TARGETS,
    CatalogMissing,
    DeployError,
    Deployment,
    NoCredentials,
    NotAllowed,
    NotReached,
    Occupied,
    QuotaReached,
    connect,
    deploy,
)
from tests.unit.deploy_fixtures import SCHEMA, free, hand, no_workspace, repository, workspace
from tests.unit.deploy_workspace import TOKEN, Refused, Workspace

__all__ = ["no_workspace", "repository", "workspace"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("POST /api/2.1/unity-catalog/schemas", r"create the schema .*CREATE SCHEMA on the catalog 'workspace'"),
        ("POST /api/2.1/unity-catalog/volumes", r"create the volumes.*CREATE VOLUME on the schema"),
        ("PUT /api/2.0/fs/files", r"upload the first files.*WRITE VOLUME on /Volumes/"),
        ("POST /api/2.2/jobs/create", r"create the job.*serverless compute"),
    ],
)
def test_a_missing_privilege_is_named(request_: str, said: str, workspace: Workspace, repository: Path) -> None:
    def refuse(method: str, path: str) -> Refused | None:
        wanted = f"{method} {path}".startswith(request_)
        return Refused(403, "PERMISSION_DENIED", "User does not have it.") if wanted else None

    workspace.refuse = refuse
    with pytest.raises(NotAllowed, match=rf"^You may not {said}.* run the same command again to finish it\.$"):
        deploy(hand(), free(repository))


@pytest.mark.parametrize(
    ("answer", "expected", "said"),
    [
        (Refused(400, "QUOTA_EXCEEDED", "Too many pipelines"), QuotaReached, r"quota.*create the pipeline.*Too many"),
        (Refused(403, "PERMISSION_DENIED", f"Invalid access token {TOKEN}."), NoCredentials, r"\*\*\*.*auth login"),
    ],
)
def test_other_refusals_say_what_to_do_and_never_the_token(
    answer: Refused, expected: type[DeployError], said: str, workspace: Workspace, repository: Path
) -> None:
    workspace.refuse = lambda method, path: answer if (method, path) == ("POST", "/api/2.0/pipelines") else None
    with pytest.raises(expected, match=said) as caught:
        deploy(hand(), free(repository))
    assert TOKEN not in str(caught.value)


def test_a_catalog_that_is_not_there_is_named_with_those_that_are(workspace: Workspace, repository: Path) -> None:
    with pytest.raises(CatalogMissing, match=r"no catalog 'sales'.*main, samples, workspace.*--catalog"):
        deploy(hand(), Deployment(TARGETS["free"], repository, catalog="sales"))
    assert workspace.writes == []


def test_what_it_did_not_make_is_never_touched(workspace: Workspace, repository: Path) -> None:
    deploy(hand(), free(repository))
    (job,), (pipeline,) = workspace.jobs.values(), workspace.pipelines.values()
    volume = workspace.volumes[f"{SCHEMA}.landing"]
    workspace.requests.clear()
    for owned, key, value, said in (
        (job, "tags", {}, r"a job .* has no tag 'lakeprep'"),
        (pipeline, "tags", {"lakeprep": "dev"}, r"a pipeline .* is the target 'dev's"),
        (volume, "comment", "mine", r"a volume .* that Lakeprep did not make.*--schema"),
    ):
        before, owned[key] = owned[key], value
        with pytest.raises(Occupied, match=said):
            deploy(hand(), free(repository))
        owned[key] = before
    assert workspace.writes == []


def test_without_credentials_the_ways_to_give_them_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["deploy", "--dry-run"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for way in ("databricks auth login", "--profile", "DATABRICKS_HOST", "DATABRICKS_CLIENT_ID", "Free Edition"):
        assert way in said


def test_credentials_that_the_workspace_refuses_are_not_shown(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-old-and-secret")
    assert cli.main(["deploy", "--target", "dev"]) == 1
    said = capfd.readouterr()
    assert f"{workspace.host} does not accept the credentials" in said.err
    assert "old-and-secret" not in said.out + said.err
    assert "Config:" not in said.err


def test_a_workspace_that_does_not_answer_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, no_workspace: None
) -> None:
    monkeypatch.setattr("helpers.deploy.connection._LOOKING_SECONDS", 1)
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    with pytest.raises(NotReached, match=r"^http://127.0.0.1:9 does not answer \(Connection refused\)\. "):
        connect()


def test_a_profile_that_is_asked_for_is_the_workspace_or_nothing_is(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "nobody" / ".databrickscfg"
    with pytest.raises(NoCredentials, match=rf"there is no profile 'work' in {file}\. Sign in with"):
        connect(profile="work")
    file.parent.mkdir()
    file.write_text(f"[work]\nhost = {workspace.host}/\ntoken = {TOKEN}\n[other]\nhost = https://other.example.com\n")
    with pytest.raises(NoCredentials, match=rf"other\.example\.com, and DATABRICKS_HOST is {workspace.host}\. Unset"):
        connect(profile="other")
    assert connect(profile="work").config.host == workspace.host
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    assert connect(profile="work").config.token == TOKEN
