"""The pipeline and the job in the workspace: found by name and tag, then made or brought up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.deploy.connection import Hand
from helpers.deploy.errors import Occupied
from helpers.deploy.places import TAG, Place


def find_pipeline(hand: Hand, place: Place, name: str) -> str | None:
    """Give our pipeline's id, None when there is no pipeline of this name; Occupied when it is not ours."""
    listed = hand.client.pipelines.list_pipelines(filter=f"name LIKE '{name}'")
    # LIKE takes an underscore for any character.
    ids = [str(each.pipeline_id) for each in listed if each.name == name]
    tags = {each: _tags(hand.client.pipelines.get(each).spec) for each in ids}
    return _ours("pipeline", name, place, tags)


def find_job(hand: Hand, place: Place, name: str) -> int | None:
    """Give our job's id, None when there is no job of this name; Occupied when it is not ours."""
    listed = [each for each in hand.client.jobs.list(name=name) if each.settings and each.settings.name == name]
    found = _ours("job", name, place, {str(each.job_id): _tags(each.settings) for each in listed})
    return int(found) if found else None


def make_pipeline(hand: Hand, settings: Mapping[str, Any], *, pipeline_id: str | None) -> str | None:
    """Create or update the pipeline and give its id; None when dry and new."""
    from databricks.sdk.service.pipelines import PipelineSpec

    spec, pipelines = PipelineSpec.from_dict(dict(settings)).as_shallow_dict(), hand.client.pipelines
    if pipeline_id:
        hand.do("update", f"pipeline '{settings['name']}'", lambda: pipelines.update(pipeline_id, **spec))
        return pipeline_id
    made = hand.do("create", f"pipeline '{settings['name']}'", lambda: pipelines.create(**spec))
    return made.pipeline_id if made else None


def make_job(hand: Hand, settings: Mapping[str, Any], *, job_id: int | None) -> int | None:
    """Create or reset the job and give its id; None when dry and new."""
    from databricks.sdk.service.jobs import JobSettings

    new, jobs = JobSettings.from_dict(dict(settings)), hand.client.jobs
    if job_id:
        hand.do("update", f"job '{new.name}'", lambda: jobs.reset(job_id, new))
        return job_id
    made = hand.do("create", f"job '{new.name}'", lambda: jobs.create(**new.as_shallow_dict()))
    return made.job_id if made else None


def _tags(settings: Any) -> Mapping[str, str]:
    return (settings.tags if settings else None) or {}


def _ours(kind: str, name: str, place: Place, found: Mapping[str, Mapping[str, str]]) -> str | None:
    ours = [each for each, tags in found.items() if tags.get(TAG) == place.target.name]
    if found and not ours:
        which, tags = next(iter(found.items()))
        whose = f"is the target '{tags[TAG]}'s" if TAG in tags else f"has no tag '{TAG}', so `deploy` did not make it"
        raise Occupied(
            f"There is a {kind} '{name}' ({which}) that {whose}. It was left alone; nothing was changed. Delete or "
            "rename it (a bundle's: `databricks bundle destroy`), then run the same command again."
        )
    return min(ours, default=None)
