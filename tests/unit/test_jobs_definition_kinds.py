"""Definitions of conditions, loops, scripts, SQL files, other jobs, triggers, health rules and webhooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import JobDefinitionError, check_definition, load_job, parse_job, quartz
from helpers.jobs.model import Condition, ForEach, Notebook, RunJob, Script, SqlFile

REPORT = {"file": {"path": "sql/report.sql"}, "warehouse_id": "w"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "setup.ipynb").write_text("{}")
    (tmp_path / "load.py").write_text("")
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "report.sql").write_text("SELECT 1")
    return tmp_path


def notebook(key: str, *upstream: str | dict[str, str], **more: Any) -> dict[str, Any]:
    entries = [entry if isinstance(entry, dict) else {"task_key": entry} for entry in upstream]
    return {"task_key": key, "notebook_task": {"notebook_path": "setup"}, "depends_on": entries, **more}


def condition(key: str = "check", left: str = "1", op: str = "GREATER_THAN", right: str = "0") -> dict[str, Any]:
    return {"task_key": key, "condition_task": {"op": op, "left": left, "right": right}}


def loop(inputs: str = "[1]", nested: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    task = {"task_key": "one", "notebook_task": {"notebook_path": "setup"}} if nested is None else nested
    return {"task_key": "all", "for_each_task": {"inputs": inputs, "task": task, **more}}


def on(key: str, outcome: str) -> dict[str, str]:
    return {"task_key": key, "outcome": outcome}


def job(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "retail", "tasks": list(tasks), **more}


def test_every_kind_of_task_becomes_its_work(folder):
    below = job(notebook("inner"), parameters=[{"name": "d", "default": ""}])
    (folder / "child.job.json").write_text(json.dumps(below))
    made = parse_job(
        json.dumps(job(
            condition(), notebook("yes", on("check", "true")),
            loop('["a"]', {"task_key": "one", "max_retries": 2, "spark_python_task": {
                "python_file": "load.py", "parameters": ["{{input}}"]}}, concurrency=3),
            {"task_key": "sql", "sql_task": {**REPORT, "parameters": {"day": "1"}}},
            {"task_key": "below", "run_job_task": {
                "job_id": "${resources.jobs.child.id}", "job_parameters": {"d": "{{job.run_id}}"}}},
        )),
        source=folder / "job.json",
    )  # fmt: skip
    check, yes, each, sql, below = made.tasks
    assert check.work == Condition("GREATER_THAN", "1", "0")
    assert (yes.depends_on, yes.outcomes) == (("check",), {"check": "true"})
    assert isinstance(each.work, ForEach)
    assert (each.work.inputs, each.work.concurrency, each.work.task.max_retries) == ('["a"]', 3, 2)
    assert each.work.task.work == Script(folder / "load.py", ("{{input}}",))
    assert sql.work == SqlFile(folder / "sql" / "report.sql", {"day": "1"})
    assert isinstance(below.work, RunJob)
    assert below.work.parameters == {"d": "{{job.run_id}}"}
    assert below.work.job.tasks[0].work == Notebook(folder / "setup.ipynb")
    assert "warehouse_id of sql" in [one.path for one in made.ignored]


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ([condition(op="GREATER")], "task 'check', condition_task.op: WrongValue: 'GREATER' is not one of EQUAL_TO, "),
        ([condition(op="GREATER")], "; did you mean 'GREATER_THAN'?"),
        ([condition(left="many")], "task 'check', condition_task: WrongValue: GREATER_THAN compares numbers, and left"),
        ([condition() | {"max_retries": 1}], "task 'check', max_retries: NotSupported: a condition task has no"),
        (
            [condition(left="{{tasks.b.values.n}}"), notebook("b")],
            "task 'check', condition_task.left: BadReference: '{{tasks.b.values.n}}' names task 'b', which does",
        ),
        (
            [notebook("a"), notebook("b", on("a", "true"))],
            "task 'b', depends_on 'a', outcome: WrongValue: outcome is for condition tasks, and 'a' is none",
        ),
        (
            [condition(), notebook("b", on("check", "True"))],
            "task 'b', depends_on 'check', outcome: WrongValue: 'True' is not \"true\" or \"false\"; "
            "did you mean 'true'?",
        ),
        (
            [condition(), notebook("b", on("check", "true"), on("check", "false"))],
            "task 'b', depends_on 'check', task_key: DuplicateKey: task_key 'check' is there 2 times",
        ),
        ([loop("[1")], "task 'all', for_each_task.inputs: WrongValue: the inputs of a for-each task are a JSON list"),
        ([loop('{"a": 1}')], "task 'all', for_each_task.inputs: WrongValue"),
        ([loop(inputs=f'["{"x" * 10_000}"]')],
         "task 'all', for_each_task.inputs: WrongValue: inputs in a definition have at most 10000 characters"),
        ([loop(concurrency=101)], "task 'all', for_each_task.concurrency: WrongValue: 101 is not from 1 to 100"),
        ([loop() | {"max_retries": 1}], "task 'all', max_retries: NotSupported: it is not supported here on a"),
        ([loop(nested=loop())], "task 'all', for_each_task.task.for_each_task: NotSupported: a for-each task cannot"),
        ([loop(nested=notebook("one", run_if="ALL_DONE"))], "task 'all', for_each_task.task.run_if: WrongValue"),
        (
            [loop(nested={"task_key": "one", "notebook_task": {"notebook_path": "gone"}})],
            "task 'all', for_each_task.task.notebook_task.notebook_path: MissingFile",
        ),
        (
            [loop(nested={"task_key": "one", "notebook_task": {"notebook_path": "setup", "base": {}}, "x": 1})],
            "task 'all', for_each_task.task.x: UnknownField",
        ),
        (
            [{"task_key": "a", "spark_python_task": {"python_file": "laod.py"}}],
            "task 'a', spark_python_task.python_file: MissingFile: there is no Python file",
        ),
        ([{"task_key": "a", "sql_task": {"warehouse_id": "w"}}], "task 'a', sql_task: MissingField: a SQL task needs"),
        (
            [{"task_key": "a", "sql_task": {"warehouse_id": "w", "alert": {"alert_id": "q"}}}],
            "task 'a', sql_task.alert: NotSupported: alert is not supported here; use file or query",
        ),
        (
            [{"task_key": "a", "sql_task": {"warehouse_id": "w", "file": {"path": "gone.sql"}}}],
            "task 'a', sql_task.file.path: MissingFile: there is no SQL file",
        ),
        ([{"task_key": "a", "sql_task": {"file": {"path": "sql/report.sql"}}}], "'warehouse_id' is required"),
        (
            [{"task_key": "a", "run_job_task": {"job_id": 12}}],
            "task 'a', run_job_task.job_id: BadReference: '12' has not the form ${resources.jobs.NAME.id}",
        ),
        (
            [{"task_key": "a", "run_job_task": {"job_id": "${resources.jobs.gone.id}"}}],
            "task 'a', run_job_task.job_id: MissingFile: there is neither gone.job.json nor gone.json in",
        ),
        (
            [notebook("a", health={"rules": [
                {"metric": "STREAMING_BACKLOG_FILES", "op": "GREATER_THAN", "value": 1}]})],
            "task 'a', health.rules 'STREAMING_BACKLOG_FILES', metric: NotSupported: "
            "STREAMING_BACKLOG_FILES is not measured here",
        ),
        (
            [notebook("a", webhook_notifications={"on_start": [{"id": str(number)} for number in range(4)]})],
            "task 'a', webhook_notifications.on_start: WrongValue: an event has at most 3 webhooks, not 4",
        ),
    ],
)  # fmt: skip
def test_each_mistake_names_its_task_and_field(folder, tasks, said):
    told = check_definition(job(*tasks), base_dir=folder)
    assert any(said in line for line in told), told


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"trigger": {"pause_status": "PAUSED"}}, "trigger: MissingField: a trigger has one of file_arrival, periodic"),
        (
            {"trigger": {"file_arrival": {"url": "u", "min_time_between_triggers_seconds": 5}}},
            "trigger.file_arrival.min_time_between_triggers_seconds: WrongValue: 5 is not 60 or more",
        ),
        (
            {"trigger": {"table_update": {"table_names": [f"t{number}" for number in range(11)]}}},
            "trigger.table_update.table_names: WrongValue: a trigger watches at most 10 tables, not 11",
        ),
        (
            {"trigger": {"periodic": {"interval": 1, "unit": "DAY"}}},
            "trigger.periodic.unit: WrongValue: 'DAY' is not one of DAYS, HOURS, MINUTES, WEEKS; did you mean 'DAYS'?",
        ),
        (
            {"continuous": {"pause_status": "PAUSED"},
             "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}},
            "continuous: WrongValue: a job has a schedule or is continuous, not both",
        ),
        ({"queue": {}}, "[]"),
    ],
)  # fmt: skip
def test_when_a_job_starts_is_checked(folder, settings, said):
    told = check_definition(job(notebook("a"), **settings), base_dir=folder)
    assert any(said in line for line in told) or (said == "[]" and told == ()), told


@pytest.mark.parametrize(
    "expression",
    ["0 30 6 * * ?", "0 0/15 * ? * MON-FRI", "0 0 6 L * ?", "0 0 6 LW * ?", "0 0 6 15W * ?", "0 0 6 ? * FRI#2",
     "0 0 6 ? * 6L", "0 0,30 8-18/2 1 JAN,jul ? 2026-2030", "0 0 6 L-3 * ?", "*/10 * * * * ?"],
)  # fmt: skip
def test_what_quartz_takes_is_taken(expression):
    assert list(quartz.problems(expression)) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("30 6 * * *", "'30 6 * * *' has 5 fields; Quartz has 6 or 7, seconds first; five is Unix cron"),
        ("0 60 6 * * ?", "'60' is no minute; it is 0 to 59"),
        ("0 0 24 * * ?", "'24' is no hour; it is 0 to 23"),
        ("0 0 6 * 13 ?", "'13' is no month; it is 1 to 12 or JAN-DEC"),
        ("0 0 6 ? * MOO", "'MOO' is no day of week; it is 1 to 7 or SUN-SAT"),
        ("0 0 6 * * *", "'0 0 6 * * *' needs one '?': in the day of month or in the day of week"),
        ("0 0 6 ? * ?", "'0 0 6 ? * ?' needs one '?': in the day of month or in the day of week"),
        ("? 0 6 * * ?", "'?' is for the day of month or the day of week, not for the second"),
        ("0 0/0 6 * * ?", "'0/0' is no minute; it is 0 to 59"),
        ("0 0 6 32W * ?", "'32W' is no day of month; it is 1 to 31"),
        ("0 0 6 ? * MON 1969", "'1969' is no year; it is 1970 to 2099"),
    ],
)
def test_what_quartz_refuses_is_named(expression, said):
    assert any(line.startswith(said) for line in quartz.problems(expression))


def run_job(key: str, name: str, **parameters: str) -> dict[str, Any]:
    work = {"job_id": f"${{resources.jobs.{name}.id}}"} | ({"job_parameters": parameters} if parameters else {})
    return {"task_key": key, "run_job_task": work}


def write(folder: Path, name: str, *tasks: dict[str, Any], **more: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps(job(*tasks, **more) | {"name": name}))


def test_jobs_that_run_each_other_are_named_in_order(folder):
    write(folder, "a", run_job("x", "b"))
    write(folder, "b", run_job("y", "a"))
    (said,) = check_definition(folder / "a.json")
    assert said.startswith("task 'x', run_job_task.job_id: WrongValue: b.json has mistakes: task 'y', ")
    assert said.endswith("TaskCycle: these jobs run each other: a.json -> b.json -> a.json")


def test_a_job_may_be_three_levels_down_and_no_more(folder):
    for name, below in (("a", "b"), ("b", "c"), ("c", "d")):
        write(folder, name, run_job("down", below))
    write(folder, "d", notebook("end"))
    assert load_job(folder / "a.json").tasks[0].work.job.name == "b"
    write(folder, "d", run_job("down", "e"))
    write(folder, "e", notebook("end"))
    (said,) = check_definition(folder / "a.json")
    assert "run-job tasks are nested more than 3 deep" in said
    assert check_definition(folder / "b.json") == ()


def test_mistakes_of_a_job_below_are_told_with_its_file(folder):
    write(folder, "child", notebook("inner", "nobody"))
    (said,) = check_definition(job(run_job("down", "child")), base_dir=folder)
    assert "child.json has mistakes: task 'inner', depends_on 'nobody': UnknownTask" in said


def test_a_parameter_that_the_job_below_does_not_have_is_told(folder):
    write(folder, "child", notebook("inner"), parameters=[{"name": "day", "default": ""}])
    (said,) = check_definition(job(run_job("down", "child", dya="1")), base_dir=folder)
    assert said == (
        "task 'down', run_job_task.job_parameters.dya: WrongValue: job 'child' has no parameter 'dya'; "
        "did you mean 'day'? (it has day)"
    )


def test_health_rules_queue_and_webhooks_are_kept(folder):
    rule = {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}
    made = parse_job(
        json.dumps(job(
            notebook("a", health={"rules": [rule]}), queue={"enabled": True}, health={"rules": [rule | {"value": 90}]},
            webhook_notifications={"on_failure": [{"id": "hook"}]},
            email_notifications={"on_duration_warning_threshold_exceeded": ["a@x"]},
        )),
        source=folder / "job.json",
    )  # fmt: skip
    assert (made.queue, made.warn_after_seconds, made.tasks[0].warn_after_seconds) == (True, 90, 60)
    assert made.notifications.webhooks == {"on_failure": ("hook",)}
    assert made.notifications.on_duration_warning_threshold_exceeded == ("a@x",)


def test_a_definition_that_is_right_has_no_mistakes_and_one_that_is_no_json_has_one(folder):
    assert check_definition(job(notebook("a")), base_dir=folder) == ()
    (folder / "job.json").write_text("{")
    (said,) = check_definition(folder / "job.json")
    assert said.startswith("JobSyntaxError: ")
    with pytest.raises(JobDefinitionError, match=r"retail\.job\.json has 1 mistake"):
        parse_job(json.dumps(job()), source=folder / "retail.job.json")
