"""What the runner says while it runs: each event into the record, to whoever watches, and to those who get mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers.jobs import notifications
from helpers.jobs.clock import Clock
from helpers.jobs.model import Emails, Job, Task
from helpers.jobs.notifications import Mailer
from helpers.jobs.record import Run, RunLog
from helpers.runtime.processes import Process

Watcher = Callable[[Run, Mapping[str, Any]], None]


class Scribe:
    """The record, the watcher and the mails of one run."""

    def __init__(
        self, folder: Path, *, clock: Clock, on_event: Watcher | None, outbox: Path, environment: Mapping[str, str]
    ) -> None:
        self._log = RunLog(folder)
        self._clock, self._on_event = clock, on_event
        self._mailer = Mailer(outbox, environment)

    @property
    def run(self) -> Run:
        """The run as it is now; there is none before `begin`."""
        assert self._log.run is not None, "the run has begun"
        return self._log.run

    def begin(
        self,
        job: Job,
        *,
        job_id: int,
        run_id: int,
        parameters: Mapping[str, str],
        tasks: Sequence[Task],
        ids: Mapping[str, int],
    ) -> None:
        me = Process.current()
        self.record(
            {
                "type": "run_started",
                "run_id": run_id,
                "job_id": job_id,
                "run_name": job.name,
                "source": str(job.source),
                "job_parameters": parameters,
                "pid": me.pid,
                "process_start": me.start,
                "ignored": [asdict(ignored) for ignored in job.ignored],
                "tasks": [
                    {
                        "run_id": ids[task.key],
                        "task_key": task.key,
                        "type": task.work.kind,
                        "depends_on": task.depends_on,
                        "run_if": task.run_if,
                    }
                    for task in tasks
                ],
            }
        )

    def record(self, event: Mapping[str, Any]) -> None:
        """Write one event and show it to the watcher."""
        run = self._log.add(event, now_ms=self._clock.now_ms())
        if self._on_event is not None:
            self._on_event(run, event)

    def tell(self, emails: Emails, result: str | None, *, task_key: str | None = None) -> None:
        """Send the mail that a result asks for; None is the start."""
        event, to = notifications.recipients(emails, result)
        if not to:
            return
        task = next((task for task in self.run.latest() if task.task_key == task_key), None)
        mail = notifications.message(self.run, task, event=event, to=to, now_ms=self._clock.now_ms())
        self._mailer.send(mail, {"event": event, "task_key": task_key, "recipients": list(to)})

    def note_mails(self, *, wait: bool = False) -> None:
        """Record what became of the mails that are done, or of all."""
        for fact in self._mailer.collect(wait=wait):
            self.record({"type": "notified", **fact})

    def end(self, emails: Emails, result: str, *, message: str, life_cycle: str = "TERMINATED") -> Run:
        """End the run, tell who wants to know, and give it."""
        ended = {"type": "run_ended", "life_cycle_state": life_cycle, "result_state": result, "state_message": message}
        self.record(ended)
        self.tell(emails, result)
        self.note_mails(wait=True)
        return self.run

    def break_off(self, error: BaseException) -> None:
        """End a run that an error of the runner itself stops, if the record can still be written."""
        said = f"the runner stopped: {type(error).__name__}: {error}"
        with suppress(Exception):
            ended = {"type": "run_ended", "life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED"}
            self._log.add({**ended, "state_message": said}, now_ms=self._clock.now_ms())

    def close(self) -> None:
        self._mailer.close()
        self._log.close()
