"""Notebooks as sources, queries of the event log, event hooks and actions in dataset functions: without Spark."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.pipelines import dp, frames, sources
from helpers.pipelines.building import Building
from helpers.pipelines.definitions import collect
from helpers.pipelines.errors import InvalidDataset, InvalidSource, Unsupported
from helpers.pipelines.event_query import rewritten
from helpers.pipelines.graph import Definitions, EventHook, Flow
from helpers.pipelines.hooks import Hooks


def load(path: Path) -> Definitions:
    registry = dp.Registry()
    sources.add_file(registry, path, spark=None, parameters={})
    return collect(*registry.finished(), schema="shop")


def ipynb(path: Path, *cells: str, language: str = "python") -> Path:
    found = [{"cell_type": "markdown", "source": ["# title"]}]
    found += [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    path.write_text(json.dumps({"cells": found, "metadata": {"language_info": {"name": language}}}))
    return path


TABLE = "@dp.table\ndef {}():\n    ...\n"
EXPORT = """-- Databricks notebook source
-- MAGIC %md
-- MAGIC # A title; with a semicolon

-- COMMAND ----------

SET low = 3

-- COMMAND ----------

CREATE MATERIALIZED VIEW a AS SELECT ${low} AS id
"""


def test_a_python_notebooks_cells_share_their_names_and_tell_their_place(tmp_path: Path) -> None:
    imports = "from pyspark import pipelines as dp\n"
    path = ipynb(tmp_path / "nb.ipynb", imports, "%md text", "%python\n" + TABLE.format("a"))
    assert load(path).datasets["a"].defined_at == "nb.ipynb cell 4:2"
    exported = tmp_path / "nb.py"
    exported.write_text(f"# Databricks notebook source\n{imports}\n# COMMAND ----------\n\n# MAGIC %md\n"
                        f"# MAGIC text\n\n# COMMAND ----------\n\n{TABLE.format('b')}")
    assert load(exported).datasets["b"].defined_at == "nb.py:11"


def test_a_sql_notebooks_cells_need_no_semicolon_and_pass_their_parameters_on(tmp_path: Path) -> None:
    (tmp_path / "nb.sql").write_text(EXPORT)
    definitions = load(tmp_path / "nb.sql")
    assert definitions.datasets["a"].defined_at == "nb.sql:11:1"
    assert "SELECT 3 AS id" in definitions.flows[0].body.text  # type: ignore[union-attr]
    cells = ("%sql SET low = 3", "%%sql\nCREATE MATERIALIZED VIEW a AS SELECT ${low} AS id")
    assert load(ipynb(tmp_path / "magic.ipynb", *cells)).datasets["a"].defined_at == "magic.ipynb cell 3:2:1"
    plain = ipynb(tmp_path / "sql.ipynb", "CREATE MATERIALIZED VIEW a AS SELECT 1 AS id", language="sql")
    assert list(load(plain).datasets) == ["a"]


def test_python_sources_import_modules_from_the_root_path_and_leave_no_trace_of_it(tmp_path: Path) -> None:
    (tmp_path / "shared_rules_of_this_test.py").write_text("RULES = {'known': 'id IS NOT NULL'}\n")
    (tmp_path / "deep").mkdir()
    source = tmp_path / "deep" / "a.py"
    source.write_text("from pyspark import pipelines as dp\nfrom shared_rules_of_this_test import RULES\n\n"
                      "@dp.table\n@dp.expect_all_or_fail(RULES)\ndef a():\n    ...\n")  # fmt: skip
    with pytest.raises(InvalidSource, match=r"a\.py:2: ModuleNotFoundError"):
        sources.load_sources([source], spark=None, schema="shop", parameters={})
    before = list(sys.path)
    definitions = sources.load_sources([source], spark=None, schema="shop", parameters={}, root=tmp_path)
    assert [(rule.name, rule.action) for rule in definitions.datasets["a"].expectations] == [("known", "fail")]
    assert sys.path == before


@pytest.mark.parametrize(
    ("cells", "error", "words"),
    [
        (("x = 1", "%sql SELECT 1"), InvalidSource, "nb.ipynb cell 3: the notebook holds python and sql"),
        (("%pip install x",), Unsupported, "nb.ipynb cell 2: the magic %pip is not supported"),
        (("x = 1", "y = (",), InvalidSource, "nb.ipynb cell 3:1: "),
        (("x = 1", "\ny = x / 0",), InvalidSource, "nb.ipynb cell 3:2: ZeroDivisionError"),
    ],
)
def test_a_notebook_that_is_no_source_is_named_with_its_cell(
    tmp_path: Path, cells: tuple[str, ...], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        load(ipynb(tmp_path / "nb.ipynb", *cells))


def test_a_damaged_notebook_is_named(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text("{")
    with pytest.raises(InvalidSource, match=r"nb\.ipynb is not a notebook that can be read"):
        load(tmp_path / "nb.ipynb")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SELECT * FROM event_log(TABLE(shop.`t`)) e", "SELECT * FROM <shop.`t`> e"),
        ("CREATE VIEW v AS SELECT * FROM event_log( \"1-2\" )", "CREATE VIEW v AS SELECT * FROM <1-2>"),
        (
            "SELECT e.details:flow_progress.metrics.num_output_rows::int n, details:a:b[0] FROM event_log_raw e",
            "SELECT get_json_object(e.details, '$.flow_progress.metrics.num_output_rows')::int n, "
            "get_json_object(details, '$.a.b[0]') FROM event_log_raw e",
        ),
        ("SELECT details:a, 'event_log(1)' FROM t", "SELECT get_json_object(details, '$.a'), 'event_log(1)' FROM t"),
        ("SELECT details:a FROM t", "SELECT details:a FROM t"),
        ("SELECT details::string FROM event_log_x", "SELECT details::string FROM event_log_x"),
        ("SELECT 'event_log", "SELECT 'event_log"),
    ],
)
def test_the_exams_queries_of_the_event_log_are_rewritten(text: str, wanted: str) -> None:
    assert rewritten(text, of_table=lambda name: f"<{name}>", of_pipeline=lambda key: f"<{key}>") == wanted


def test_an_event_hook_gets_the_details_and_one_that_keeps_failing_gets_no_more() -> None:
    seen: list[Any] = []

    def broken(event: dict[str, Any]) -> None:
        seen.append("broken")
        raise RuntimeError("no")

    hooks = Hooks([EventHook(broken, 1), EventHook(lambda event: seen.append(event["details"]["a"]))])
    for number in range(3):
        if number < 2:
            with pytest.warns(UserWarning, match="event hook 'broken' failed: RuntimeError: no"):
                hooks({"details": '{"a": 7}'})
        else:
            hooks({"details": '{"a": 7}'})
    assert seen == ["broken", 7, "broken", 7, 7]


class Client:
    """What a session asks when a DataFrame runs."""

    def to_table(self) -> str:
        return "rows"

    def execute_command(self, command: Any) -> str:
        return "done"


def flow_that(call: Any) -> Flow:
    return Flow(name="f", target="f", body=call, defined_at="p.py:1")


def test_a_function_that_runs_an_action_is_refused_and_a_definition_is_not(tmp_path: Path) -> None:
    client = Client()
    spark = SimpleNamespace(client=client)
    frame = type("Frame", (), {"writeTo": None})
    # As pyspark's own method would call the client.
    collect_ = eval(compile("lambda client: client.to_table()", "x", "eval"), {"__name__": "pyspark.sql.dataframe"})

    def makes_a_view() -> Any:
        command = SimpleNamespace(WhichOneof=lambda _: "create_dataframe_view")
        return frame() if client.execute_command(command) == "done" else None

    building = Building(tmp_path, {}, None)  # type: ignore[arg-type]
    assert isinstance(frames.build(flow_that(makes_a_view), spark, building), frame)
    for call in (lambda: collect_(client), lambda: client.execute_command(
            SimpleNamespace(WhichOneof=lambda _: "write_operation"))):
        with pytest.raises(InvalidDataset, match="ATTEMPT_ANALYSIS_IN_PIPELINE_QUERY_FUNCTION: the function of 'f'"):
            frames.build(flow_that(call), spark, building)
    assert client.to_table() == "rows"
