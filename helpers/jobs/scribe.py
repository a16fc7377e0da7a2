"""What the runner says while it runs: each event into the record, to whoever watches, and to those who are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers.jobs import notifications
from helpers.jobs.clock import Clock
from helpers.jobs.courier import Courier
from helpers.jobs.model import Job, Notifications, Task
from helpers.jobs.notifications import Told
from helpers.jobs.record import Run, RunLog, TaskRun
from helpers.jobs.references import Values
from helpers.runtime.places import Places
from helpers.runtime.processes import Process

Watcher = Callable[[Run, Mapping[str, Any]], None]


class Scribe:
    """The record, the watcher and the notifications of one run."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        on_event: Watcher | None,
        places: Places,
        environment: Mapping[str, str],
        run: Run | None = None,
    ) -> None:
        self._log = RunLog(folder, run)
        self._clock, self._on_event = clock, on_event
        self._courier = Courier(places, environment)

    @property
    def run(self) -> Run:
        """The run as it is now; there is none before `begin`."""
        assert self._log.run is not None, "the run has begun"
        return self._log.run

    def begin(self, job: Job, values: Values, *, ids: Mapping[str, int]) -> None:
        """Record that a run starts; `ids` are those of the tasks that may run."""
        self.record(
            {
                "type": "run_started",
                "run_id": values.run_id,
                "job_id": values.job_id,
                "run_name": job.name,
                "source": str(job.source),
                "job_parameters": values.parameters,
                "trigger": values.trigger,
                **_me(),
                "ignored": [asdict(ignored) for ignored in job.ignored],
                "tasks": [_task(task, ids[task.key]) for task in job.tasks if task.key in ids],
            }
        )

    def begin_repair(
        self, job: Job, values: Values, *, repair_id: int, ids: Mapping[str, int], attempts: Mapping[str, int]
    ) -> None:
        """Record that a repair starts; `ids` and `attempts` are those of the tasks that run again."""
        tasks = [task for task in job.tasks if task.key in ids]
        self.record(
            {
                "type": "repair_started",
                "repair_id": repair_id,
                "job_parameters": values.parameters,
                **_me(),
                "tasks": [{**_task(task, ids[task.key]), "attempt_number": attempts[task.key]} for task in tasks],
            }
        )

    def record(self, event: Mapping[str, Any]) -> None:
        """Write one event and show it to the watcher."""
        run = self._log.add(event, now_ms=self._clock.now_ms())
        if self._on_event is not None:
            self._on_event(run, event)

    def tell(self, who: Notifications, result: str | None, *, task_run_id: int | None = None) -> None:
        """Tell those whom a result concerns; None is the start."""
        self._send(notifications.recipients(who, result), task_run_id)

    def warn(self, who: Notifications, message: str, *, task_run_id: int | None = None) -> None:
        """Record that something takes longer than its health rule allows, and tell those who asked for it."""
        self.record({"type": "duration_warning", "message": message})
        self._send(notifications.told(who, notifications.WARNING), task_run_id)

    def note_sent(self, *, wait: bool = False) -> None:
        """Record what became of the mails and webhooks that are done, or of all."""
        for fact in self._courier.collect(wait=wait):
            self.record({"type": "notified", **fact})

    def end(self, who: Notifications, result: str, *, message: str, life_cycle: str = "TERMINATED") -> Run:
        """End the run, tell who wants to know, and give it."""
        ended = {"type": "run_ended", "life_cycle_state": life_cycle, "result_state": result, "state_message": message}
        self.record(ended)
        self.tell(who, result)
        self.note_sent(wait=True)
        return self.run

    def break_off(self, error: BaseException) -> None:
        """End a run that an error of the runner itself stops, unless it has ended, if that can still be written."""
        if self._log.run is not None and self._log.run.state.final:
            return
        said = f"the runner stopped: {type(error).__name__}: {error}"
        with suppress(Exception):
            ended = {"type": "run_ended", "life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED"}
            self._log.add({**ended, "state_message": said}, now_ms=self._clock.now_ms())

    def _send(self, told: Told, task_run_id: int | None) -> None:
        task = None if task_run_id is None else _find(self.run, task_run_id)
        self._courier.send(told, self.run, task, now_ms=self._clock.now_ms())

    def close(self) -> None:
        self._courier.close()
        self._log.close()


def _me() -> dict[str, object]:
    me = Process.current()
    return {"pid": me.pid, "process_start": me.start}


def _task(task: Task, run_id: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "task_key": task.key,
        "type": task.work.kind,
        "depends_on": task.depends_on,
        "run_if": task.run_if,
    }


def _find(run: Run, task_run_id: int) -> TaskRun:
    runs = (one for task in reversed(run.tasks) for one in (task, *task.iterations))
    return next(one for one in runs if one.run_id == task_run_id)
