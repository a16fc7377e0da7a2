"""What the lesson on control flow looks at in its night jobs: one task of a definition, one run, and the gold table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helpers import looking
from helpers.checks import Verdict, verdict
from helpers.exercises import orchestration, rehearsal
from helpers.jobs import checks, plan

#: The folder of the lesson's files.
JOB = "night"
BRANCH, LOOP, OTHER_JOB = "condition_task", "for_each_task", "run_job_task"

# What is wrong with a definition


def definition(lab: Any, answer: Any, name: str, kinds: Mapping[str, str]) -> list[str]:
    problems = orchestration.definition_problems(lab, JOB, answer, name=name)
    if not isinstance(answer, Mapping):
        return problems
    return problems + orchestration.task_problems(answer, tuple(kinds)) + orchestration.kind_problems(answer, kinds)


def too_early(definition: Mapping[str, Any], key: str, before: Sequence[str]) -> list[str]:
    """Whether a task may begin while one that it needs is still at work."""
    earlier = plan.ancestors(checks.nodes(list(orchestration.tasks(definition).values())), key)
    return [f"`{key}` does not wait for `{one}`: it could run while `{one}` is still at work." for one in before
            if one not in earlier]


def condition(definition: Mapping[str, Any], key: str, wanted: Mapping[str, str], value: str) -> list[str]:
    """Whether an if/else task asks the right question of look's value; ``wanted``: what it says to which value."""
    work = orchestration.tasks(definition)[key][BRANCH]
    if f"tasks.look.values.{value}" not in f"{work.get('left')} {work.get('right')}":
        return [f"`{key}` compares {work.get('left')!r} with {work.get('right')!r}. Neither is look's value {value}: "
                "a reference has the form {{tasks.NAME.values.KEY}}."]
    after = dict.fromkeys(orchestration.tasks(definition), "SUCCESS")
    told = {text: rehearsal.decided(definition, key, after, {"look": {value: number(text)}}) for text in wanted}
    wrong = [text for text in wanted if told[text] != wanted[text]]
    if wrong and len(wrong) == len(wanted) and None not in told.values():
        return [f"`{key}` says {told[wrong[0]]} to {value} = {wrong[0]}, and so on: just the opposite of the question. "
                "Is the operator turned round, or are the operands?"]
    return [f"`{key}` says {told[text] or 'nothing: it fails'} to {value} = {text}, expected {wanted[text]}. "
            f"{_TEXT if work.get('op') in ('EQUAL_TO', 'NOT_EQUAL') else 'Which operator compares so?'}"
            for text in wrong[:1]]


_TEXT = "This operator compares texts. Which ones compare numbers?"


def number(text: str) -> float | int:
    return float(text) if "." in text else int(text)


def limit(definition: Mapping[str, Any]) -> list[str]:
    work = orchestration.tasks(definition)["too_bad"][BRANCH]
    if "job.parameters.most_bad" in f"{work.get('left')} {work.get('right')}":
        return []
    return [f"`too_bad` compares with {work.get('right')!r}. Whoever wants another limit tonight must change the "
            "definition: which reference takes it from the job parameter most_bad?"]


def loop(definition: Mapping[str, Any]) -> list[str]:
    """Whether the loop goes through look's days as asked, and its inner task has the retries and the time limit."""
    work = orchestration.tasks(definition)["each_day"][LOOP]
    inner, problems = work.get("task", {}), []
    if rehearsal.filled(definition, work.get("inputs"), {"look": {"days": ["a", "b"]}}) != '["a", "b"]':
        problems.append(f"`each_day` goes through {work.get('inputs')!r}, which is not the list that look leaves. "
                        "Which reference is look's value days?")
    if work.get("concurrency", 1) != 2:
        problems.append(f"`each_day` runs {work.get('concurrency', 1)} iterations at once, expected 2: concurrency.")
    if inner.get("task_key") != "load_day":
        problems.append(f"The inner task is called {inner.get('task_key')!r}, expected 'load_day'.")
    if "{{input}}" not in "".join(str(inner).split()):
        problems.append("The inner task does not use {{input}}: every iteration would do the same.")
    return problems + [f"The inner task has {field} = {inner.get(field, 'nothing')}, expected {wanted}."
                       for field, wanted in (("max_retries", 1), ("timeout_seconds", 300))
                       if inner.get(field) != wanted]


def handed_down(definition: Mapping[str, Any]) -> list[str]:
    """Whether the other job gets its parameter from this job's own."""
    default = orchestration.parameters(definition).get("begin")
    if default is None:
        return ["The job has no parameter `begin` with a default."]
    work = orchestration.tasks(definition)["night_shift"][OTHER_JOB]
    given = (work.get("job_parameters") or {}).get("since")
    if given is None:
        return ["`night_shift` hands no `since` down, so the other job uses its own default and loads every day. "
                "Job parameters go down by themselves only where both jobs have the name."]
    if rehearsal.filled({**definition, "parameters": [{"name": "begin", "default": "x"}]}, given, {}) != "x":
        return [f"`night_shift` hands down since = {given!r}, whatever `begin` is. Which reference is this job's "
                "parameter?"]
    return [] if default == "2017-01-07" else [f"The parameter begin has the default {default!r}, expected "
                                               "'2017-01-07'."]


# What is wrong with a run


def stop(problems: Sequence[str], *runs: Any) -> Verdict | None:
    """The verdict where the definition is wrong, or where no run can be in this notebook."""
    return verdict(problems, right="") if problems else orchestration.not_here(*runs)


def run(run: Any, name: str, wanted: Mapping[str, str]) -> list[str]:
    found = orchestration.not_a_run(run, name=name) or orchestration.result_problems(run, wanted)
    return [each if f"`{name}`" in each else f"`{name}`: {each}" for each in found]


def iterations(run: Any, days: Sequence[str]) -> list[str]:
    """Whether the loop went through these days; an iteration's last attempt counts."""
    last = {one.iteration: one for one in run.task("each_day").iterations}
    found = {one.input: one.state.word for one in last.values()}
    problems = [f"No iteration was about {day}. The inputs were {', '.join(map(str, found)) or 'none'}."
                for day in days if day not in found]
    return problems + [f"The iteration of {day} is {found[day]}." for day in days
                       if found.get(day, "SUCCESS") != "SUCCESS"]


def gold(lab: Any, days: Sequence[str]) -> list[str]:
    """Whether gold has a row of each of these days, with the lines of its file."""
    rows = {str(row["day"]): row["receipt_lines"] for row in looking.table(lab, "gold_days").collect()}
    lines = {name.removesuffix(".json"): count for name, count in looking.landed_lines(lab).items()}
    problems = [f"`gold_days` has no row of {day}. Did `gold` run after that day was loaded?"
                for day in days if day not in rows]
    return problems + [f"`gold_days` has {rows[day]:,} lines of {day}, but its file has {lines[day]:,}."
                       for day in days if day in rows and day in lines and rows[day] != lines[day]]
