"""A job that cells write: its files, its definition's mistakes, and what takes its place on Databricks."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from helpers.checks import Exercise, judge, verdict
from helpers.lab import LabJob, NoSuchFolder, NotAFileOfTheJob
from helpers.lab.job import folder_of_job
from helpers.runtime import Places

TASKS = [{"task_key": "count", "notebook_task": {"notebook_path": "count.ipynb"}}]


@pytest.fixture
def job(tmp_path: Path) -> LabJob:
    (tmp_path / "job").mkdir()
    return LabJob(tmp_path / "job", Places(tmp_path / "home"))


def test_sources_are_written_where_the_definition_looks_for_them(job: LabJob) -> None:
    job.write("pipeline/silver.sql", """
        SELECT 1
    """)
    job.write("pipeline.json", {"name": "retail"})
    assert str(job.notebook("count.ipynb", "x = 1", "print(x)")) == "count.ipynb is written: 2 cells."
    assert (job.folder / "pipeline" / "silver.sql").read_text() == "SELECT 1\n"
    assert json.loads((job.folder / "pipeline.json").read_text()) == {"name": "retail"}
    read = nbformat.read(job.folder / "count.ipynb", as_version=4)
    assert [cell.source for cell in read.cells] == ["x = 1", "print(x)"]


def test_what_is_written_again_replaces_the_old(job: LabJob) -> None:
    job.write("a.sql", "SELECT 1")
    job.write("a.sql", "SELECT 2")
    assert (job.folder / "a.sql").read_text() == "SELECT 2\n"


@pytest.mark.parametrize("name", ["../outside.sql", "/tmp/outside.sql", "a/../../outside.sql", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(job: LabJob, name: str) -> None:
    with pytest.raises(NotAFileOfTheJob, match="leads out of the job's folder"):
        job.write(name, "SELECT 1")
    assert not (job.folder.parent / "outside.sql").exists()


def test_a_notebook_needs_its_ending(job: LabJob) -> None:
    with pytest.raises(NotAFileOfTheJob, match=r"write 'count\.ipynb'"):
        job.notebook("count", "1")


def test_problems_names_every_mistake_and_runs_nothing(job: LabJob) -> None:
    job.notebook("count.ipynb", "1")
    assert job.problems({"name": "small", "tasks": TASKS}) == ()
    found = job.problems({"name": "small", "tasks": [*TASKS, {"task_key": "late", "depends_on": [{"task_key": "coutn"}],
                                                             "notebook_task": {"notebook_path": "missing.ipynb"}}]})
    assert len(found) == 2
    assert any("coutn" in problem for problem in found)
    assert any("missing.ipynb" in problem for problem in found)
    assert not job.places.runs.exists()


def test_read_gives_a_definition_as_data_and_a_source_as_text(job: LabJob) -> None:
    job.write("job.json", {"name": "small"})
    job.write("silver.sql", "SELECT 1")
    assert job.read("job.json") == {"name": "small"}
    assert job.read("silver.sql") == "SELECT 1\n"


def test_read_names_the_file_that_is_missing_and_the_line_that_is_no_json(job: LabJob) -> None:
    with pytest.raises(NotAFileOfTheJob, match=r"There is no gold\.sql in "):
        job.read("gold.sql")
    job.write("job.json", '{"name": "small",\n"tasks": []\n"parameters": []}')
    with pytest.raises(NotAFileOfTheJob, match=r"^job\.json, line 3: "):
        job.read("job.json")


def test_a_folder_that_is_there_is_found_beside_the_notebook_before_the_copied_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoSuchFolder, match=r"no folder my_job beside this notebook.*study"):
        folder_of_job("my_job", places)
    (places.lessons / "my_job").mkdir(parents=True)
    assert folder_of_job("my_job", places) == places.lessons / "my_job"
    (tmp_path / "my_job").mkdir()
    assert folder_of_job("my_job", places) == tmp_path / "my_job"
    assert folder_of_job(places.lessons / "my_job", places) == places.lessons / "my_job"


def test_on_databricks_a_note_takes_the_run_s_place_and_counts_as_not_attempted(job: LabJob) -> None:
    there = LabJob(job.folder, job.places, elsewhere=True)
    run = there.run({"name": "small", "tasks": TASKS})
    exercise = Exercise("15.1", "Run it", ("4.1",), lambda lab, answer: verdict([], right="It ran."), ())
    assert judge(exercise, None, run).status == "not attempted"
    assert "your workspace" in judge(exercise, None, run).message
    assert judge(exercise, None, there.repair(run, {"name": "small", "tasks": TASKS})).status == "not attempted"


def test_a_cell_that_repairs_may_run_again_with_the_run_that_it_began_with(job: LabJob) -> None:
    begin = {"task_key": "begin", "spark_python_task": {"python_file": "begin.py"}}
    say = {"task_key": "say", "depends_on": [{"task_key": "begin"}], "spark_python_task": {"python_file": "say.py"}}
    definition = {"name": "small", "tasks": [begin, say]}
    job.write("begin.py", "print('begun')")
    job.write("say.py", "raise SystemExit('not yet')")
    broken = job.run(definition)
    assert broken.state.result_state == "FAILED"
    once = job.repair(broken, definition)
    assert "not yet" in once.task("say").error
    job.write("say.py", "print('now')")
    twice = job.repair(broken, definition)
    assert twice.state.result_state == "SUCCESS"
    assert [item.type for item in twice.repair_history] == ["ORIGINAL", "REPAIR", "REPAIR"]
    assert twice.run_id == broken.run_id
