"""SQL tasks that run a saved query: what is said before a run, and which statements run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import check_definition, parse_job
from helpers.jobs.queries import QueryFileError
from helpers.jobs.specs import spec
from helpers.jobs.sql_task import run_query
from helpers.jobs.work import SqlQuery

ID = "0c9f4f5e-1a2b-4c3d-8e9f-000000000001"
#: As `databricks queries get` prints it.
SAVED = {
    "id": ID, "display_name": "Revenue", "warehouse_id": "w", "lifecycle_state": "ACTIVE", "run_as_mode": "OWNER",
    "apply_auto_limit": True, "owner_user_name": "ada@example.com", "create_time": "2025-01-01T00:00:00Z",
    "query_text": "SELECT :day AS day, 1-:less, :layer -- :day",
    "parameters": [
        {"name": "day", "title": "Day", "date_value": {"date_value": "2017-01-01", "precision": "DAY_PRECISION"}},
        {"name": "less", "title": "", "numeric_value": {"value": 2}},
        {"name": "layer", "enum_value": {"enum_options": "bronze\nsilver", "values": ["silver"]}},
    ],
}  # fmt: skip


def save(folder: Path, name: str = "revenue", **changed: Any) -> Path:
    path = folder / f"{name}.query.json"
    path.write_text(json.dumps({key: value for key, value in {**SAVED, **changed}.items() if value is not None}))
    return path


def job(query_id: str = ID, **more: Any) -> dict[str, Any]:
    work = {"warehouse_id": "w", "query": {"query_id": query_id}, **more}
    return {"name": "q", "tasks": [{"task_key": "a", "sql_task": work}]}


def asked(file: Path, **given: str) -> list[str]:
    texts: list[str] = []

    class Frame:
        columns = ()

    def sql(text: str) -> Frame:
        texts.append(text)
        return Frame()

    ran = run_query(file, given, sql=sql, report=lambda said: None)
    assert ran["error"] is None
    return texts


def test_a_query_is_found_by_the_id_in_its_file_or_by_its_files_name(tmp_path):
    by_id, by_name = save(tmp_path), save(tmp_path, "stock", id=None)
    (tmp_path / "broken.query.json").write_text("{")
    for query_id, file in ((ID, by_id), ("stock", by_name)):
        text = json.dumps(job(query_id, parameters={"day": "1"}))
        (task,) = parse_job(text, source=tmp_path / "job.json").tasks
        assert task.work == SqlQuery(file, {"day": "1"})
        told = spec(task.work, tmp_path, commands={}, limits={})
        assert (told["query"], told["parameters"]) == (str(file), {"day": "1"})


def test_a_querys_parameters_have_their_types_and_the_tasks_win(tmp_path):
    file = save(tmp_path)
    assert asked(file) == ["SELECT '2017-01-01' AS day, 1-(2), 'silver'"]
    assert asked(file, day="it's", less="-0.5") == ["SELECT 'it\\'s' AS day, 1-(-0.5), 'silver'"]
    with pytest.raises(QueryFileError, match="parameter 'less' is a number, not '1; DROP TABLE t'"):
        asked(file, less="1; DROP TABLE t")


def test_a_query_runs_in_its_schema(tmp_path):
    file = save(tmp_path, schema="re`tail", catalog="spark_catalog", parameters=None, query_text="SELECT 1;\nSELECT 2")
    assert asked(file) == ["USE SCHEMA `re``tail`", "SELECT 1", "SELECT 2"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"query_text": None}, "revenue.query.json has no query_text"),
        ({"query_text": "SELECT '{{ day }}'"}, "'{{ day }}' is the old form of a parameter; write :day"),
        ({"catalog": "main"}, "catalog main is not here; leave it out of the file"),
        ({"parameters": [{"name": "d", "date_value": {"dynamic_date_value": "NOW"}}]}, "'d' has no single fixed value"),
        ({"parameters": [{"name": "d", "date_range_value": {}}]}, "parameter 'd' has date_range_value; one of text_"),
        ({"parameters": [{"name": "d", "enum_value": {"values": ["a", "b"]}}]}, "'d' has no single fixed value in its"),
        ({"query_txt": "SELECT 1"}, "UnknownField: revenue.query.json, query_txt"),
    ],
)
def test_what_a_query_cannot_mean_here_is_said_before_anything_runs(tmp_path, changed, said):
    save(tmp_path, **changed)
    (found,) = check_definition(job(), base_dir=tmp_path)
    assert found.startswith("task 'a', sql_task.query.query_id: ")
    assert said in found


def test_a_query_that_is_nowhere_or_twice_is_named(tmp_path):
    (found,) = check_definition(job(), base_dir=tmp_path)
    assert f"has the id '{ID}' or is named {ID}.query.json; save the query there with: databricks queries get" in found
    save(tmp_path), save(tmp_path, "copy")
    (found,) = check_definition(job(), base_dir=tmp_path)
    assert f"WrongValue: copy.query.json and revenue.query.json have the id '{ID}'" in found
    (found,) = check_definition(job("revenue"), base_dir=tmp_path)
    assert "MissingFile" in found


def test_a_task_has_a_file_or_a_query(tmp_path):
    save(tmp_path)
    (tmp_path / "a.sql").write_text("SELECT 1")
    assert check_definition(job(file={"path": "a.sql"}), base_dir=tmp_path) == (
        "task 'a', sql_task: WrongValue: a SQL task has either a file or a query",
    )
