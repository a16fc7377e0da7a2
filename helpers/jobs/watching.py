"""Watch a job: start a run whenever its schedule or trigger says so, until somebody ends it.

One thread a run; this one sleeps until the next time to look, a run's end or Ctrl-C, and alone says what happens.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from helpers.errors import LakeprepError
from helpers.jobs import registry
from helpers.jobs.cancel import ask_to_end
from helpers.jobs.clock import Clock
from helpers.jobs.errors import WatchError
from helpers.jobs.model import Job
from helpers.jobs.opening import record_errors
from helpers.jobs.run import run_job
from helpers.jobs.runs import Run
from helpers.jobs.sources import LOOK_EVERY_MS, Clockwork, Source, source_of
from helpers.jobs.triggers import Fire, Trigger, in_utc, triggers_of
from helpers.jobs.upcoming import settings_of
from helpers.jobs.watch_memory import watched_alone
from helpers.runtime.places import Places

_INTERRUPT = object()
Say = Callable[[str], None]


def watch_job(
    job: Job,
    *,
    places: Places,
    say: Say,
    unpause: bool = False,
    once: bool = False,
    clock: Clock | None = None,
    start: Callable[..., Run] = run_job,
) -> Run | None:
    """Start runs when they are due and give the last one that ended, None when there was none.

    `say` gets one line for each event; `start` is called for each run, in a thread of its own. `unpause` obeys what is
    paused too, `once` ends after the first run. Ctrl-C ends it, and cancels the runs under way; a second one does not
    wait for their end. WatchError when there is nothing to watch, or another process watches the job.
    """
    triggers = _active(job, unpause=unpause)
    clock = clock or Clock()
    with record_errors(places.runs):
        job_id = registry.job_id(places.runs, job.identity)
    with watched_alone(places.runs, job=job_id, name=job.name) as memory:

        def told(line: str) -> None:
            say(f"{in_utc(clock.now_ms()):%Y-%m-%d %H:%M:%S} UTC  {line}")

        say(f"Watching job '{job.name}'; Ctrl-C ends it.")
        for ignored in job.ignored:
            say(f"ignored here: {ignored.path}: {ignored.why}")
        sources = [
            source_of(trigger, job, memory, places=places, now_ms=clock.now_ms(), say=told) for trigger in triggers
        ]

        def begin(fire: Fire, on_event: Callable[[Run, Mapping[str, Any]], None]) -> Run:
            return start(job, places=places, clock=clock, on_event=on_event, trigger=fire.values)

        return _Watch(sources, begin, clock=clock, say=told, once=once).go_on()


class _Watch:
    """The loop, and the folders of the runs under way; a run has one as soon as its record has begun."""

    def __init__(
        self, sources: list[Source], begin: Callable[..., Run], *, clock: Clock, say: Say, once: bool
    ) -> None:
        self._sources, self._begin, self._clock, self._say, self._once = sources, begin, clock, say, once
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._runs: dict[int, Path | None] = {}
        self._started, self._ended, self._stopping = 0, 0, False
        self._last: Run | None = None

    def go_on(self) -> Run | None:
        with self._interruptible():
            for source in self._sources:
                self._say(source.said())
            try:
                while not self._over():
                    self._look()
                    self._wait()
            except KeyboardInterrupt:
                raise
            except BaseException:
                self._wind_up()
                raise
            return self._last

    def _wind_up(self) -> None:
        """Cancel the runs under way and wait for their ends; Ctrl-C ends the waiting."""
        self._stopping = True
        self._cancel()
        while self._runs:
            item = self._clock.wait(self._queue, seconds=LOOK_EVERY_MS / 1000, idle=False)
            if item is _INTERRUPT:
                return
            number, kind, what = item or (0, "", None)
            if kind == "run_started":
                ask_to_end(Path(what.folder))
            elif kind in ("ended", "failed"):
                del self._runs[number]

    def _over(self) -> bool:
        if self._runs:
            return False
        never = all(source.due is None for source in self._sources)
        return self._stopping or never or (self._once and self._ended > 0)

    def _look(self) -> None:
        if self._stopping or (self._once and self._started):
            return
        for source in self._sources:
            if fire := source.look(self._clock.now_ms()):
                self._start(fire)
                if self._once:
                    return
                if isinstance(source, Clockwork):
                    self._say(source.said())

    def _wait(self) -> None:
        """Sleep until something happens, and say what; at most a minute, so that a change of the clock is noticed."""
        due = [source.due for source in self._sources if source.due is not None]
        still = min([LOOK_EVERY_MS, *(time - self._clock.now_ms() for time in due)])
        if self._stopping or (self._once and self._started):
            still = LOOK_EVERY_MS
        item = self._clock.wait(self._queue, seconds=max(0.0, still / 1000), idle=not self._runs)
        if item is _INTERRUPT:
            self._stop()
        elif item is not None:
            self._take_in(*item)

    def _start(self, fire: Fire) -> None:
        self._started += 1
        number = self._started
        self._runs[number] = None
        self._say(f"starting a run: {fire.why}")
        threading.Thread(target=self._run, args=(number, fire), name=f"run {number}", daemon=True).start()

    def _run(self, number: int, fire: Fire) -> None:
        """In the run's own thread: run the job, and put what happens into the queue."""

        def tell(run: Run, event: Mapping[str, Any]) -> None:
            if event["type"] in ("run_started", "run_queued"):
                self._queue.put((number, event["type"], run))

        try:
            self._queue.put((number, "ended", self._begin(fire, tell)))
        except BaseException as error:
            self._queue.put((number, "failed", error))

    def _take_in(self, number: int, kind: str, what: Any) -> None:
        if kind == "run_started":
            self._runs[number] = Path(what.folder)
            if self._stopping:
                ask_to_end(Path(what.folder))
            return
        if kind == "run_queued":
            self._say(f"run {what.run_id} waits: {what.state.state_message}")
            return
        del self._runs[number]
        self._ended += 1
        if isinstance(what, Run):
            self._last = what
            said = f": {what.state.state_message}" if what.state.state_message else ""
            self._say(f"run {what.run_id} ended: {_word(what)}{said}")
        elif isinstance(what, LakeprepError):
            self._say(f"the run could not start: {what}")
        else:
            raise what

    def _stop(self) -> None:
        """Cancel the runs under way; the second time, leave at once: their processes end with this one."""
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True
        if not self._runs:
            return
        many = "the run" if len(self._runs) == 1 else f"{len(self._runs)} runs"
        self._say(f"canceling {many} under way; Ctrl-C again does not wait for the end")
        self._cancel()

    def _cancel(self) -> None:
        for folder in self._runs.values():
            if folder is not None:
                ask_to_end(folder)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Turn Ctrl-C and TERM into an item of the queue, so that neither a record nor a memory is torn."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, lambda *_: self._queue.put(_INTERRUPT)) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


def _active(job: Job, *, unpause: bool) -> list[Trigger]:
    found = triggers_of(settings_of(job))
    if not found:
        raise WatchError(f"job '{job.name}' has no schedule and no trigger: there is nothing to watch; add one of them")
    active = [trigger for trigger in found if unpause or not trigger.paused]
    if not active:
        said = "set pause_status to UNPAUSED in the definition, or watch it with --unpause"
        raise WatchError(f"job '{job.name}' is paused, so that nothing starts it; {said}")
    return active


def _word(run: Run) -> str:
    return "SKIPPED" if run.state.life_cycle_state == "SKIPPED" else run.state.word
