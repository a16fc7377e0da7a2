"""What a run and a repair share: a record, a crew and a watcher, all of which end with the block that uses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from helpers.jobs import references
from helpers.jobs.cancel import cancelable
from helpers.jobs.crew import Crew, Means
from helpers.jobs.errors import JobError, UnknownParameter
from helpers.jobs.model import Job
from helpers.jobs.references import Place
from helpers.jobs.runs import Run
from helpers.jobs.schema import nearest
from helpers.jobs.scribe import Scribe, Watcher
from helpers.runtime.places import Places


@contextmanager
def opened(
    folder: Path, means: Means, *, places: Places, on_event: Watcher | None, show: bool, run: Run | None = None
) -> Iterator[tuple[Scribe, Crew]]:
    """Open the record of a run in its folder; `run` is what it holds already.

    JobError when it cannot be written. An error of the runner itself ends the record and goes on upwards.
    """
    with ExitStack() as stack:
        stack.enter_context(record_errors(places.runs))
        watcher = on_event or (stack.enter_context(_shown()) if show else None)
        scribe = Scribe(
            folder, clock=means.clock, on_event=watcher, places=places, environment=means.environment, run=run
        )
        stack.callback(scribe.close)
        stack.enter_context(_broken_off(scribe))
        crew = Crew(means, folder)
        stack.callback(crew.close)
        stack.enter_context(crew.interruptible())
        stack.enter_context(cancelable(folder, crew.interrupt))
        yield scribe, crew


def checked_parameters(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """Give the job's parameters with the given values in the place of defaults; UnknownParameter."""
    for name, text in given.items():
        if name not in job.parameters:
            has = ", ".join(job.parameters) or "none"
            said = f"job '{job.name}' has no parameter '{name}'{nearest(name, job.parameters)} (it has {has})"
            raise UnknownParameter(said)
        for said in references.problems(text, Place()):
            raise UnknownParameter(f"parameter '{name}': {said}")
    return {**job.parameters, **given}


@contextmanager
def _shown() -> Iterator[Watcher]:
    from rich.console import Console

    from helpers.jobs.live import live_view

    with live_view(Console()) as watcher:
        yield watcher


@contextmanager
def record_errors(runs: Path) -> Iterator[None]:
    """Turn a record that cannot be written into one sentence."""
    try:
        yield
    except OSError as error:
        said = error.strerror or error
        raise JobError(f"the record of the run in {runs} cannot be written: {said}; make room there") from error


@contextmanager
def _broken_off(scribe: Scribe) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        scribe.break_off(error)
        raise
