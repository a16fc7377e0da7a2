"""AUTO CDC in pipeline SQL: what its clauses say, and where a mistake in them stands."""

from __future__ import annotations

import pytest

from helpers.sql import AutoCdc, ColumnChoice, CreateFlow, PipelineSyntaxError, parse_pipeline

HEAD = "CREATE FLOW f AS AUTO CDC INTO t FROM STREAM s "
#: Every place where changes are applied, under both names and with all clauses; a text for test_fuzz_texts, too.
EVERY_FORM = """CREATE OR REFRESH STREAMING TABLE latest COMMENT 'c' FLOW APPLY CHANGES FROM STREAM(LIVE.s)
  KEYS (id, `k 2`) IGNORE NULL UPDATES APPLY AS DELETE WHEN op = 'D' AND (a > 1 OR b)
  APPLY AS TRUNCATE WHEN op IN ('T', 'R') SEQUENCE BY STRUCT(ts, id) COLUMNS (id, `k 2`, a) STORED AS SCD TYPE 1;
CREATE STREAMING TABLE history (id INT NOT NULL, a STRUCT<x: INT>, CONSTRAINT r EXPECT (id > 0) ON VIOLATION DROP ROW);
CREATE FLOW live COMMENT 'all of them' AS APPLY CHANGES INTO LIVE.history FROM STREAM read_files('/x', format => 'csv')
  KEYS (id) APPLY AS DELETE WHEN d SEQUENCE BY ts COLUMNS * EXCEPT (op, ts) STORED AS SCD TYPE 2
  TRACK HISTORY ON * EXCEPT (a, b);
CREATE FLOW first AS AUTO CDC ONCE INTO history FROM STREAM old WITH (SKIPCHANGECOMMITS) KEYS (id) SEQUENCE BY 0
  COLUMNS * EXCEPT (op, ts) STORED AS SCD TYPE 2 TRACK HISTORY ON * EXCEPT (a, b);
CREATE STREAMING TABLE appended FLOW INSERT ONCE BY NAME SELECT id, a.* FROM s AS f WHERE EXISTS (SELECT 1 FROM t)"""


def flow(text: str) -> CreateFlow:
    (statement,) = parse_pipeline(text, source="cdc.sql", parameters={})
    assert isinstance(statement, CreateFlow)
    return statement


def changes(clauses: str) -> AutoCdc:
    found = flow(HEAD + clauses).changes
    assert found is not None
    return found


def refused(text: str) -> PipelineSyntaxError:
    with pytest.raises(PipelineSyntaxError) as caught:
        parse_pipeline(text, source="cdc.sql", parameters={})
    return caught.value


def test_only_keys_and_a_sequence_are_needed() -> None:
    assert changes("KEYS (id) SEQUENCE BY ts") == AutoCdc(keys=("id",), sequence_by="ts")


def test_every_clause_is_read_in_the_order_of_the_documentation() -> None:
    first = changes(
        "KEYS (id, `a b`) IGNORE NULL UPDATES APPLY AS DELETE WHEN op = 'SEQUENCE BY' AND f(x, (y)) "
        "APPLY AS TRUNCATE WHEN op = \"T\" SEQUENCE BY STRUCT(ts, id) COLUMNS * EXCEPT (op, ts) STORED AS SCD TYPE 1"
    )
    assert first == AutoCdc(
        keys=("id", "a b"), ignore_null_updates=True, apply_as_deletes="op = 'SEQUENCE BY' AND f(x, (y))",
        apply_as_truncates='op = "T"', sequence_by="STRUCT(ts, id)",
        columns=ColumnChoice(("op", "ts"), all_but=True), scd_type=1)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("* EXCEPT (a)", ColumnChoice(("a",), all_but=True)),
        ("(a, b)", ColumnChoice(("a", "b"))),
        ("a, b", ColumnChoice(("a", "b"))),
        ("*", None),
    ],
)
def test_columns_are_listed_with_or_without_parentheses_or_excepted(choice: str, expected: ColumnChoice | None) -> None:
    found = changes(f"KEYS (id) SEQUENCE BY ts COLUMNS {choice} STORED AS SCD TYPE 2 TRACK HISTORY ON {choice}")
    assert (found.columns, found.track_history, found.scd_type) == (expected, expected, 2)


