"""The job's sources derive by the same markers; JSON loses what `publish.json` names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.publish import PublishError, check, publish

JOB = {
    "name": "retail",
    "job_clusters": [{"job_cluster_key": "small", "spark_conf": {"spark.sql.shuffle.partitions": "2"}}],
    "parameters": [{"name": "landing", "default": "/Volumes/a"}],
    "tasks": [
        {"task_key": "silver", "timeout_seconds": 600},
        {"task_key": "gold", "depends_on": [{"task_key": "silver"}], "timeout_seconds": 900},
        {"task_key": "report", "depends_on": [{"task_key": "gold"}]},
    ],
}
SQL = """\
CREATE OR REFRESH MATERIALIZED VIEW sales AS
-- BEGIN SOLUTION
SELECT day, sum(revenue) FROM silver_sales GROUP BY day
-- END SOLUTION
;
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "solutions" / "retail_job" / "pipeline").mkdir(parents=True)
    return tmp_path


def source(root: Path, name: str, content: str) -> None:
    (root / "solutions" / "retail_job" / name).write_text(content, encoding="utf-8")


def rules(root: Path, **said: Any) -> None:
    names = {name.replace("_json", ".json"): rule for name, rule in said.items()}
    source(root, "publish.json", json.dumps(names))


def published(root: Path) -> dict[str, str]:
    folder = root / "lessons" / "retail_job"
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_without_markers_and_without_rules_nothing_of_the_job_is_published(root: Path) -> None:
    source(root, "job.json", json.dumps(JOB))
    source(root, "pipeline/gold.sql", "SELECT 1;\n")
    source(root, "pipeline/silver.py", "x = 1\n")
    assert publish(root).written == ()
    assert published(root) == {}


def test_sql_and_python_lose_their_blocks_and_what_has_none_stays_away(root: Path) -> None:
    source(root, "pipeline/gold.sql", SQL)
    block = "    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION\n"
    source(root, "pipeline/silver.py", f"def silver():\n    ...\n{block}")
    source(root, "pipeline/bronze.sql", "SELECT 1;\n")
    publish(root)
    assert published(root) == {
        "pipeline/gold.sql": "CREATE OR REFRESH MATERIALIZED VIEW sales AS\n;\n",
        "pipeline/silver.py": "def silver():\n    ...\n",
    }
    assert check(root) == ()


def test_json_loses_what_is_named_by_key_task_name_or_cluster(root: Path) -> None:
    source(root, "job.json", json.dumps(JOB))
    paths = [
        "tasks.gold.depends_on",
        "tasks.report",
        "parameters.landing",
        "job_clusters.small.spark_conf.spark.sql.shuffle.partitions",
    ]
    rules(root, job_json={"remove": paths})
    publish(root)
    assert json.loads(published(root)["job.json"]) == {
        "name": "retail",
        "job_clusters": [{"job_cluster_key": "small", "spark_conf": {}}],
        "parameters": [],
        "tasks": [{"task_key": "silver", "timeout_seconds": 600}, {"task_key": "gold", "timeout_seconds": 900}],
    }


def test_what_is_listed_under_copy_is_published_as_it_is(root: Path) -> None:
    source(root, "pipeline.json", '{"name":  "retail"}')
    source(root, "pipeline/bronze.sql", "SELECT 1;\n")
    source(root, "notes.md", "Read me.")
    rules(root, copy=["pipeline.json", "pipeline/bronze.sql", "notes.md"])
    publish(root)
    assert published(root) == {
        "pipeline.json": '{"name":  "retail"}',
        "pipeline/bronze.sql": "SELECT 1;\n",
        "notes.md": "Read me.",
    }
    assert check(root) == ()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tasks.glod", "there is no tasks.glod"),
        ("tasks.1", "never by its position"),
        ("tasks.gold.depends_on.bronze", "there is no tasks.gold.depends_on.bronze"),
        ("name.first", "there is no name.first"),
    ],
)
def test_a_name_that_is_not_there_is_an_error_that_names_it(root: Path, path: str, said: str) -> None:
    source(root, "job.json", json.dumps(JOB))
    rules(root, job_json={"remove": [path]})
    with pytest.raises(PublishError, match=said) as raised:
        publish(root)
    assert str(raised.value).startswith("solutions/retail_job/job.json: ")


def test_a_name_that_two_items_have_is_an_error(root: Path) -> None:
    source(root, "job.json", json.dumps({"tasks": [{"task_key": "gold"}, {"name": "gold"}]}))
    rules(root, job_json={"remove": ["tasks.gold"]})
    with pytest.raises(PublishError, match=r"tasks\.gold means 2 items"):
        publish(root)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('{"copy": ["gone.sql"]}', r"names gone\.sql, which is not there"),
        ('{"pipeline/gold.sql": {"remove": ["x"]}}', "only a JSON file can have it"),
        ('{"job.json": {"drop": ["x"]}}', r"job\.json needs"),
        ("[]", "could not be read"),
        ("{", "could not be read"),
    ],
)
def test_rules_that_say_nothing_are_refused(root: Path, said: str, why: str) -> None:
    source(root, "job.json", json.dumps(JOB))
    source(root, "pipeline/gold.sql", SQL)
    source(root, "publish.json", said)
    with pytest.raises(PublishError, match=rf"^solutions/retail_job/publish\.json.*{why}"):
        publish(root)


def test_a_marker_of_python_is_refused_in_sql_with_its_line(root: Path) -> None:
    source(root, "pipeline/gold.sql", SQL.replace("--", "#"))
    with pytest.raises(PublishError, match=r"^solutions/retail_job/pipeline/gold\.sql, line 2: .*`-- BEGIN SOLUTION`"):
        publish(root)


def test_check_names_a_job_source_that_is_stale_orphaned_or_gives_its_solution_away(root: Path) -> None:
    source(root, "pipeline/gold.sql", SQL)
    source(root, "job.json", json.dumps(JOB))
    rules(root, job_json={"remove": ["tasks.report"]})
    publish(root)
    folder = root / "lessons" / "retail_job"
    lines = [line for line in SQL.splitlines(keepends=True) if "SOLUTION" not in line]
    (folder / "pipeline" / "gold.sql").write_text("".join(lines))
    (folder / "job.json").write_text(json.dumps(JOB, indent=2))
    (folder / "pipeline" / "old.sql").write_text("SELECT 1")
    assert [(each.kind, each.file.removeprefix("lessons/retail_job/")) for each in check(root)] == [
        ("leaking", "job.json"),
        ("stale", "job.json"),
        ("leaking", "pipeline/gold.sql"),
        ("stale", "pipeline/gold.sql"),
        ("orphaned", "pipeline/old.sql"),
    ]
