"""How each event of a record changes the run that the events before it made; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from helpers.jobs.errors import RunRecordError
from helpers.jobs.runs import RepairHistoryItem, Run, State, TaskRun
from helpers.runtime.processes import Process

_ENDED = ("result_state", "exit_value", "update", "error", "error_trace", "values", "state_message", "outcome",
          "output")  # fmt: skip
_OWN = frozenset({"version", "time", "type"})


def apply(run: Run | None, event: Mapping[str, Any]) -> Run:
    """Give the run as it is after one more event."""
    kind = event["type"]
    if kind == "run_started":
        return _started(event)
    if run is None:
        raise RunRecordError("the record does not begin with run_started")
    match kind:
        case "run_queued":
            return replace(run, state=State("QUEUED", state_message=event["state_message"]))
        case "run_admitted":
            return replace(run, state=State("RUNNING"), queue_duration=event["time"] - run.start_time)
        case "run_ended":
            return _ended(run, event)
        case "repair_started":
            return _repaired(run, event)
        case "notified":
            told = {key: item for key, item in event.items() if key not in _OWN}
            return replace(run, notifications=(*run.notifications, told))
        case "duration_warning":
            return replace(run, duration_warnings=(*run.duration_warnings, event["message"]))
    tasks = _with_iteration(run, event) if "iteration" in event else _with_task(run, event)
    return replace(run, tasks=tasks, repair_history=_ran(run.repair_history, event))


def dead(run: Run) -> Run:
    """The same run; as died, when nothing says that it has ended and its runner is gone."""
    return run if run.runner is None or run.runner.alive else _buried(run)


def _buried(run: Run) -> Run:
    if run.state.final or run.runner is None:
        return run
    said = f"the runner (pid {run.runner.pid}) died before the run ended; repair the run, or start the job again"
    died = State("INTERNAL_ERROR", "FAILED", said)
    history = (*run.repair_history[:-1], replace(run.repair_history[-1], state=died)) if run.repair_history else ()
    return replace(run, state=died, tasks=tuple(map(_cut, run.tasks)), repair_history=history)


def _cut(task: TaskRun) -> TaskRun:
    if task.state.final:
        return task
    cut = State("INTERNAL_ERROR", "FAILED", "the runner died")
    return replace(task, state=cut, iterations=tuple(map(_cut, task.iterations)))


def _started(event: Mapping[str, Any]) -> Run:
    return Run(
        run_id=event["run_id"],
        job_id=event["job_id"],
        run_name=event["run_name"],
        state=State("RUNNING"),
        start_time=event["time"],
        job_parameters=event["job_parameters"],
        tasks=tuple(_fresh(task, 0) for task in event["tasks"]),
        ignored=tuple(event["ignored"]),
        runner=Process(event["pid"], event["process_start"]),
        source=event.get("source"),
        trigger=event.get("trigger", {}),
        repair_history=(RepairHistoryItem("ORIGINAL", event["time"]),),
    )


def _fresh(task: Mapping[str, Any], number: int) -> TaskRun:
    return TaskRun(
        run_id=task["run_id"],
        task_key=task["task_key"],
        attempt_number=number,
        type=task["type"],
        state=State("BLOCKED" if task["depends_on"] else "PENDING"),
        depends_on=tuple(task["depends_on"]),
    )


def _ended(run: Run, event: Mapping[str, Any]) -> Run:
    state = State(event["life_cycle_state"], event["result_state"], event.get("state_message", ""))
    last = replace(run.repair_history[-1], state=state, end_time=event["time"])
    return replace(run, state=state, end_time=event["time"], repair_history=(*run.repair_history[:-1], last))


def _repaired(run: Run, event: Mapping[str, Any]) -> Run:
    """The run at the start of a repair: the tasks that run again get a new attempt behind their earlier ones."""
    # Only an ended run is repaired: one whose record has no end lost its runner.
    run = _buried(run)
    tasks = list(run.tasks)
    for task in event["tasks"]:
        places = [place for place, one in enumerate(tasks) if one.task_key == task["task_key"]]
        tasks.insert(places[-1] + 1 if places else len(tasks), _fresh(task, task["attempt_number"]))
    return replace(
        run,
        state=State("RUNNING"),
        end_time=None,
        tasks=tuple(tasks),
        job_parameters=event["job_parameters"],
        runner=Process(event["pid"], event["process_start"]),
        repair_history=(*run.repair_history, RepairHistoryItem("REPAIR", event["time"], event["repair_id"])),
    )


def _ran(history: tuple[RepairHistoryItem, ...], event: Mapping[str, Any]) -> tuple[RepairHistoryItem, ...]:
    """The history with one more task run in its last item."""
    last = history[-1]
    if event["type"] == "task_waiting" or event["run_id"] in last.task_run_ids:
        return history
    return (*history[:-1], replace(last, task_run_ids=(*last.task_run_ids, event["run_id"])))


def _with_task(run: Run, event: Mapping[str, Any]) -> tuple[TaskRun, ...]:
    """The run's tasks after a task event; a new attempt goes behind the earlier ones of its task."""
    key, number = event["task_key"], event["attempt_number"]
    tasks = list(run.tasks)
    places = [place for place, task in enumerate(tasks) if task.task_key == key]
    for place in places:
        if tasks[place].attempt_number == number:
            tasks[place] = _changed(tasks[place], event)
            return tuple(tasks)
    last = tasks[places[-1]]
    fresh = TaskRun(event["run_id"], key, number, last.type, State("PENDING"), last.depends_on)
    tasks.insert(places[-1] + 1, _changed(fresh, event))
    return tuple(tasks)


def _with_iteration(run: Run, event: Mapping[str, Any]) -> tuple[TaskRun, ...]:
    """The run's tasks after an event of one iteration of the last attempt of a for-each task."""
    tasks = list(run.tasks)
    place = max(place for place, task in enumerate(tasks) if task.task_key == event["task_key"])
    iterations = _iterations(tasks[place].iterations, event)
    tasks[place] = replace(tasks[place], iterations=iterations)
    return tuple(tasks)


def _iterations(before: Sequence[TaskRun], event: Mapping[str, Any]) -> tuple[TaskRun, ...]:
    number, attempt = event["iteration"], event["attempt_number"]
    same = [one for one in before if (one.iteration, one.attempt_number) == (number, attempt)]
    nested = event["nested"]
    one = same[0] if same else TaskRun(
        event["run_id"], nested["task_key"], attempt, nested["type"], State("PENDING"),
        iteration=number, input=nested["input"],
    )  # fmt: skip
    kept = [one for one in before if (one.iteration, one.attempt_number) != (number, attempt)]
    return tuple(sorted([*kept, _changed(one, event)], key=lambda task: (task.iteration or 0, task.attempt_number)))


def _changed(task: TaskRun, event: Mapping[str, Any]) -> TaskRun:
    match event["type"]:
        case "task_waiting":
            return replace(task, state=State(event["life_cycle_state"]))
        case "task_started":
            return replace(task, state=State("RUNNING"), start_time=event["time"], folder=event["folder"])
        case "task_ended":
            given = {name: event.get(name) for name in _ENDED}
            state = State("TERMINATED", given.pop("result_state"), given.pop("state_message") or "")
            return replace(task, state=state, end_time=event["time"], **given)
    raise ValueError(f"event '{event['type']}' is unknown")