@pytest.mark.parametrize("source", ["(SELECT * FROM read_files('/x'))", "(SELECT * FROM s)", "(TABLE s)"])
def test_a_query_is_no_source(source: str) -> None:
    with pytest.raises(PipelineSyntaxError, match=r"put (the|a) query into a view"):
        flow(f"CREATE FLOW f AS AUTO CDC ONCE INTO t FROM {source} KEYS (id) SEQUENCE BY ts")


def test_the_source_is_a_stream_of_a_table_or_of_files() -> None:
    assert flow(HEAD + "KEYS (id) SEQUENCE BY ts").query.text == "SELECT * FROM STREAM s"
    skipping = flow(
        "CREATE FLOW f AS AUTO CDC INTO t FROM STREAM(LIVE.s) WITH (SKIPCHANGECOMMITS) KEYS (LIVE) SEQUENCE BY x"
    )
    assert skipping.query.text == "SELECT * FROM STREAM(s) WITH ('skipChangeCommits' = 'true')"
    assert skipping.query.inputs[0].skip_change_commits
    files = flow("CREATE FLOW f AS AUTO CDC INTO t FROM STREAM read_files('/x') KEYS (id) SEQUENCE BY ts").query
    assert (files.text, files.file_sources[0].path) == ("SELECT * FROM STREAM(__files_1)", "/x")


@pytest.mark.parametrize(
    ("source", "query"),
    [
        ("s", "STREAM s"),
        ("STREAM s", "STREAM s"),
        ("LIVE.s", "STREAM s"),
        ("read_files('/x')", "STREAM __files_1"),
        ("STREAM read_files('/x')", "STREAM(__files_1)"),
    ],
)
def test_once_reads_its_source_as_a_stream_with_or_without_the_word(source: str, query: str) -> None:
    once = flow(f"CREATE FLOW f AS AUTO CDC ONCE INTO t FROM {source} KEYS (id) SEQUENCE BY ts")
    assert once.once
    assert once.changes == AutoCdc(keys=("id",), sequence_by="ts", once=True)
    assert once.query.text == f"SELECT * FROM {query}"
    assert all(read.streaming for read in (*once.query.inputs, *once.query.file_sources))
    assert once.query.streaming


def test_apply_changes_is_the_old_name_of_a_flow_that_is_called_like_its_target() -> None:
    old = flow("APPLY CHANGES INTO LIVE.t FROM STREAM(LIVE.s) KEYS (id) SEQUENCE BY ts")
    assert (old.name, old.target) == ("t", "t")
    assert old.changes == changes("KEYS (id) SEQUENCE BY ts")
    assert any("CREATE FLOW name AS AUTO CDC INTO" in note for note in old.query.notes)


def test_apply_changes_stands_for_auto_cdc_in_flows_and_in_tables_with_a_note() -> None:
    latest, _, live, first, appended = parse_pipeline(EVERY_FORM, source="cdc.sql", parameters={})
    assert latest.changes == AutoCdc(
        keys=("id", "k 2"), sequence_by="STRUCT(ts, id)", ignore_null_updates=True,
        apply_as_deletes="op = 'D' AND (a > 1 OR b)", apply_as_truncates="op IN ('T', 'R')",
        columns=ColumnChoice(("id", "k 2", "a")))
    assert "APPLY CHANGES is the old name: write FLOW AUTO CDC" in latest.notes
    assert (live.name, live.target, live.comment) == ("live", "history", "all of them")
    assert any("APPLY CHANGES INTO is the old name" in note for note in live.notes)
    assert live.changes == AutoCdc(
        keys=("id",), sequence_by="ts", apply_as_deletes="d", columns=ColumnChoice(("op", "ts"), all_but=True),
        scd_type=2, track_history=ColumnChoice(("a", "b"), all_but=True))
    assert [each.notes for each in (first, appended)] == [(), ()]


