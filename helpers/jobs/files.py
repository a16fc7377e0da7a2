"""Where the files and resources are that a definition names: paths are relative to its folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

PIPELINE_ID = re.compile(r"\$\{resources\.pipelines\.([A-Za-z0-9_-]+)\.id\}")
JOB_ID = re.compile(r"\$\{resources\.jobs\.([A-Za-z0-9_-]+)\.id\}")


@dataclass(frozen=True)
class Resource:
    """One resource of a bundle, its variables filled in, and the file whose folder its paths are relative to."""

    key: str
    document: Mapping[str, Any]
    source: Path


@dataclass(frozen=True)
class Around:
    """What a definition's paths and ids lead to: its folder and, in a bundle, the other resources."""

    folder: Path
    jobs: Mapping[str, Resource] = field(default_factory=dict)
    pipelines: Mapping[str, Resource] = field(default_factory=dict)

    def at(self, folder: Path) -> Around:
        """The same seen from another folder."""
        return replace(self, folder=folder)

    def pipeline(self, pipeline_id: str) -> Resource | None:
        """The bundle's pipeline of this id."""
        match = PIPELINE_ID.fullmatch(pipeline_id)
        return self.pipelines.get(match[1]) if match else None

    def job(self, job_id: str) -> Resource | None:
        """The bundle's job of this id."""
        match = JOB_ID.fullmatch(job_id)
        return self.jobs.get(match[1]) if match else None


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is no error."""
    try:
        return path.is_file()
    except OSError:
        return False


def notebook_file(folder: Path, notebook_path: str) -> Path:
    """Where a notebook of this path is, with or without its ending, which workspace paths leave out.

    Besides an `.ipynb` that is a `.py` file, exported as source; where there is neither, the `.ipynb` is meant.
    """
    path = folder / notebook_path
    whole = path if path.suffix == ".ipynb" else Path(f"{path}.ipynb")
    sources = (path, Path(f"{path}.py")) if path.suffix != ".ipynb" else ()
    source = next((file for file in sources if file.suffix == ".py" and is_file(file)), None)
    return source if source is not None and not is_file(whole) else whole


def pipeline_file(folder: Path, pipeline_id: str) -> Path | None:
    """Where the settings of `${resources.pipelines.NAME.id}` are, beside the job; None for any other id.

    That is `NAME.pipeline.json` or, where there is none, `pipeline.json`: NAME is a bundle's key, which
    the settings themselves do not hold.
    """
    match = PIPELINE_ID.fullmatch(pipeline_id)
    if match is None:
        return None
    named = folder / f"{match[1]}.pipeline.json"
    return named if is_file(named) else folder / "pipeline.json"


def job_file(folder: Path, job_id: str) -> Path | None:
    """Where the definition of `${resources.jobs.NAME.id}` is, beside the job; None for any other id.

    That is `NAME.job.json` or, where there is none, `NAME.json`.
    """
    match = JOB_ID.fullmatch(job_id)
    if match is None:
        return None
    named = folder / f"{match[1]}.job.json"
    return named if is_file(named) else folder / f"{match[1]}.json"
