"""Repair a run: the same run id, only the tasks that did not succeed, with the job as it is now.

Imitates `POST /api/2.2/jobs/runs/repair`: https://docs.databricks.com/api/workspace/jobs/repairrun.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.jobs import plan, references, registry
from helpers.jobs.attempt import COMMANDS
from helpers.jobs.book import Book
from helpers.jobs.clock import Clock
from helpers.jobs.crew import Means
from helpers.jobs.definition import job_from
from helpers.jobs.errors import RepairError
from helpers.jobs.model import Job
from helpers.jobs.opening import checked_parameters, opened
from helpers.jobs.queueing import may_wait
from helpers.jobs.record import load_run
from helpers.jobs.references import Done, Values
from helpers.jobs.runner import Runner
from helpers.jobs.runs import Run, TaskRun
from helpers.jobs.schema import nearest
from helpers.jobs.scribe import Watcher
from helpers.runtime.places import Places


def repair_run(
    run_id: int,
    *,
    places: Places,
    rerun_tasks: Sequence[str] = (),
    rerun_all_failed_tasks: bool = False,
    rerun_dependent_tasks: bool = False,
    job_parameters: Mapping[str, str] | None = None,
    latest_repair_id: int | None = None,
    definition: Job | Mapping[str, Any] | Path | None = None,
    base_dir: Path | None = None,
    show: bool = False,
    clock: Clock | None = None,
    on_event: Watcher | None = None,
    commands: Mapping[str, Sequence[str]] = COMMANDS,
    environment: Mapping[str, str] = os.environ,
    parallelism: int = 4,
    grace_seconds: float = 10.0,
) -> Run:
    """Run again what did not succeed in an ended run, under the same run id, and give the run.

    Without `rerun_tasks` that is every task that failed, timed out, was canceled or was never reached; what was left
    out after one of them is decided anew. `rerun_dependent_tasks` adds all that depends on these, also where it
    succeeded. `job_parameters` replace the run's own. From the second repair on, `latest_repair_id` is needed: the id
    of the last item of `repair_history`. `definition` is the job as it is now; without it, the file that the run came
    from. The other arguments are those of `run_job`. RepairError says why a run cannot be repaired so.
    """
    folder = places.runs / str(run_id)
    with _alone(folder, run_id):
        run = load_run(folder)
        _check(run, rerun_tasks, rerun_all_failed_tasks, latest_repair_id)
        job = _current(run, definition, base_dir)
        again = to_rerun(job.nodes, run, rerun_tasks, with_dependents=rerun_dependent_tasks)
        if not again:
            raise RepairError(f"every task of run {run_id} succeeded; name those to run again in rerun_tasks")
        values = _values(job, run, job_parameters or {})
        book = _book(job, run, again)
        means = Means(places.root, clock or Clock(), commands, environment, parallelism, grace_seconds)
        limit = job.max_concurrent_runs
        with registry.admission(places.runs, job=run.job_id, run=run_id, limit=limit) as admission:
            other = admission.enter()
            if other and not may_wait(job):
                raise RepairError(registry.too_many(job.name, limit, other))
            repair_id = max(means.clock.now_ms(), (run.repair_history[-1].id or 0) + 1)
            with opened(folder, means, places=places, on_event=on_event, show=show, run=run) as (scribe, crew):
                scribe.begin_repair(job, values, repair_id=repair_id, ids=book.ids, attempts=book.attempts)
                runner = Runner(job, folder, crew, scribe, book=book, values=values)
                return runner.run() if other is None else runner.run_after(admission, other)


def to_rerun(
    nodes: Sequence[plan.Node], run: Run, tasks: Sequence[str] = (), *, with_dependents: bool = False
) -> frozenset[str]:
    """Say which tasks a repair runs again; `tasks` names them, and none of them means all that did not succeed."""
    before = {task.task_key: task.state.result_state for task in run.latest()}
    keys = [node.key for node in nodes]
    for name in tasks:
        if name not in keys:
            raise RepairError(f"the job has no task '{name}'{nearest(name, keys)} (it has {', '.join(keys)})")
    new = {key for key in keys if key not in before}
    chosen = new | (set(tasks) or {key for key in keys if before.get(key) not in plan.GOOD})
    below = plan.descendants(nodes, chosen)
    if with_dependents:
        return frozenset(chosen | below)
    # A task that was left out has never run; what it depends on may now end in another way.
    left_out = set() if tasks else {key for key in below if before.get(key) == "EXCLUDED"}
    return frozenset(chosen | left_out)


def _check(run: Run, tasks: Sequence[str], all_failed: bool, latest_repair_id: int | None) -> None:
    number, state = run.run_id, run.state
    if not state.final:
        pid = f" (pid {run.runner.pid})" if run.runner else ""
        raise RepairError(f"run {number} is {state.word}{pid}; wait for its end or cancel it, then repair it")
    if state.life_cycle_state == "SKIPPED":
        raise RepairError(f"run {number} was skipped, so it has nothing to repair; start the job again")
    if tasks and all_failed:
        raise RepairError("rerun_tasks and rerun_all_failed_tasks exclude each other; give one of them")
    last = run.repair_history[-1].id
    if latest_repair_id != last and (last is not None or latest_repair_id is not None):
        said = f"pass latest_repair_id={last}" if last else "leave latest_repair_id out: it was never repaired"
        raise RepairError(f"the last repair of run {number} is {last or 'none'}; {said}")


def _current(run: Run, definition: Job | Mapping[str, Any] | Path | None, base_dir: Path | None) -> Job:
    if definition is None:
        source = Path(run.source or "")
        if not source.is_file():
            said = "pass the job's definition, and base_dir when it is a dictionary"
            raise RepairError(f"run {run.run_id} came from no file that is still there; {said}")
        if source.suffix != ".json":
            said = "pass definition=load_bundle_job(...)"
            raise RepairError(f"run {run.run_id} came from a bundle, {source}; {said}")
        definition = source
    job = job_from(definition, base_dir=base_dir)
    if len(job.tasks) < 2:
        raise RepairError(f"job '{job.name}' has one task; repairs are for jobs with two or more: start it again")
    return job


def _values(job: Job, run: Run, given: Mapping[str, str]) -> Values:
    values = Values(
        run.job_id, job.name, run.run_id, run.start_time, repair_count=len(run.repair_history),
        trigger=run.trigger or references.BY_HAND,
    )  # fmt: skip
    earlier = {name: value for name, value in run.job_parameters.items() if name in job.parameters}
    texts = {**checked_parameters(job, given), **earlier, **given}
    filled = {name: text if name in earlier.keys() - given.keys() else references.resolve(text, values)
              for name, text in texts.items()}  # fmt: skip
    return replace(values, parameters=filled)


def _book(job: Job, run: Run, again: frozenset[str]) -> Book:
    """What is known when the repair starts: new attempts for the tasks that run again, the results of the others."""
    everything = [one.run_id for task in run.tasks for one in (task, *task.iterations)]
    book = Book(max(everything, default=run.run_id * registry.TASK_IDS) + 1)
    before = {task.task_key: task for task in run.latest()}
    for task in job.tasks:
        earlier = before.get(task.key)
        if task.key in again:
            book.enter(task.key, number=earlier.attempt_number + 1 if earlier else 0)
        elif earlier is not None:
            _keep(book, earlier)
    return book


def _keep(book: Book, task: TaskRun) -> None:
    result = task.state.result_state or "FAILED"
    book.results[task.task_key] = result
    if task.outcome is not None:
        book.outcomes[task.task_key] = task.outcome
    if task.values:
        book.values[task.task_key] = task.values
    rows = (task.output or {}).get("rows")
    book.done[task.task_key] = Done(result, task.run_id, task.attempt_number + 1, task.values or {}, rows)


@contextmanager
def _alone(folder: Path, run_id: int) -> Iterator[None]:
    """Hold the run while it is repaired."""
    if not folder.is_dir():
        raise RepairError(f"there is no run {run_id} in {folder.parent}")
    lock = FileLock(folder / "repair.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RepairError(f"run {run_id} is being repaired right now; wait until that has ended") from None
    try:
        yield
    finally:
        lock.release()
