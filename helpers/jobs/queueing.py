"""A run that is one too many: it waits for a place where its job has a queue, and is skipped where it has none."""

from __future__ import annotations

from helpers.jobs.crew import INTERRUPT, Crew
from helpers.jobs.model import Job
from helpers.jobs.registry import Admission
from helpers.jobs.scribe import Scribe

#: As long as Databricks keeps a run in the queue.
MOST_SECONDS = 48 * 3600
_LOOK_EVERY = 0.5


def may_wait(job: Job) -> bool:
    """Whether a run of this job that is one too many is queued; where no run is allowed, none ever gets a place."""
    return job.queue and job.max_concurrent_runs > 0


def wait_for_place(admission: Admission, crew: Crew, scribe: Scribe, *, why: str) -> str | None:
    """Wait in line; gives None once there is a place, else the result with which the run ends."""
    admission.line_up()
    scribe.record({"type": "run_queued", "state_message": why})
    until = crew.clock.elapsed() + MOST_SECONDS
    while admission.enter():
        now = crew.clock.elapsed()
        if now >= until:
            return "MAXIMUM_CONCURRENT_RUNS_REACHED"
        if crew.wait([min(until, now + _LOOK_EVERY)]) is INTERRUPT:
            return "CANCELED"
    scribe.record({"type": "run_admitted"})
    return None
