"""What is wrong with a pipeline: an update ends at its first problem, a dry run gathers them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from helpers.errors import LakeprepError
from helpers.pipelines.errors import PipelineError


@dataclass
class Problems:
    """Raises what it is told or, with ``gather``, keeps it in ``found``."""

    gather: bool = False
    found: list[LakeprepError] = field(default_factory=list)

    def tell(self, problem: LakeprepError) -> None:
        """Take one problem."""
        if not self.gather:
            raise problem
        if str(problem) not in [str(known) for known in self.found]:
            self.found.append(problem)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take what is raised inside as a problem."""
        try:
            yield
        except LakeprepError as problem:
            self.tell(problem)

    def as_error(self) -> LakeprepError | None:
        """All that was found as one error, numbered where it is more than one."""
        if len(self.found) < 2:
            return self.found[0] if self.found else None
        lines = [f"{number}. {problem}" for number, problem in enumerate(self.found, start=1)]
        return PipelineError("\n".join([f"The pipeline has {len(lines)} problems.", *lines]))
