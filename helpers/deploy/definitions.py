"""From `job.json` and `pipeline.json` to what a workspace takes for one target; pure.

What changes: paths become absolute, names get the target's prefix, parameters name the target's schema and volumes,
and the notebooks' compute is serverless or the job cluster.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from helpers.deploy.errors import DeployError
from helpers.deploy.places import Place
from helpers.jobs.files import PIPELINE_ID

JOB_FOLDER = "solutions/retail_job"
#: What `helpers` needs beside a Databricks runtime, in the versions of requirements.lock.
PACKAGES = ("plotly==7.1.0", "sqlglot==30.30.0")
ENVIRONMENT = "retail_environment"
#: Python 3.12; each version is kept for three years.
ENVIRONMENT_VERSION = "4"
_REFERENCE = re.compile(r"\$\{(\w+)\}")


def parameters(place: Place) -> dict[str, str]:
    """Give the job's parameters for this target."""
    report = f"{place.volume('reports')}/retail_report.html"
    return {"schema": place.full_schema, "landing": place.volume("landing"), "report": report}


def pipeline_spec(settings: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Give the `PipelineSpec` of this target, as JSON."""
    values = {"schema": place.schema, "landing": place.volume("landing")}
    made = copy.deepcopy(dict(settings))
    made |= {"name": place.prefix + made["name"], "catalog": place.catalog, "tags": place.tags}
    made["schema"] = _filled(made["schema"], values)
    made["configuration"] = {key: _filled(text, values) for key, text in made["configuration"].items()}
    made["libraries"] = [
        {"glob": {"include": f"{place.root}/{JOB_FOLDER}/{each['glob']['include']}"}} for each in made["libraries"]
    ]
    return {**made, "development": True} if place.target.development else made


def job_settings(
    definition: Mapping[str, Any],
    place: Place,
    *,
    pipeline_id: str,
    node_type: str | None = None,
    notify: str | None = None,
) -> dict[str, Any]:
    """Give the `JobSettings` of this target, as JSON; `notify` and `node_type` replace those of the definition."""
    made = copy.deepcopy(dict(definition))
    made |= {"name": place.prefix + made["name"], "tags": place.tags}
    given = parameters(place)
    made["parameters"] = [{**each, "default": given.get(each["name"], each["default"])} for each in made["parameters"]]
    if place.target.development:
        made["schedule"]["pause_status"] = "PAUSED"
    if notify:
        made["email_notifications"] = {event: [notify] for event in made["email_notifications"]}
    for task in made["tasks"]:
        _locate(task, place, pipeline_id)
    (_classic if place.target.classic else _serverless)(made)
    if node_type and place.target.classic:
        for cluster in made["job_clusters"]:
            cluster["new_cluster"]["node_type_id"] = node_type
    return made


def _locate(task: dict[str, Any], place: Place, pipeline_id: str) -> None:
    if notebook := task.get("notebook_task"):
        # A workspace leaves out a notebook's ending.
        path = notebook["notebook_path"].removesuffix(".ipynb")
        notebook["notebook_path"] = f"{place.root}/{JOB_FOLDER}/{path}"
    pipeline = task.get("pipeline_task")
    if pipeline and PIPELINE_ID.fullmatch(pipeline["pipeline_id"]):
        pipeline["pipeline_id"] = pipeline_id


def _serverless(job: dict[str, Any]) -> None:
    spec = {"environment_version": ENVIRONMENT_VERSION, "dependencies": list(PACKAGES)}
    del job["job_clusters"]
    job["environments"] = [{"environment_key": ENVIRONMENT, "spec": spec}]
    for task in job["tasks"]:
        if task.pop("job_cluster_key", None):
            task["environment_key"] = ENVIRONMENT


def _classic(job: dict[str, Any]) -> None:
    for task in job["tasks"]:
        if "job_cluster_key" in task:
            task["libraries"] = [{"pypi": {"package": package}} for package in PACKAGES]


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            known = ", ".join(values)
            raise DeployError(f"pipeline.json uses {found[0]}, which a deployment does not know. Use one of {known}.")
        return values[found[1]]

    return _REFERENCE.sub(value, text)
