"""dbutils off Databricks, inside and outside a job."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.jobs import get_dbutils
from helpers.jobs.context import VARIABLE, JobContext, read_exit_value, read_values
from helpers.jobs.values import InputWidgetNotDefined, NotebookExit, NotEmulated, TaskValueError

VALUES = {"setup": {"rows": 3, "none": None}}


@pytest.fixture
def in_job(tmp_path: Path):
    told = JobContext(str(tmp_path), 1, 2, "gold", 3, 0, {"day": "job"}, VALUES, ("setup", "gold"))
    return get_dbutils({VARIABLE: str(told.write())})


@pytest.fixture
def alone():
    return get_dbutils({})


def test_a_parameter_of_the_job_wins_over_a_widgets_default(in_job):
    in_job.widgets.text("day", "default")
    in_job.widgets.dropdown("size", "s", ["s", "m"])
    assert in_job.widgets.get("day") == "job"
    assert in_job.widgets.getAll() == {"day": "job", "size": "s"}


def test_a_parameter_needs_no_widget(in_job):
    assert in_job.widgets.get("day") == "job"


def test_a_widget_keeps_its_first_default(alone):
    alone.widgets.text("day", "first")
    alone.widgets.text("day", "second")
    assert alone.widgets.get("day") == "first"


def test_a_widget_that_nobody_made_is_named(alone):
    with pytest.raises(InputWidgetNotDefined, match="no widget or parameter is named 'day'"):
        alone.widgets.get("day")


def test_widgets_can_be_removed(alone):
    alone.widgets.combobox("a", "1", ["1"])
    alone.widgets.multiselect("b", "1", ["1"])
    alone.widgets.remove("a")
    assert alone.widgets.getAll() == {"b": "1"}
    alone.widgets.removeAll()
    assert alone.widgets.getAll() == {}
    with pytest.raises(InputWidgetNotDefined, match="'a'"):
        alone.widgets.remove("a")


def test_a_widgets_value_is_a_string_and_one_of_its_choices(alone):
    with pytest.raises(TypeError, match="a string, not int"):
        alone.widgets.text("n", 1)
    with pytest.raises(ValueError, match="'x' of widget 'size' is none of its choices"):
        alone.widgets.dropdown("size", "x", ["s", "m"])


def test_task_values_come_from_earlier_tasks_and_go_to_later_ones(in_job, tmp_path):
    assert in_job.jobs.taskValues.get("setup", "rows") == 3
    assert in_job.jobs.taskValues.get(taskKey="setup", key="rows", debugValue=9) == 3
    in_job.jobs.taskValues.set("n", [1, {"a": None}])
    in_job.jobs.taskValues.set(key="m", value="text")
    assert read_values(tmp_path) == {"n": [1, {"a": None}], "m": "text"}


def test_a_value_that_is_not_there_needs_a_default(in_job):
    assert in_job.jobs.taskValues.get("setup", "cols", default=0) == 0
    with pytest.raises(TaskValueError, match="task 'setup' has set no value 'cols'"):
        in_job.jobs.taskValues.get("setup", "cols")
    with pytest.raises(ValueError, match="no task 'stup'; it has setup, gold"):
        in_job.jobs.taskValues.get("stup", "rows")


def test_a_value_of_null_is_a_value(in_job):
    assert in_job.jobs.taskValues.get("setup", "none", default=1) is None


def test_outside_a_job_the_debug_value_is_given_and_set_keeps_nothing(alone):
    assert alone.jobs.taskValues.get("setup", "rows", debugValue=9) == 9
    alone.jobs.taskValues.set("n", 1)
    with pytest.raises(TypeError, match=r"outside a job .* needs a debugValue"):
        alone.jobs.taskValues.get("setup", "rows", default=1)


def test_a_task_value_has_at_most_48_kib_of_json(in_job, tmp_path):
    in_job.jobs.taskValues.set("fits", "x" * (48 * 1024 - 2))
    with pytest.raises(TaskValueError, match="'large' has 49153 bytes as JSON; at most 49152"):
        in_job.jobs.taskValues.set("large", "x" * (48 * 1024 - 1))
    assert list(read_values(tmp_path)) == ["fits"]


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan")])
def test_a_task_value_is_json(alone, value):
    with pytest.raises(TaskValueError, match="'v' is not JSON"):
        alone.jobs.taskValues.set("v", value)


def test_exit_keeps_its_value_and_passes_except_exception(in_job, tmp_path):
    def cell() -> None:
        with suppress(Exception):
            in_job.notebook.exit("done")

    with pytest.raises(NotebookExit, match="done"):
        cell()
    assert read_exit_value(tmp_path) == "done"


def test_exit_takes_a_string_only(in_job, tmp_path):
    with pytest.raises(TypeError, match="takes a string, not dict"):
        in_job.notebook.exit({"a": 1})
    assert read_exit_value(tmp_path) is None


@pytest.mark.parametrize("path", ["library", "credentials", "fs.mount", "widgets.fill", "jobs.runs"])
def test_what_is_not_emulated_says_so(alone, path):
    *parts, last = path.split(".")
    owner = alone
    for part in parts:
        owner = getattr(owner, part)
    with pytest.raises(NotEmulated, match=rf"dbutils\.{path} exists on Databricks only"):
        getattr(owner, last)
    assert not hasattr(owner, last)


def test_on_databricks_the_ambient_dbutils_is_given(monkeypatch):
    ambient = object()
    shell = SimpleNamespace(user_ns={"dbutils": ambient})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert get_dbutils({"DATABRICKS_RUNTIME_VERSION": "17.3"}) is ambient
