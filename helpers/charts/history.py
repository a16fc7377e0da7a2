"""The runs of one job side by side, oldest first: which ones, how each is called, and how long each took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from helpers.charts.attempts import limits
from helpers.charts.axes import clock
from helpers.charts.inputs import RepairDict, RunDict, state_word
from helpers.charts.texts import count, plain, seconds

_UNDER_WAY = frozenset({"QUEUED", "PENDING", "RUNNING", "TERMINATING"})


@dataclass(frozen=True)
class PastRun:
    """One run: its state, its seconds (those of its repairs included, without waiting in a queue), its repairs."""

    run: RunDict
    state: str
    seconds: float
    repairs: int

    @property
    def good(self) -> bool:
        """Tell whether others can be measured by it: it succeeded, and nothing was repaired."""
        return self.state == "SUCCESS" and not self.repairs

    @property
    def start(self) -> datetime:
        return datetime.fromtimestamp((self.run.get("start_time") or 0) / 1000, UTC)

    @property
    def ended(self) -> bool:
        """Tell whether it is over; the record of one under way may go on until now."""
        state = self.run.get("state") or {}
        if state.get("life_cycle_state") in _UNDER_WAY:
            return False
        return bool(self.run.get("end_time") or state.get("result_state"))

    @property
    def name(self) -> str:
        """Return what a hover text calls it."""
        number = f"run {self.run['run_id']}" if self.run.get("run_id") else "run"
        return f"{number} of {clock(self.start)} UTC"

    @property
    def said(self) -> str:
        """Return its state, time and repairs."""
        repaired = f", {count(self.repairs, 'repair')}" if self.repairs else ""
        so_far = "" if self.ended else " so far"
        return f"{self.state}, {seconds(self.seconds)}{so_far}{repaired}"


def past_runs(runs: Sequence[RunDict], *, most: int) -> list[PastRun]:
    """Return the last `most` runs of the job that ran last, oldest first."""
    ordered = sorted(runs, key=lambda run: (run.get("start_time") or 0, run.get("run_id") or 0))
    own = [run for run in ordered if run.get("job_id") == ordered[-1].get("job_id")]
    return [_past(run) for run in own[-most:]]


def job_name(found: Sequence[PastRun]) -> str:
    """Return the name that the job has now."""
    return plain(found[-1].run.get("run_name") or "the job") if found else "the job"


def _past(run: RunDict) -> PastRun:
    begin, end = limits(run)
    parts = run.get("repair_history") or []
    repairs = sum(one.get("type") == "REPAIR" for one in parts)
    took = sum(_length(run, part, last=part is parts[-1]) for part in parts) if repairs else end - begin
    # Each part of a repaired run has its own queue, and the record keeps only the last one's.
    queued = 0 if repairs else run.get("queue_duration") or 0
    return PastRun(run, state_word(run.get("state")), max(took - queued, 0) / 1000, repairs)


def _length(run: RunDict, part: RepairDict, *, last: bool) -> int:
    """Return the milliseconds of a part; one whose runner died ends with its last task."""
    own = set(part.get("task_run_ids") or [])
    known = [entry.get("end_time") or 0 for entry in run.get("tasks") or [] if entry.get("run_id") in own]
    end = part.get("end_time") or max([limits(run)[1]] if last else known, default=0)
    return max(end - (part.get("start_time") or 0), 0)
