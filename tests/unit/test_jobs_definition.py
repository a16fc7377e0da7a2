"""Definitions: what a good one becomes, and what each bad one is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import JobDefinitionError, JobSyntaxError, check_definition, load_job, parse_job, schema
from helpers.jobs.errors import JobFileError
from helpers.jobs.model import Notebook, Pipeline


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("setup.ipynb", "report.ipynb"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "pipeline.json").write_text("{}")
    return tmp_path


def notebook(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    depends = {"depends_on": [{"task_key": name} for name in upstream]} if upstream else {}
    return {"task_key": key, "notebook_task": {"notebook_path": "setup"}, **depends, **more}


def pipeline(name: str, **more: Any) -> dict[str, Any]:
    return {"task_key": "p", "pipeline_task": {"pipeline_id": f"${{resources.pipelines.{name}.id}}", **more}}


def parse(folder: Path, document: Any) -> Any:
    return parse_job(json.dumps(document), source=folder / "job.json")


def told(folder: Path, document: Any) -> list[str]:
    with pytest.raises(JobDefinitionError) as caught:
        parse(folder, document)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_full_definition_becomes_a_job(folder):
    job = parse(folder, {
        "name": "retail",
        "tags": {"team": "data"},
        "parameters": [{"name": "day", "default": "{{job.start_time.iso_date}}"}],
        "max_concurrent_runs": 2,
        "timeout_seconds": 3600,
        "email_notifications": {"on_failure": ["a@example.com"], "no_alert_for_skipped_runs": True},
        "tasks": [
            notebook("setup", max_retries=2, min_retry_interval_millis=500, timeout_seconds=60, retry_on_timeout=True),
            {
                "task_key": "bronze",
                "depends_on": [{"task_key": "setup"}],
                "run_if": "ALL_DONE",
                "pipeline_task": {
                    "pipeline_id": "${resources.pipelines.retail.id}",
                    "refresh_selection": ["orders"],
                    "full_refresh_selection": ["customers"],
                },
            },
        ],
    })  # fmt: skip
    assert (job.name, job.max_concurrent_runs, job.timeout_seconds) == ("retail", 2, 3600)
    assert job.parameters == {"day": "{{job.start_time.iso_date}}"}
    assert job.notifications.on_failure == ("a@example.com",)
    assert job.notifications.no_alert_for_skipped_runs
    setup, bronze = job.tasks
    assert setup.work == Notebook(folder / "setup.ipynb")
    assert (setup.max_retries, setup.min_retry_interval_millis, setup.timeout_seconds) == (2, 500, 60)
    assert bronze.work == Pipeline(
        folder / "pipeline.json", refresh_selection=("orders",), full_refresh_selection=("customers",)
    )
    assert (bronze.depends_on, bronze.run_if) == (("setup",), "ALL_DONE")
    assert job.settings.tasks[1].pipeline_task.refresh_selection == ["orders"]


def test_a_pipelines_own_file_comes_before_the_common_one(folder):
    (folder / "retail.pipeline.json").write_text("{}")
    job = parse(folder, {"tasks": [pipeline("retail")]})
    assert job.tasks[0].work.settings == folder / "retail.pipeline.json"


def test_paths_are_relative_to_the_definition_and_need_no_suffix(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "job.json").write_text(json.dumps({"tasks": [
        {"task_key": "a", "notebook_task": {"notebook_path": "../report"}},
        {"task_key": "b", "notebook_task": {"notebook_path": "../report.ipynb"}},
    ]}))  # fmt: skip
    job = load_job(folder / "sub" / "job.json")
    assert [task.work.path.resolve() for task in job.tasks] == [folder / "report.ipynb"] * 2


def test_what_a_laptop_ignores_is_listed_with_its_reason(folder):
    job = parse(folder, {
        "job_clusters": [{"job_cluster_key": "c", "new_cluster": {"spark_version": "17.3.x-scala2.13"}}],
        "schedule": {"quartz_cron_expression": "0 30 6 * * ?", "timezone_id": "Europe/Berlin"},
        "trigger": {"file_arrival": {"url": "/Volumes/main/default/landing/"}},
        "permissions": [{"level": "CAN_VIEW", "group_name": "users"}],
        "tasks": [notebook("a", job_cluster_key="c"), notebook("b", job_cluster_key="c")],
    })  # fmt: skip
    # The schedule and the trigger are obeyed by `watch`.
    assert {ignored.path for ignored in job.ignored} == {"permissions", "job_clusters", "job_cluster_key of a, b"}
    assert all(ignored.why for ignored in job.ignored)


def test_empty_lists_and_objects_ask_for_nothing(folder):
    job = parse(folder, {
        "webhook_notifications": {}, "email_notifications": {"on_start": []},
        "tasks": [notebook("a", libraries=[], disabled=False)],
    })  # fmt: skip
    assert job.notifications.on_start == ()


def test_broken_json_is_told_with_line_and_column(folder):
    with pytest.raises(JobSyntaxError, match=r"job\.json:2:12: ") as caught:
        parse_job('{\n  "tasks": nope}', source=folder / "job.json")
    assert (caught.value.line, caught.value.column) == (2, 12)


def test_a_missing_file_is_told_by_its_name(tmp_path):
    with pytest.raises(JobFileError, match=r"nowhere\.json cannot be read: No such file"):
        load_job(tmp_path / "nowhere.json")


def test_a_file_that_is_not_text_is_told(tmp_path):
    (tmp_path / "job.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JobFileError, match="not UTF-8"):
        load_job(tmp_path / "job.json")


def test_all_mistakes_come_at_once_each_with_task_and_field(folder):
    said = told(folder, {
        "tassk": [1],
        "tasks": [
            notebook("silver", max_retry=1),
            notebook("gold", "silvr", timeout_seconds="60"),
            {"task_key": "late", "notebook_task": {"notebook_path": "gone"}, "run_if": "SOMETIMES"},
        ],
    })  # fmt: skip
    assert said == [
        "tassk: UnknownField: there is no field 'tassk' here; did you mean 'tasks'?",
        "task 'silver', max_retry: UnknownField: there is no field 'max_retry' here; did you mean 'max_retries'?",
        "task 'gold', timeout_seconds: WrongValue: '60' is not a whole number",
        "task 'late', run_if: WrongValue: 'SOMETIMES' is not one of ALL_DONE, ALL_FAILED, ALL_SUCCESS, "
        "AT_LEAST_ONE_FAILED, AT_LEAST_ONE_SUCCESS, NONE_FAILED",
        "task 'gold', depends_on 'silvr': UnknownTask: task 'gold' depends on 'silvr', which is not in the job; "
        "did you mean 'silver'?",
        f"task 'late', notebook_task.notebook_path: MissingFile: there is no notebook {folder / 'gone.ipynb'}; "
        "paths are relative to the definition",
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "WrongValue: a job is a JSON object"),
        ({}, "tasks: MissingField: a job needs at least one task"),
        ({"tasks": {}}, "tasks: MissingField: a job needs at least one task"),
        ({"tasks": "all"}, "tasks: WrongValue: 'all' is not a list"),
        ({"tasks": ["a"]}, "task 'a': WrongValue: 'a' is not an object"),
        (
            {"tasks": [{"notebook_task": {"notebook_path": "setup"}}]},
            'task {"notebook_task": {"notebook_path": "setup"}}: MissingField: \'task_key\' is required',
        ),
        ({"tasks": [notebook("a"), {}]}, "the task after 'a': MissingField: 'task_key' is required"),
        ({"tasks": [3, notebook("a", max_retries="1")]}, "task 'a', max_retries: WrongValue: '1' is not a whole"),
        ({"tasks": [3, notebook("a", max_retries=-2)]}, "task 'a', max_retries: WrongValue: -2 is not -1 or more"),
        ({"tasks": [notebook("a"), notebook("a")]}, "task 'a', task_key: DuplicateKey: task_key 'a' is there 2 times"),
        ({"tasks": [notebook("a b")]}, "task 'a b', task_key: WrongValue: 'a b' is not 1 to 100 letters"),
        (
            {"tasks": [notebook("a", "b"), notebook("b", "a")]},
            "task 'a', depends_on: TaskCycle: these tasks wait for each other: a -> b -> a",
        ),
        (
            {"tasks": [notebook("a", "b"), notebook("a"), notebook("b", "a")]},
            "task 'a', depends_on: TaskCycle: these tasks wait for each other: a -> b -> a",
        ),
        ({"tasks": [notebook("a")], "tags": {f"t{n}": "" for n in range(26)}}, "tags: WrongValue: a job has at most 2"),
        ({"tasks": [{"task_key": "a"}]}, "task 'a': MissingField: a task has one kind of work"),
        (
            {"tasks": [notebook("a", pipeline_task={"pipeline_id": "${resources.pipelines.x.id}"})]},
            "task 'a': WrongValue: a task has one kind of work, such as notebook_task; this one has "
            "notebook_task and pipeline_task",
        ),
        (
            {"tasks": [{"task_key": "a", "spark_jar_task": {"main_class_name": "p"}}]},
            "task 'a', spark_jar_task: NotSupported: spark_jar_task is not supported here; a task here is one of "
            "notebook_task, pipeline_task, sql_task",
        ),
        ({"tasks": [notebook("a", disabled=True)]}, "task 'a', disabled: NotSupported"),
        ({"tasks": [notebook("a", max_retries=-2)]}, "task 'a', max_retries: WrongValue: -2 is not -1 or more"),
        ({"tasks": [notebook("a", max_retries=True)]}, "task 'a', max_retries: WrongValue: True is not a whole number"),
        (
            {"tasks": [notebook("a")], "max_concurrent_runs": 1001},
            "max_concurrent_runs: WrongValue: 1001 is not from 0 to 1000",
        ),
        ({"tasks": [notebook("a")], "git_source": {"git_url": "u", "git_provider": "gitHub"}}, "git_source: NotSupp"),
        (
            {"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "setup", "source": "GIT"}}]},
            "task 'a', notebook_task.source: NotSupported: source GIT",
        ),
        (
            {"tasks": [pipeline("p", reset_checkpoint_selection=["f"])]},
            "task 'p', pipeline_task.reset_checkpoint_selection: NotSupported",
        ),
        (
            {"tasks": [{"task_key": "p", "pipeline_task": {"pipeline_id": "1234-abcd"}}]},
            "BadReference: '1234-abcd' has not the form ${resources.pipelines.NAME.id}",
        ),
        (
            {"tasks": [notebook("a", description="for ${var.team}")]},
            "task 'a', description: BadReference: nothing fills in ${var.team} here",
        ),
        (
            {"tasks": [notebook("a")], "schedule": {"quartz_cron_expression": "30 6 * * *", "timezone_id": "UTC"}},
            "schedule.quartz_cron_expression: WrongValue: '30 6 * * *' has 5 fields; Quartz has 6 or 7, seconds first",
        ),
        (
            {"tasks": [notebook("a")], "schedule": {"quartz_cron_expression": "0 30 6 * * *", "timezone_id": "UTC"}},
            "needs one '?'",
        ),
        (
            {"tasks": [notebook("a")], "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "Berlin"}},
            "schedule.timezone_id: WrongValue: 'Berlin' is no time zone, such as 'Europe/Berlin' or 'UTC'; did you "
            "mean 'Europe/Berlin'?",
        ),
        (
            {"tasks": [notebook("a")],
             "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "US/Pacif"}},
            "; did you mean 'US/Pacific'?",
        ),
        (
            {"tasks": [notebook("a")], "parameters": [{"name": "d", "default": "1"}, {"name": "d", "default": "2"}]},
            "parameter 'd', name: DuplicateKey: name 'd' is there 2 times",
        ),
        ({"tasks": [notebook("a")], "parameters": [{"name": "d"}]}, "parameter 'd': MissingField: 'default' is"),
        (
            {"tasks": [notebook("a")], "parameters": [{"name": "d e", "default": ""}]},
            "parameter 'd e', name: WrongValue",
        ),
    ],
)  # fmt: skip
def test_each_mistake_names_its_place_and_what_is_wrong(folder, document, said):
    assert any(said in line for line in told(folder, document)), told(folder, document)


def test_a_notebook_may_be_a_file_that_was_exported_as_source(folder):
    source = folder / "export.py"
    source.write_text("# Databricks notebook source\n# MAGIC %md hello\n\n# COMMAND ----------\n\nprint(1)\n")
    for named in ("export", "export.py"):
        job = parse(folder, {"tasks": [work("a", named)]})
        assert job.task("a").work.path == source
    (folder / "export.ipynb").write_text("{}")  # a notebook's name without an ending is that of the .ipynb
    job = parse(folder, {"tasks": [work("a", "export")]})
    assert job.task("a").work.path == folder / "export.ipynb"


def test_what_an_exported_notebook_cannot_do_here_is_told_before_anything_runs(folder):
    cells = ["# MAGIC %sql\n# MAGIC SELECT 1", "print(1)", "# MAGIC %run ./setup", "# MAGIC %scala\n# MAGIC val x = 1"]
    text = "\n\n# COMMAND ----------\n\n".join(cells)
    (folder / "export.py").write_text(f"# Databricks notebook source\n{text}\n")
    (folder / "plain.py").write_text("print(1)\n")
    where = "notebook_task.notebook_path: NotSupported:"
    assert told(folder, {"tasks": [work("a", "export"), work("b", "plain.py")]}) == [
        f'task \'a\', {where} cell 1 of export.py begins with %sql, which is not supported here; '
        'call spark.sql("""…""")',
        f"task 'a', {where} cell 3 of export.py begins with %run, which is not supported here; import a module that "
        "is beside the notebook, or call dbutils.notebook.run",
        f"task 'a', {where} cell 4 of export.py begins with %scala, which is not supported here; only %md and %python "
        "are",
        f"task 'b', {where} plain.py is no notebook: its first line is not '# Databricks notebook source'; for a plain "
        "file use spark_python_task",
    ]


def test_the_apis_form_around_a_job_is_told(folder):
    inside = {"tasks": [notebook("a")], "access_control_list": [{"user_name": "me", "permission_level": "CAN_MANAGE"}]}
    said = "settings: WrongValue: this is the API's form around a job; keep only what is in 'settings'"
    assert told(folder, {"job_id": 7, "settings": inside}) == [said]
    job = parse(folder, inside)
    assert [(one.path, one.why) for one in job.ignored] == [("access_control_list", "one user runs everything here")]


def work(key, path):
    return {"task_key": key, "notebook_task": {"notebook_path": path}}


def test_a_pipeline_file_that_is_missing_is_told_with_both_names(folder):
    (folder / "pipeline.json").unlink()
    (said,) = told(folder, {"tasks": [pipeline("x")]})
    assert said.startswith("task 'p', pipeline_task.pipeline_id: MissingFile: ")
    assert said.endswith(f"there is neither x.pipeline.json nor pipeline.json in {folder}")


def test_a_field_that_is_there_twice_is_not_swallowed(folder):
    text = '{"tasks": [{"task_key": "a", "task_key": "b", "notebook_task": {"notebook_path": "setup"}}]}'
    with pytest.raises(JobDefinitionError, match="task 'b': DuplicateKey: one object has the field 'task_key' twice"):
        parse_job(text, source=folder / "job.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{job.naem}}", "'{{job.naem}}' has no value here; there are job.id"),
        ("{{job.naem}}", "; did you mean 'job.name'?"),
        ("{{job.start_time.weekday}}", "; did you mean 'job.start_time.is_weekday'?"),
        ("{{job.parameters.dya}}", "names a parameter that the job does not define"),
        ("{{tasks.nobody.values.k}}", "names task 'nobody', which is not in the job"),
        ("{{tasks.b.values.k}}", "names task 'b', which does not run before this one"),
        ("{{tasks.a.output.last_row.n}}", "there are tasks.<task>.values.<key>"),
        ("{{workspace.url}}", "has no value here"),
        ("{{run_id}}", "is an old form; write '{{task.run_id}}'"),
    ],
)
def test_references_that_lead_nowhere_are_found_before_the_run(folder, text, said):
    task = notebook("b", "a")
    task["notebook_task"] = {"notebook_path": "setup", "base_parameters": {"p": text}}
    lines = told(folder, {"tasks": [notebook("a"), task], "parameters": [{"name": "day", "default": ""}]})
    assert len(lines) == 1
    assert lines[0].startswith("task 'b', notebook_task.base_parameters.p: BadReference: ")
    assert said in lines[0]


def test_a_job_parameter_knows_no_task(folder):
    document = {"tasks": [notebook("a")], "parameters": [{"name": "p", "default": "{{task.name}}"}]}
    assert told(folder, document) == [
        "parameter 'p', default: BadReference: '{{task.name}}' has no value in a job parameter, "
        "where no task is at hand"
    ]


@dataclass
class Forgetful:
    kept: str | None = None
    lost: list[str] | None = None

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Forgetful:
        return cls(kept=given.get("kept"))

    def as_dict(self) -> dict[str, Any]:
        return {"kept": self.kept}


def test_what_the_sdk_would_lose_is_told():
    assert schema.check({"kept": "a"}, Forgetful) == ({"kept": "a"}, [])
    _, mistakes = schema.check({"kept": "a", "lost": ["b"]}, Forgetful)
    assert [str(mistake) for mistake in mistakes] == ["lost: WrongValue: the Jobs API does not keep ['b']"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({5: 1}, "5: UnknownField: there is no field '5' here"),
        ({"tasks": [{**work("a", "setup"), True: 1}]}, "task 'a', True: UnknownField: there is no field 'True' here"),
        ({"tasks": [{**work("a", "setup"), "libraries": [{"whl": "a" * 300}]}]}, "whl: MissingFile: there is no wheel"),
        ({"tasks": [{**work("a", "setup"), "libraries": [{"whl": "a\0b"}]}]}, "whl: MissingFile: there is no wheel"),
        ({"tasks": [{"task_key": "a", "python_wheel_task": {"package_name": "", "entry_point": "b"}}]},
         "nothing brings the package ''"),
    ],
)  # fmt: skip
def test_what_no_json_file_or_no_file_system_holds_is_told_too(folder, changed, said):
    (told,) = check_definition({"tasks": [work("a", "setup")], **changed}, base_dir=folder)
    assert said in told
