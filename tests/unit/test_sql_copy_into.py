"""COPY INTO and the functions over files: what a statement says, and where it is wrong."""

from __future__ import annotations

import pytest

from helpers.autoloader import statements
from helpers.sql import PipelineSyntaxError, StateSource, find_calls, parse_copy_into
from helpers.sql.copy_into import CopyInto


def copy(text: str) -> CopyInto:
    statement = parse_copy_into(text, source="spark.sql")
    assert statement is not None
    return statement


def refused(text: str) -> str:
    with pytest.raises(PipelineSyntaxError) as caught:
        parse_copy_into(text, source="spark.sql")
    return caught.value.message


def test_a_statement_has_all_that_it_says() -> None:
    statement = copy("""-- daily
        copy INTO main.sales.`my orders` FROM '/landing' '/orders' FILEFORMAT = CSV VALIDATE 15 ROWS
        FILES = ('a.csv', 'b.csv') FORMAT_OPTIONS ('header' = 'true', mergeSchema = true)
        COPY_OPTIONS ('force' = 'false');""")
    assert (statement.target, statement.path, statement.format) == ("main.sales.`my orders`", "/landing/orders", "csv")
    assert (statement.validate, statement.validate_rows, statement.files) == (True, 15, ("a.csv", "b.csv"))
    assert statement.format_options == {"header": "true", "mergeSchema": "true"}
    assert statement.copy_options == {"force": "false"}
    assert str(statement.position) == "spark.sql:2:9"


def test_the_shortest_statement_reads_every_file_and_validates_none() -> None:
    statement = copy("COPY INTO delta.`/tables/t` FROM 's' FILEFORMAT = BINARYFILE")
    assert (statement.target, statement.format) == ("delta.`/tables/t`", "binaryfile")
    assert (statement.files, statement.pattern, statement.query, statement.validate) == ((), None, None, False)


@pytest.mark.parametrize(("clause", "rows"), [("VALIDATE", None), ("VALIDATE ALL", None), ("VALIDATE 1 ROWS", 1)])
def test_validate_names_its_rows(clause: str, rows: int | None) -> None:
    statement = copy(f"COPY INTO t FROM 's' FILEFORMAT = JSON {clause} PATTERN = '*.json'")
    assert (statement.validate, statement.validate_rows, statement.pattern) == (True, rows, "*.json")


def test_columns_can_be_filled_by_position() -> None:
    assert copy("COPY INTO t BY POSITION FROM 's' FILEFORMAT = CSV").by_position
    assert copy("COPY INTO t (b, `a b`) FROM 's' FILEFORMAT = CSV").columns == ("b", "a b")


def test_a_select_keeps_its_expressions_and_reads_a_relation() -> None:
    statement = copy("""COPY INTO t FROM (
        SELECT *, extract(YEAR FROM '2026-01-01') y, (SELECT ')' FROM x), _metadata.file_name AS f FROM '/a b' AS s)
        FILEFORMAT = PARQUET""")
    assert statement.query is not None
    assert statement.path == "/a b"
    assert statement.query.text == (
        "SELECT * EXCEPT (_metadata), extract(YEAR FROM '2026-01-01') y, (SELECT ')' FROM x), _metadata.file_name AS f "
        "FROM __files AS s")
    assert statement.query.uses_metadata


@pytest.mark.parametrize("text", ["SELECT 1", "", "COPY", "INSERT INTO t SELECT 'COPY INTO'"])
def test_another_statement_is_none_of_ours(text: str) -> None:
    assert parse_copy_into(text, source="spark.sql") is None


