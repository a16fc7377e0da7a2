"""A deployment in its order: first look at everything, then schema, volumes, files, pipeline, job.

Each step is safe to do again, so a deployment that was cut off is finished by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.deploy import catalog, lakeflow
from helpers.deploy.connection import Hand
from helpers.deploy.definitions import JOB_FOLDER, job_settings, pipeline_spec
from helpers.deploy.places import Place, Target, short_name
from helpers.deploy.sources import JOB_FOLDERS, sources
from helpers.deploy.uploading import synchronise

_ACCESS = "access to the workspace"


@dataclass(frozen=True)
class Deployment:
    """What to deploy, from which repository; None takes the target's or the definition's own."""

    target: Target
    repository: Path
    catalog: str | None = None
    schema: str = "retail"
    node_type: str | None = None
    notify: str | None = None

    @property
    def data(self) -> Path:
        return self.repository / "datasets" / "retail"

    def document(self, name: str) -> Mapping[str, Any]:
        """Read one of the job's JSON files."""
        found: Mapping[str, Any] = json.loads((self.repository / JOB_FOLDER / name).read_text(encoding="utf-8"))
        return found


def deploy(hand: Hand, what: Deployment) -> str | None:
    """Deploy and give the job's address; None when dry and the job is new. DeployError says what stopped it."""
    place = _place(hand, what)
    job, pipeline = what.document("job.json"), what.document("pipeline.json")
    spec = pipeline_spec(pipeline, place)
    hand.say(f"{place.target.name} as {place.user} on {hand.host}: {place.full_schema}")
    with hand.step("see what is there", needs=f"USE CATALOG on '{place.catalog}' and {_ACCESS}"):
        catalog.check_catalog(hand, place)
        missing = catalog.missing_volumes(hand, place)
        pipeline_id = lakeflow.find_pipeline(hand, place, spec["name"])
        job_id = lakeflow.find_job(hand, place, place.prefix + job["name"])
    _make_storage(hand, place, missing)
    with hand.step(f"write to {place.root}", needs="the right to edit your own folder of the workspace"):
        synchronise(hand, sources(what.repository, JOB_FOLDERS), place.root)
    with hand.step("upload the first files", needs=f"WRITE VOLUME on {place.volume('landing')}"):
        catalog.land_first(hand, place, what.data)
    with hand.step("create the pipeline", needs="serverless compute, and CAN MANAGE on a pipeline that is there"):
        pipeline_id = lakeflow.make_pipeline(hand, spec, pipeline_id=pipeline_id)
    settings = job_settings(
        job, place, pipeline_id=pipeline_id or "(new)", node_type=what.node_type, notify=what.notify
    )  # fmt: skip
    compute = "the right to create clusters" if place.target.classic else "serverless compute"
    with hand.step("create the job", needs=f"{compute}, and CAN MANAGE on a job that is there"):
        job_id = lakeflow.make_job(hand, settings, job_id=job_id)
    return f"{hand.host}/jobs/{job_id}" if job_id else None


def arrive(hand: Hand, what: Deployment) -> None:
    """Let files arrive in the landing volume, and change nothing else."""
    place = _place(hand, what)
    with hand.step("upload files", needs=f"WRITE VOLUME on {place.volume('landing')}"):
        catalog.land_next(hand, place, what.data)


def _place(hand: Hand, what: Deployment) -> Place:
    with hand.step("say who you are", needs=_ACCESS):
        me = hand.client.current_user.me()
    user = str(me.user_name)
    name = short_name(user, display_name=me.display_name)
    return Place(what.target, user, name, what.catalog or what.target.catalog, what.schema)


def _make_storage(hand: Hand, place: Place, missing: tuple[str, ...]) -> None:
    needs = f"USE CATALOG and CREATE SCHEMA on the catalog '{place.catalog}'"
    with hand.step(f"create the schema {place.full_schema}", needs=needs):
        catalog.make_schema(hand, place)
    with hand.step("create the volumes", needs=f"CREATE VOLUME on the schema {place.full_schema}"):
        catalog.make_volumes(hand, place, missing)
