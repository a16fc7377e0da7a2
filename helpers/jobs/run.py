"""Run a job, from its definition to the ended record."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.jobs import references, registry
from helpers.jobs.attempt import COMMANDS
from helpers.jobs.book import Book
from helpers.jobs.clock import Clock
from helpers.jobs.crew import Means
from helpers.jobs.definition import job_from
from helpers.jobs.model import Job
from helpers.jobs.opening import checked_parameters, opened, record_errors
from helpers.jobs.queueing import may_wait
from helpers.jobs.references import Values
from helpers.jobs.runner import Runner
from helpers.jobs.runs import Run
from helpers.jobs.scribe import Scribe, Watcher
from helpers.runtime.places import Places
from helpers.runtime.processes import Process


def run_job(
    definition: Job | Mapping[str, Any] | Path,
    *,
    places: Places,
    base_dir: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    show: bool = False,
    clock: Clock | None = None,
    on_event: Watcher | None = None,
    commands: Mapping[str, Sequence[str]] = COMMANDS,
    environment: Mapping[str, str] = os.environ,
    parallelism: int = 4,
    grace_seconds: float = 10.0,
    trigger: Mapping[str, str] = references.BY_HAND,
) -> Run:
    """Run a job to its end and give its record; a failed task is a result, not an exception.

    `definition` is a dictionary as the Jobs API has it, whose paths are relative to `base_dir`, or its file, or a
    loaded job. `parameters` replace the job's defaults. `show` prints each change; `on_event` sees the run after each
    event. `grace_seconds` is how long a task that must stop has between TERM and KILL. `trigger` is what starts the
    run: the texts of `{{job.trigger.type}}` and the like. Ctrl-C cancels the run.
    JobDefinitionError with every mistake, UnknownParameter when the job has no such parameter, JobError when the record
    cannot be written.
    """
    job = job_from(definition, base_dir=base_dir)
    given = checked_parameters(job, parameters or {})
    means = Means(places.root, clock or Clock(), commands, environment, parallelism, grace_seconds)
    with record_errors(places.runs):
        job_id = registry.job_id(places.runs, job.identity)
        run_id, folder = registry.new_run(places.runs, now_ms=means.clock.now_ms())
    values = Values(job_id, job.name, run_id, means.clock.now_ms(), trigger=trigger)
    values = replace(values, parameters={name: references.resolve(text, values) for name, text in given.items()})
    with (
        opened(folder, means, places=places, on_event=on_event, show=show) as (scribe, crew),
        registry.admission(places.runs, job=job_id, run=run_id, limit=job.max_concurrent_runs) as admission,
    ):
        other = admission.enter()
        if other and not may_wait(job):
            return _skip(job, scribe, values, other)
        book = Book(run_id * registry.TASK_IDS + 1)
        for task in job.tasks:
            book.enter(task.key)
        scribe.begin(job, values, ids=book.ids)
        runner = Runner(job, folder, crew, scribe, book=book, values=values)
        return runner.run() if other is None else runner.run_after(admission, other)


def _skip(job: Job, scribe: Scribe, values: Values, other: tuple[int, Process]) -> Run:
    """End at once: the job has as many runs already as it may."""
    scribe.begin(job, values, ids={})
    said = registry.too_many(job.name, job.max_concurrent_runs, other)
    return scribe.end(job.notifications, "MAXIMUM_CONCURRENT_RUNS_REACHED", message=said, life_cycle="SKIPPED")