@pytest.mark.parametrize(("text", "word"), [
    ("COPY INTO t FROM 's'", "FILEFORMAT"),
    ("COPY INTO t FROM s FILEFORMAT = CSV", "path"),
    ("COPY INTO t FROM 's' FILEFORMAT = AVRO", "spark-avro"),
    ("COPY INTO t FROM 's' FILEFORMAT = EXCEL", "CSV, JSON"),
    ("COPY INTO t FROM 's' FILEFORMAT = CSV FILES = ('a') PATTERN = 'b'", "exclude each other"),
    ("COPY INTO t FROM 's' FILEFORMAT = CSV PATTERN = 'b' FILES = ('a')", "exclude each other"),
    ("COPY INTO t FROM 's' FILEFORMAT = CSV COPY_OPTIONS ('a' = 'b') FORMAT_OPTIONS ('a' = 'b')", "in this order"),
    ("COPY INTO t FROM 's' FILEFORMAT = CSV FORMAT_OPTIONS ('a' = 'b', 'A' = 'c')", "given twice"),
    ("COPY INTO t FROM 's' FILEFORMAT = CSV VALIDATE 0 ROWS", "VALIDATE 15 ROWS"),
    ("COPY INTO t FROM 's' WITH (CREDENTIAL c) FILEFORMAT = CSV", "WITH (CREDENTIAL"),
    ("COPY INTO t (a, A) FROM 's' FILEFORMAT = CSV", "named twice"),
    ("COPY INTO t FROM (SELECT a FROM 's' WHERE a > 1) FILEFORMAT = CSV", "WHERE"),
    ("COPY INTO t FROM (SELECT a FROM x) FILEFORMAT = CSV", "path in quotes"),
    ("COPY INTO t FROM (SELECT a FROM 's' FILEFORMAT = CSV", "never closed"),
    ("COPY INTO t FROM 's' FILEFORMAT = CSV; SELECT 1", "second"),
    ("COPY INTO t FROM 's' FILEFORMAT = CSV FILES = (" + ", ".join(["'a'"] * 1001) + ")", "1001"),
])
def test_a_mistake_is_named(text: str, word: str) -> None:
    assert word in refused(text)


def test_calls_are_found_in_any_statement_but_not_in_strings_or_comments() -> None:
    text = ("CREATE TABLE t AS -- read_files('/no')\n SELECT 'read_files(1)', r.* "
            "FROM read_files('/a', format => 'csv') AS r JOIN cloud_files_state('/check' || 'point') s USING (path)")
    calls = find_calls(text, source="spark.sql")
    files, state = calls.sources
    assert calls.parts == (text[:text.index("read_files('/a'")], " AS r JOIN ", " s USING (path)")
    assert (files.path, files.format, files.streaming) == ("/a", "csv", False)
    assert state == StateSource("__files_2", "/checkpoint")
    (of_table,) = find_calls("SELECT * FROM cloud_files_state(TABLE(lab.`my t`))", source="spark.sql").sources
    assert of_table == StateSource("__files_1", table="lab.`my t`")
    assert not calls.metadata
    assert find_calls("SELECT read_files FROM t", source="x").sources == ()


def test_a_query_that_names_metadata_keeps_it_out_of_its_stars() -> None:
    calls = find_calls("CREATE TABLE t AS SELECT *, _metadata.file_name FROM read_files('/a') JOIN read_files('/b') b",
                       source="x")
    assert calls.parts == ("CREATE TABLE t AS SELECT * EXCEPT (_metadata), _metadata.file_name FROM ", " JOIN ", " b")
    assert ([each.path for each in calls.sources], calls.metadata) == (["/a", "/b"], True)


def test_a_view_of_files_is_refused_with_another_way() -> None:
    with pytest.raises(PipelineSyntaxError, match="createOrReplaceTempView"):
        find_calls("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM read_files('/a')", source="x")


@pytest.mark.parametrize("call", ["STREAM read_files('/a')", "STREAM(read_files('/a'))", "cloud_files('/a', 'json')",
                                  "cloud_files_state(TABLE t)", "cloud_files_state(t)", "read_files(path)"])
def test_a_call_that_cannot_be_run_here_is_refused(call: str) -> None:
    with pytest.raises(PipelineSyntaxError):
        find_calls(f"SELECT * FROM {call}", source="spark.sql")


def test_many_comments_before_a_statement_are_passed_once() -> None:
    boxes = "/* box ** of a licence */\n-- line\n" * 200
    assert statements._COPY.match(f"{boxes}COPY INTO t")
    assert not statements._COPY.match(f"{boxes}SELECT 'copy into'")
    assert not statements._COPY.match("/* copy into */ SELECT 1")
