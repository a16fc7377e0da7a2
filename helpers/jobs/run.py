"""The runner: one process for each attempt of a task, several side by side, everything written down as it happens.

The order comes from :mod:`helpers.jobs.plan`; the runner itself only starts, waits and takes in. It sleeps until a
process ends or a time is due, so its own cost a task is a few file writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from helpers.jobs import plan, references, registry
from helpers.jobs.attempt import COMMANDS, Outcome
from helpers.jobs.clock import Clock
from helpers.jobs.context import JobContext
from helpers.jobs.crew import INTERRUPT, Crew, Means
from helpers.jobs.errors import JobError, UnknownParameter, UnresolvedReference
from helpers.jobs.model import Job, Task
from helpers.jobs.record import Run
from helpers.jobs.references import Values
from helpers.jobs.schema import nearest
from helpers.jobs.scribe import Scribe, Watcher
from helpers.runtime.places import Places
from helpers.runtime.processes import Process


def run_job(
    job: Job,
    *,
    places: Places,
    parameters: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    on_event: Watcher | None = None,
    commands: Mapping[str, Sequence[str]] = COMMANDS,
    environment: Mapping[str, str] = os.environ,
    parallelism: int = 4,
    grace_seconds: float = 10.0,
) -> Run:
    """Run a job to its end and give its record; a failed task is a result, not an exception.

    `parameters` replace the job's defaults. `on_event` sees the run after each event. `grace_seconds` is how long a
    task that must stop has between TERM and KILL. Ctrl-C cancels the run. UnknownParameter when the job has no such
    parameter, JobError when the record cannot be written.
    """
    given = _parameters(job, parameters or {})
    means = Means(places.root, clock or Clock(), commands, environment, parallelism, grace_seconds)
    try:
        job_id = registry.job_id(places.runs, job.source)
        run_id, folder = registry.new_run(places.runs, now_ms=means.clock.now_ms())
        scribe = Scribe(folder, clock=means.clock, on_event=on_event, outbox=places.outbox, environment=environment)
        runner = _Runner(job, folder, means, scribe, job_id=job_id, run_id=run_id, parameters=given)
        with registry.admitted(places.runs, job=job_id, run=run_id, limit=job.max_concurrent_runs) as other:
            return runner.skip(other) if other else runner.run()
    except OSError as error:
        said = error.strerror or error
        raise JobError(f"the record of the run in {places.runs} cannot be written: {said}; make room there") from error


class _Runner:
    """One run while it runs."""

    def __init__(
        self,
        job: Job,
        folder: Path,
        means: Means,
        scribe: Scribe,
        *,
        job_id: int,
        run_id: int,
        parameters: Mapping[str, str],
    ) -> None:
        self._job, self._folder, self._scribe = job, folder, scribe
        self._clock, self._crew = means.clock, Crew(means)
        self._values = Values(job_id, job.name, run_id, self._clock.now_ms())
        self._parameters = {name: references.resolve(text, self._values) for name, text in parameters.items()}
        self._results: dict[str, str] = {}
        self._task_values: dict[str, Mapping[str, Any]] = {}
        self._retry_at: dict[str, float] = {}
        self._queued: set[str] = set()
        self._attempts = dict.fromkeys((task.key for task in job.tasks), 0)
        first = run_id * registry.TASK_IDS + 1
        self._ids = {task.key: first + place for place, task in enumerate(job.tasks)}
        self._next_id = first + len(job.tasks)

    def run(self) -> Run:
        """Run everything and give the ended run."""
        try:
            with self._crew.interruptible():
                self._begin(self._job.tasks)
                self._scribe.tell(self._job.emails, None)
                result, why = self._loop()
                return self._scribe.end(self._job.emails, result, message=why)
        except BaseException as error:
            self._crew.kill()
            self._scribe.break_off(error)
            raise
        finally:
            self._scribe.close()

    def skip(self, other: tuple[int, Process]) -> Run:
        """End at once: the job has as many runs already as it may."""
        limit, (run_id, process) = self._job.max_concurrent_runs, other
        said = f"max_concurrent_runs of job '{self._job.name}' is {limit}"
        if limit:
            said += f" and run {run_id} (pid {process.pid}) still runs; wait for it, or stop it"
        try:
            self._begin(())
            state = "MAXIMUM_CONCURRENT_RUNS_REACHED"
            return self._scribe.end(self._job.emails, state, message=said, life_cycle="SKIPPED")
        finally:
            self._scribe.close()

    def _begin(self, tasks: Sequence[Task]) -> None:
        job_id, run_id = self._values.job_id, self._values.run_id
        self._scribe.begin(
            self._job, job_id=job_id, run_id=run_id, parameters=self._parameters, tasks=tasks, ids=self._ids
        )

    def _loop(self) -> tuple[str, str]:
        """Start, wait and take in until nothing is left; gives the run's result and what to say about it."""
        limit = self._job.timeout_seconds
        ends = self._clock.elapsed() + limit if limit else None
        while not self._advance():
            due = list(self._retry_at.values()) if self._crew.has_room else []
            item = self._crew.wait(due if ends is None else [*due, ends])
            if item is INTERRUPT:
                return self._stop_all("CANCELED", "the run was canceled")
            if item is not None:
                self._take_in(item)
            if ends is not None and self._clock.elapsed() >= ends:
                return self._stop_all("TIMEDOUT", f"the run reached its time-out of {limit} s")
            self._crew.stop_late()
            self._scribe.note_mails()
        return plan.run_result(self._job.nodes, self._results), _first_failure(self._scribe.run)

    def _stop_all(self, result: str, why: str) -> tuple[str, str]:
        for key in self._crew.stop_all(why):
            self._take_in(key)
        for key, mark in plan.after_cancel(self._job.nodes, self._results).items():
            self._mark(key, mark)
        return result, why

    def _advance(self) -> bool:
        """Mark and start whatever may be; True when every task has ended."""
        step = plan.next_step(self._job.nodes, self._results)
        for key, mark in step.marked.items():
            self._mark(key, mark)
        now = self._clock.elapsed()
        for key in step.ready:
            if key in self._crew or self._retry_at.get(key, now) > now:
                continue
            if self._crew.has_room:
                self._start(self._job.task(key))
            elif key not in self._queued:
                self._queued.add(key)
                self._add("task_waiting", key, life_cycle_state="QUEUED")
        return len(self._results) == len(self._job.tasks)

    def _start(self, task: Task) -> None:
        key, number = task.key, self._attempts[task.key]
        self._retry_at.pop(key, None)
        self._queued.discard(key)
        folder = self._folder / "tasks" / f"{key}-{number}"
        self._add("task_started", key, folder=str(folder.relative_to(self._folder)))
        if number == 0 or not task.emails.alert_on_last_attempt:
            self._scribe.tell(task.emails, None, task_key=key)
        started = self._clock.elapsed()
        try:
            self._crew.start(task, self._context(task, folder))
        except (OSError, UnresolvedReference) as error:
            self._end_attempt(task, Outcome("FAILED", error=f"{type(error).__name__}: {error}"), started=started)

    def _context(self, task: Task, folder: Path) -> JobContext:
        values = replace(
            self._values,
            parameters=self._parameters,
            task_key=task.key,
            task_run_id=self._ids[task.key],
            results=self._results,
            task_values=self._task_values,
        )
        own = {name: references.resolve(text, values) for name, text in task.work.parameters.items()}
        return JobContext(
            folder=str(folder),
            job_id=values.job_id,
            run_id=values.run_id,
            task_key=task.key,
            task_run_id=self._ids[task.key],
            attempt_number=self._attempts[task.key],
            parameters={**own, **self._parameters},
            task_values=self._task_values,
            tasks=tuple(task.key for task in self._job.tasks),
        )

    def _take_in(self, key: str) -> None:
        started, outcome = self._crew.take(key)
        self._end_attempt(self._job.task(key), outcome, started=started)

    def _end_attempt(self, task: Task, outcome: Outcome, *, started: float) -> None:
        key, number = task.key, self._attempts[task.key]
        if outcome.values:
            self._task_values[key] = outcome.values
        self._add("task_ended", key, **asdict(outcome))
        again = plan.may_retry(
            outcome.result_state, attempt=number, max_retries=task.max_retries, retry_on_timeout=task.retry_on_timeout
        )
        if not (again and task.emails.alert_on_last_attempt):
            self._scribe.tell(task.emails, outcome.result_state, task_key=key)
        if not again:
            self._results[key] = outcome.result_state
            return
        self._attempts[key] = number + 1
        self._ids[key], self._next_id = self._next_id, self._next_id + 1
        self._retry_at[key] = started + task.min_retry_interval_millis / 1000
        self._add("task_waiting", key, life_cycle_state="WAITING_FOR_RETRY")

    def _mark(self, key: str, mark: str) -> None:
        """End a task that never ran."""
        upstream = self._job.task(key).depends_on
        bad = [f"{name} {self._results[name]}" for name in upstream if self._results.get(name) not in plan.GOOD]
        why = "the run ended first" if mark == "CANCELED" else ", ".join(bad) or "nothing that it handles has failed"
        self._results[key] = mark
        self._add("task_ended", key, result_state=mark, state_message=f"did not run: {why}")
        self._scribe.tell(self._job.task(key).emails, mark, task_key=key)

    def _add(self, kind: str, key: str, **details: Any) -> None:
        about = {"task_key": key, "attempt_number": self._attempts[key], "run_id": self._ids[key]}
        self._scribe.record({"type": kind, **about, **details})


def _parameters(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    for name, text in given.items():
        if name not in job.parameters:
            has = ", ".join(job.parameters) or "none"
            said = f"job '{job.name}' has no parameter '{name}'{nearest(name, job.parameters)} (it has {has})"
            raise UnknownParameter(said)
        for said in references.problems(text, parameters=frozenset(), tasks=frozenset(), upstream=None):
            raise UnknownParameter(f"parameter '{name}': {said}")
    return {**job.parameters, **given}


def _first_failure(run: Run) -> str:
    failed = [task for task in run.latest() if task.error]
    return f"task '{failed[0].task_key}' failed: {failed[0].error}" if failed else ""
