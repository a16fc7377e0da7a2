"""The runner: one process for each attempt of a task, several side by side, everything written down as it happens.

The order comes from :mod:`helpers.jobs.plan`; the runner itself only starts, waits and takes in. It sleeps until a
process ends or a time is due, so its own cost a task is a few file writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from helpers.jobs import conditions, loops, plan, references
from helpers.jobs.attempt import Outcome
from helpers.jobs.book import Book, Unit
from helpers.jobs.context import JobContext
from helpers.jobs.crew import INTERRUPT, Crew
from helpers.jobs.durations import Durations
from helpers.jobs.errors import ConditionError, LoopInputError, UnresolvedReference
from helpers.jobs.loops import Loop
from helpers.jobs.model import Job, Task
from helpers.jobs.queueing import wait_for_place
from helpers.jobs.references import Values
from helpers.jobs.registry import Admission, too_many
from helpers.jobs.runs import Run
from helpers.jobs.scribe import Scribe
from helpers.jobs.work import Condition, ForEach
from helpers.runtime.processes import Process

_NO_VALUE = (OSError, UnresolvedReference, ConditionError, LoopInputError)


class Runner:
    """One run while it runs; `book` says what has ended already, and `values` what the run is."""

    def __init__(self, job: Job, folder: Path, crew: Crew, scribe: Scribe, *, book: Book, values: Values) -> None:
        self._job, self._folder, self._scribe = job, folder, scribe
        self._crew, self._book, self._values = crew, book, values
        self._units = {task.key: Unit.of_task(task) for task in job.tasks}
        self._loops: dict[str, Loop] = {}
        self._retry_at: dict[str, float] = {}
        self._queued: set[str] = set()
        self._durations = Durations(crew.clock, scribe)

    def run(self) -> Run:
        """Run everything that has not ended and give the ended run."""
        try:
            self._scribe.tell(self._job.notifications, None)
            self._durations.begin("the run", self._job.warn_after_seconds, self._job.notifications)
            result, why = self._until_done()
            return self._scribe.end(self._job.notifications, result, message=why)
        except BaseException:
            self._crew.kill()
            raise

    def run_after(self, admission: Admission, other: tuple[int, Process]) -> Run:
        """Wait until the job's earlier runs leave a place, then run."""
        why = too_many(self._job.name, self._job.max_concurrent_runs, other)
        result = wait_for_place(admission, self._crew, self._scribe, why=why)
        if result is None:
            return self.run()
        said = "the run was canceled while it was queued" if result == "CANCELED" else why
        self._stop_all(result, said)
        life_cycle = "TERMINATED" if result == "CANCELED" else "SKIPPED"
        return self._scribe.end(self._job.notifications, result, message=said, life_cycle=life_cycle)

    def _until_done(self) -> tuple[str, str]:
        """Start, wait and take in until nothing is left; gives the run's result and what to say about it."""
        clock, limit = self._crew.clock, self._job.timeout_seconds
        ends = clock.elapsed() + limit if limit else None
        while not self._advance():
            due = [*self._durations.due, *(self._retry_at.values() if self._crew.has_room else ())]
            item = self._crew.wait(due if ends is None else [*due, ends])
            if item is INTERRUPT:
                return self._stop_all("CANCELED", "the run was canceled")
            if item is not None:
                self._take_in(item)
            if ends is not None and clock.elapsed() >= ends:
                return self._stop_all("TIMEDOUT", f"the run reached its time-out of {limit} s")
            self._crew.stop_late()
            self._durations.tell()
            self._scribe.note_sent()
        return plan.run_result(self._job.nodes, self._book.results), _first_failure(self._scribe.run)

    def _stop_all(self, result: str, why: str) -> tuple[str, str]:
        for loop in self._loops.values():
            loop.stopped = True
        for key in self._crew.stop_all(why):
            self._take_in(key)
        for key in self._loops.keys() - self._book.results.keys():
            self._end_loop(self._loops[key])
        for key, mark in plan.after_cancel(self._job.nodes, self._book.results).items():
            self._mark(key, mark)
        return result, why

    def _advance(self) -> bool:
        """Mark, decide and start whatever may be; True when every task has ended."""
        settled = False
        while not settled:
            step = plan.next_step(self._job.nodes, self._book.results, self._book.outcomes)
            for key, mark in step.marked.items():
                self._mark(key, mark)
            for key in step.ready:
                self._go_on(self._units[key])
            # What was decided here and now, without a process, may free others.
            settled = not any(key in self._book.results for key in step.ready)
        return len(self._book.results) == len(self._job.tasks)

    def _go_on(self, unit: Unit) -> None:
        match unit.task.work:
            case Condition() as condition:
                self._decide(unit, condition)
            case ForEach() as work:
                self._iterate(unit, work)
            case _:
                self._start_if_possible(unit)

    def _decide(self, unit: Unit, condition: Condition) -> None:
        """Run a condition task, which needs no process."""
        values = self._values_for(unit)
        self._begin(unit, None)
        try:
            left, right = (references.resolve_scalar(side, values) for side in (condition.left, condition.right))
            outcome = Outcome("SUCCESS", outcome=conditions.outcome(condition.op, left, right))
        except _NO_VALUE as error:
            outcome = _failure(error)
        self._end_attempt(unit, outcome, started=self._crew.clock.elapsed())

    def _iterate(self, unit: Unit, work: ForEach) -> None:
        """Begin a for-each task, or start those of its iterations that may run."""
        if unit.key not in self._loops:
            values = self._values_for(unit)
            self._begin(unit, None)
            try:
                inputs = loops.elements(references.resolve(work.inputs, values))
            except _NO_VALUE as error:
                self._end_attempt(unit, _failure(error), started=self._crew.clock.elapsed())
                return
            self._loops[unit.key] = Loop(unit.task, inputs)
        loop = self._loops[unit.key]
        for place in loop.may_run():
            one = Unit.of_iteration(unit.key, work.task, place, loop.inputs[place])
            if one.key not in self._units and self._crew.has_room:
                self._units[one.key] = one
                loop.begun.add(place)
                self._book.enter(one.key)
            if place in loop.begun:
                self._start_if_possible(one)
        if loop.ended and unit.key not in self._book.results:
            self._end_loop(loop)

    def _start_if_possible(self, unit: Unit) -> None:
        now = self._crew.clock.elapsed()
        if unit.key in self._crew or self._retry_at.get(unit.key, now) > now:
            return
        if self._crew.has_room:
            self._start(unit)
        elif unit.key not in self._queued:
            self._queued.add(unit.key)
            self._add("task_waiting", unit, life_cycle_state="QUEUED")

    def _begin(self, unit: Unit, folder: str | None) -> None:
        self._retry_at.pop(unit.key, None)
        self._queued.discard(unit.key)
        self._add("task_started", unit, folder=folder)
        task, run_id = unit.task, self._book.ids[unit.key]
        self._durations.begin(f"task '{task.key}'", task.warn_after_seconds, task.notifications, task_run_id=run_id)
        who = unit.task.notifications
        if self._book.retries(unit.key) == 0 or not who.alert_on_last_attempt:
            self._tell(unit, None)

    def _start(self, unit: Unit) -> None:
        folder = self._folder_of(unit)
        self._begin(unit, str(folder.relative_to(self._folder)))
        started, values = self._crew.clock.elapsed(), self._values_for(unit)
        try:
            work = unit.task.work.filled(lambda text: references.resolve(text, values), self._values.parameters)
            self._crew.start(unit.key, unit.task, work, self._context(unit, folder, work.parameters))
        except _NO_VALUE as error:
            self._end_attempt(unit, _failure(error), started=started)

    def _folder_of(self, unit: Unit) -> Path:
        """`tasks/load-0`, and `tasks/load-0/3-0` for an iteration: the numbers behind the dash are attempts."""
        attempts = self._book.attempts
        folder = self._folder / "tasks" / f"{unit.owner}-{attempts[unit.owner]}"
        return folder if unit.iteration is None else folder / f"{unit.iteration}-{attempts[unit.key]}"

    def _values_for(self, unit: Unit) -> Values:
        return replace(
            self._values,
            task_key=unit.task.key,
            task_run_id=self._book.ids[unit.key],
            execution_count=self._book.attempts[unit.key] + 1,
            done=self._book.done,
            input=unit.input,
        )

    def _context(self, unit: Unit, folder: Path, parameters: Mapping[str, str]) -> JobContext:
        return JobContext(
            folder=str(folder),
            job_id=self._values.job_id,
            run_id=self._values.run_id,
            task_key=unit.task.key,
            task_run_id=self._book.ids[unit.key],
            attempt_number=self._book.attempts[unit.key],
            parameters=parameters,
            task_values=self._book.values,
            tasks=tuple(task.key for task in self._job.tasks),
        )

    def _take_in(self, key: str) -> None:
        started, outcome = self._crew.take(key)
        self._end_attempt(self._units[key], outcome, started=started)

    def _end_attempt(self, unit: Unit, outcome: Outcome, *, started: float) -> None:
        task, key = unit.task, unit.key
        self._durations.end(self._book.ids[key])
        if unit.iteration is None:  # what an attempt before has set, went with it
            self._book.values.pop(key, None)
            if outcome.values:
                self._book.values[key] = outcome.values
        self._add("task_ended", unit, **asdict(outcome))
        again = plan.may_retry(
            outcome.result_state,
            attempt=self._book.retries(key),
            max_retries=task.max_retries,
            retry_on_timeout=task.retry_on_timeout,
        )
        if not (again and task.notifications.alert_on_last_attempt):
            self._tell(unit, outcome.result_state)
        if again:
            self._book.retry(key)
            self._retry_at[key] = started + task.min_retry_interval_millis / 1000
            self._add("task_waiting", unit, life_cycle_state="WAITING_FOR_RETRY")
        elif unit.iteration is None:
            self._book.end(key, outcome)
        else:
            self._loops[unit.owner].end(unit.iteration, outcome.result_state, outcome.error)

    def _end_loop(self, loop: Loop) -> None:
        unit = self._units[loop.task.key]
        outcome = Outcome(loop.result, error=loop.error, output=loop.stats)
        self._end_attempt(unit, outcome, started=self._crew.clock.elapsed())

    def _mark(self, key: str, mark: str) -> None:
        """End a task that never ran."""
        unit = self._units[key]
        why = "the run ended first" if mark == "CANCELED" else self._why_not(unit.task)
        self._add("task_ended", unit, result_state=mark, state_message=f"did not run: {why}")
        self._book.end(key, Outcome(mark))
        self._tell(unit, mark)

    def _why_not(self, task: Task) -> str:
        results, outcomes = self._book.results, self._book.outcomes
        for key, wanted in task.outcomes.items():
            if outcomes.get(key, wanted) != wanted:
                return f"{key} is {outcomes[key]}, not {wanted}"
        if all(results.get(name) == "EXCLUDED" for name in task.depends_on):
            return f"{', '.join(task.depends_on)} EXCLUDED"
        bad = [f"{name} {results[name]}" for name in task.depends_on if results.get(name) not in plan.GOOD]
        return ", ".join(bad) or "nothing that it handles has failed"

    def _tell(self, unit: Unit, result: str | None) -> None:
        self._scribe.tell(unit.task.notifications, result, task_run_id=self._book.ids[unit.key])

    def _add(self, kind: str, unit: Unit, **details: Any) -> None:
        about = {"task_key": unit.owner, "attempt_number": self._book.attempts[unit.key]}
        about["run_id"] = self._book.ids[unit.key]
        self._scribe.record({"type": kind, **about, **unit.where, **details})


def _failure(error: Exception) -> Outcome:
    return Outcome("FAILED", error=f"{type(error).__name__}: {error}")


def _first_failure(run: Run) -> str:
    failed = [task for task in run.latest() if task.error]
    return f"task '{failed[0].task_key}' failed: {failed[0].error}" if failed else ""