@pytest.mark.parametrize(
    ("clauses", "word", "at"),
    [
        ("KEYS () SEQUENCE BY ts", "a column in KEYS", ")"),
        ("SEQUENCE BY ts", "AUTO CDC needs KEYS", ""),
        ("KEYS (id)", "AUTO CDC needs SEQUENCE BY", ""),
        ("KEYS (id, ID) SEQUENCE BY ts", "`ID` twice", "ID)"),
        ("KEYS (a.b) SEQUENCE BY ts", "not their fields", ".b"),
        ("KEYS (id) SEQUENCE BY ts APPLY AS DELETE WHEN a", "must stand before SEQUENCE BY", "APPLY"),
        ("KEYS (id) SEQUENCE BY ts SEQUENCE BY u", "given twice", "SEQUENCE BY u"),
        ("KEYS (id) SEQUENCE BY STORED AS SCD TYPE 1", "SEQUENCE BY needs an expression", "STORED"),
        ("KEYS (id) APPLY AS DELETE WHEN (a SEQUENCE BY ts", "never closed", "(a"),
        ("KEYS (id) APPLY AS DELETE WHEN a IN (SELECT 1) SEQUENCE BY ts", "subquery", "SELECT"),
        ("KEYS (id) SEQUENCE BY ts STORED AS SCD TYPE 3", "SCD TYPE is 1 or 2", "3"),
        ("KEYS (id) APPLY AS TRUNCATE WHEN a SEQUENCE BY ts STORED AS SCD TYPE 2", "SCD TYPE 1 only", "APPLY"),
        ("KEYS (id) SEQUENCE BY ts TRACK HISTORY ON a", "needs STORED AS SCD TYPE 2", "TRACK"),
        ("KEYS (id) IGNORE NULL UPDATES ON a SEQUENCE BY ts", "not supported", "ON a"),
        ("KEYS (id) SEQUENCE BY ts STORED AS BITEMPORAL", "not supported", "BITEMPORAL"),
        ("KEYS (id) SEQUENCE BY ts SYSTEM SEQUENCE BY x", "SYSTEM SEQUENCE BY in AUTO CDC is not supported", "SYSTEM"),
        ("WHERE a KEYS (id) SEQUENCE BY ts", "WHERE in AUTO CDC is not supported", "WHERE"),
        ("KEY (id) SEQUENCE BY ts", "expected KEYS", "KEY"),
    ],
)
def test_a_wrong_clause_is_refused_where_it_stands(clauses: str, word: str, at: str) -> None:
    error = refused(HEAD + "\n  " + clauses)
    assert word in error.message
    assert (error.line, error.column) == (2, 3 + (clauses.index(at) if at else len(clauses)))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("AUTO CDC INTO t FROM STREAM s KEYS (a) SEQUENCE BY b", "write CREATE FLOW name AS AUTO CDC INTO"),
        ("CREATE FLOW f AS AUTO CDC INTO t FROM s KEYS (a) SEQUENCE BY b", "write STREAM before its source"),
        ("CREATE FLOW f AS AUTO CDC INTO t FROM STREAM s WITH (x) KEYS (a) SEQUENCE BY b", "expected KEYS"),
        ("CREATE FLOW f AS AUTO CDC INTO t FROM (SELECT 1) KEYS (a) SEQUENCE BY b", "put a query into a view"),
        ("CREATE FLOW f AS SELECT 1", "AUTO CDC INTO"),
        ("CREATE FLOW f AS AUTO CDC INTO t FROM SNAPSHOT (SELECT 1) KEYS (a)", "FROM SNAPSHOT is not supported in SQL"),
    ],
)
def test_a_statement_that_is_no_flow_of_changes_is_refused(text: str, word: str) -> None:
    assert word in refused(text).message
