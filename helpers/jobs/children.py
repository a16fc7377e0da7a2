"""The jobs that a job's run-job tasks start: found, checked with it, and never in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.jobs.errors import BadReference, JobDefinitionError, JobError, MissingFile, Mistake, TaskCycle, WrongValue
from helpers.jobs.files import JOB_ID, Around, Resource, is_file, job_file
from helpers.jobs.model import Job
from helpers.jobs.schema import nearest
from helpers.jobs.walk import every_task

#: Databricks allows three run-job tasks inside each other.
_DEEPEST = 3


@dataclass(frozen=True)
class Above:
    """The jobs above this one, outermost first, by what identifies them."""

    trail: tuple[str, ...] = ()

    def below(self, identity: str) -> Above:
        return Above((*self.trail, identity))


NOTHING_ABOVE = Above()
#: Reads the job of a file, or of a bundle's resource, given what is above it.
Load = Callable[[Path | Resource, Above], Job]


def children(
    settings: Mapping[str, Any], around: Around, above: Above, load: Load
) -> tuple[dict[str, Job], list[Mistake]]:
    """Give the jobs that the tasks run, by id, and what is wrong with them; `above` ends with this very job."""
    found: dict[str, Job] = {}
    mistakes: list[Mistake] = []
    for task, path in every_task(settings):
        work = task.get("run_job_task")
        if work is None or "job_id" not in work:
            continue
        try:
            job = found.get(str(work["job_id"])) or _child(work["job_id"], around, above, load)
        except Mistake as mistake:
            mistakes.append(type(mistake)(mistake.message, path=f"{path}.run_job_task.job_id"))
            continue
        found[work["job_id"]] = job
        mistakes.extend(_parameters(work.get("job_parameters", {}), job, f"{path}.run_job_task.job_parameters"))
    return found, mistakes


def identify(source: Path, resource: str) -> str:
    """Name a job so that the same one is known again: its file and, in a bundle, its key there."""
    return f"{source.resolve()}#{resource}" if resource else str(source.resolve())


def _child(job_id: Any, around: Around, above: Above, load: Load) -> Job:
    found = _find(job_id, around)
    identity = identify(found.source, found.key) if isinstance(found, Resource) else identify(found, "")
    if identity in above.trail:
        circle = [Path(one).name for one in (*above.trail[above.trail.index(identity) :], identity)]
        raise TaskCycle(f"these jobs run each other: {' -> '.join(circle)}")
    if len(above.trail) > _DEEPEST:
        raise WrongValue(f"run-job tasks are nested more than {_DEEPEST} deep")
    try:
        return load(found, above)
    except JobDefinitionError as error:
        said = "; ".join(str(mistake) for mistake in error.mistakes)
        raise WrongValue(f"{Path(identity).name} has mistakes: {said}") from None
    except JobError as error:
        raise WrongValue(str(error)) from None


def _find(job_id: Any, around: Around) -> Path | Resource:
    if isinstance(job_id, str) and (resource := around.job(job_id)):
        return resource
    file = job_file(around.folder, job_id) if isinstance(job_id, str) else None
    if file is None:
        raise BadReference(f"'{job_id}' has not the form ${{resources.jobs.NAME.id}}")
    if not is_file(file):
        name = JOB_ID.fullmatch(job_id)[1]  # type: ignore[index]
        raise MissingFile(f"there is neither {name}.job.json nor {name}.json in {around.folder}")
    return file


def _parameters(given: Mapping[str, str], job: Job, path: str) -> Iterator[Mistake]:
    for name in given:
        if name not in job.parameters:
            has = ", ".join(job.parameters) or "none"
            said = f"job '{job.name}' has no parameter '{name}'{nearest(name, job.parameters)} (it has {has})"
            yield WrongValue(said, path=f"{path}.{name}")
