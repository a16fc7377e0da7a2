"""Lakeflow Jobs on one machine: Databricks' own job JSON, run by processes here.

Loaded name by name: a task's kernel needs `get_dbutils` only, and the rest would cost it a second.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.jobs.bundle import load_bundle_job
    from helpers.jobs.cancel import cancel_run
    from helpers.jobs.definition import check_definition, load_job, parse_job
    from helpers.jobs.errors import JobDefinitionError, JobError, JobSyntaxError
    from helpers.jobs.live import live_view, summary, task_table
    from helpers.jobs.model import Job
    from helpers.jobs.record import Run, TaskRun, list_runs, load_run
    from helpers.jobs.repair import repair_run
    from helpers.jobs.run import run_job
    from helpers.jobs.upcoming import NextRuns, next_fire_times
    from helpers.jobs.values import get_dbutils
    from helpers.jobs.watching import watch_job

_HOMES = {
    "Job": "model",
    "JobDefinitionError": "errors",
    "JobError": "errors",
    "JobSyntaxError": "errors",
    "NextRuns": "upcoming",
    "Run": "record",
    "TaskRun": "record",
    "cancel_run": "cancel",
    "check_definition": "definition",
    "get_dbutils": "values",
    "list_runs": "record",
    "live_view": "live",
    "load_bundle_job": "bundle",
    "load_job": "definition",
    "load_run": "record",
    "next_fire_times": "upcoming",
    "parse_job": "definition",
    "repair_run": "repair",
    "run_job": "run",
    "summary": "live",
    "task_table": "live",
    "watch_job": "watching",
}

__all__ = [
    "Job",
    "JobDefinitionError",
    "JobError",
    "JobSyntaxError",
    "NextRuns",
    "Run",
    "TaskRun",
    "cancel_run",
    "check_definition",
    "get_dbutils",
    "list_runs",
    "live_view",
    "load_bundle_job",
    "load_job",
    "load_run",
    "next_fire_times",
    "parse_job",
    "repair_run",
    "run_job",
    "summary",
    "task_table",
    "watch_job",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"helpers.jobs.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'helpers.jobs' has no attribute '{name}'")
