"""Generated definitions: random graphs of scripts, conditions and loops, with how each attempt is to end."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.unit.jobs_reference import Ends
from tests.unit.jobs_simulated import Simulation

STRICT = ("ALL_SUCCESS", "NONE_FAILED")
RULES = (*STRICT, "AT_LEAST_ONE_SUCCESS", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
TEXT, NUMBERS = ("EQUAL_TO", "NOT_EQUAL"), ("GREATER_THAN", "LESS_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL")
DOINGS = (*["ok"] * 4, "fail", "die", "hang", "cancel")
TIME_OUT = 100


@dataclass(frozen=True)
class Case:
    """A definition, how its attempts end, in which order (`salt`), and how many run at once."""

    definition: Mapping[str, Any]
    ends: Ends
    salt: int
    parallelism: int

    def simulation(self, ends: Ends) -> Simulation:
        return Simulation(ends, lambda name: 1 + zlib.crc32(f"{self.salt} {name}".encode()) % 7)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    tasks: list[dict[str, Any]] = []
    ends: dict[str, list[str]] = {}
    rules = draw(st.sampled_from([STRICT, RULES]))
    for number in range(draw(st.integers(1, 12))):
        upstream = draw(st.lists(st.sampled_from(tasks), unique_by=id, max_size=3)) if tasks else []
        task = {"task_key": f"t{number}", "depends_on": [draw(dependencies(other)) for other in upstream]}
        if upstream:
            task["run_if"] = draw(st.sampled_from(rules))
        kind = draw(st.sampled_from(["script"] * 4 + ["condition", "loop"]))
        if kind == "condition":
            task["condition_task"] = draw(conditions([other["task_key"] for other in upstream]))
        elif kind == "loop":
            task["for_each_task"] = draw(loops(task["task_key"], ends))
        else:
            task |= draw(scripts("{{task.name}}", names=[task["task_key"]], ends=ends))
        tasks.append(task)
    definition = {"name": "generated", "tasks": draw(st.permutations(tasks))}
    return Case(definition, ends, draw(st.integers(0, 999)), draw(st.integers(1, 4)))


@st.composite
def dependencies(draw: st.DrawFn, upstream: Mapping[str, Any]) -> dict[str, str]:
    outcome = draw(st.sampled_from([None, "true", "false"])) if "condition_task" in upstream else None
    return {"task_key": upstream["task_key"], **({"outcome": outcome} if outcome else {})}


@st.composite
def conditions(draw: st.DrawFn, upstream: list[str]) -> dict[str, str]:
    """A condition on numbers, or on how an earlier task ended, which is text: an operator of numbers fails there."""
    if upstream and draw(st.booleans()):
        left, right = f"{{{{tasks.{draw(st.sampled_from(upstream))}.result_state}}}}", "success"
    else:
        left, right = (str(draw(st.integers(1, 3))) for _ in range(2))
    return {"op": draw(st.sampled_from(TEXT + NUMBERS)), "left": left, "right": right}


@st.composite
def loops(draw: st.DrawFn, key: str, ends: dict[str, list[str]]) -> dict[str, Any]:
    inputs = list(range(draw(st.integers(0, 4))))
    names = [f"{key}_one:{item}" for item in inputs]
    nested = {"task_key": f"{key}_one", **draw(scripts("{{task.name}}", "{{input}}", names=names, ends=ends))}
    return {"inputs": json.dumps(inputs), "concurrency": draw(st.integers(1, 3)), "task": nested}


@st.composite
def scripts(draw: st.DrawFn, *arguments: str, names: list[str], ends: dict[str, list[str]]) -> dict[str, Any]:
    """A script's task, and in `ends` how its attempts end: mostly well."""
    for name in names:
        ends[name] = draw(st.lists(st.sampled_from(DOINGS), min_size=1, max_size=3))
    return {
        "spark_python_task": {"python_file": "work.py", "parameters": list(arguments)},
        "max_retries": draw(st.integers(0, 2)),
        "retry_on_timeout": draw(st.booleans()),
        "min_retry_interval_millis": draw(st.sampled_from([0, 60_000])),
        "timeout_seconds": TIME_OUT,
    }
