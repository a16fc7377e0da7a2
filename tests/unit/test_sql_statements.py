"""Pipeline SQL: what each statement declares."""

import pytest

from helpers.errors import LakeprepError
from helpers.sql import (
    Column,
    CreateFlow,
    CreateMaterializedView,
    CreateStreamingTable,
    CreateView,
    Expectation,
    PipelineSyntaxError,
    SetConf,
    parse_pipeline,
)


def one(text, **parameters):
    (statement,) = parse_pipeline(text, source="p.sql", parameters=parameters)
    return statement


def refused(text, **parameters):
    with pytest.raises(PipelineSyntaxError) as caught:
        parse_pipeline(text, source="p.sql", parameters=parameters)
    return caught.value


def test_statements_are_split_at_semicolons_outside_strings_comments_and_quoted_names():
    text = """
    -- a comment; with a semicolon
    CREATE STREAMING TABLE `a;b`; /* another; one /* nested; */ */ ;
    CREATE TEMPORARY VIEW v AS SELECT ';' AS a, "it's;" AS b, r'\\' AS c, $$x;y$$ AS d -- end;
    """
    first, second = parse_pipeline(text, source="p.sql", parameters={})
    assert first.name == "`a;b`"
    assert second.query.text == """SELECT ';' AS a, "it's;" AS b, r'\\' AS c, $$x;y$$ AS d"""


@pytest.mark.parametrize("text", ["", "  \n", "-- only a comment", ";;", "/* c */ ;\n"])
def test_a_source_without_statements_gives_none(text):
    assert parse_pipeline(text, source="p.sql", parameters={}) == []


def test_a_streaming_table_has_all_that_it_declares():
    table = one(
        """CREATE OR REFRESH PRIVATE STREAMING TABLE main.s.bronze (
             id BIGINT NOT NULL COMMENT 'it''s the key',
             item STRUCT<a: INT, b: ARRAY<MAP<STRING, INT>>>,
             amount DECIMAL(10, 2),
             CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW,
             CONSTRAINT paid EXPECT (amount > 0 AND (id % 2) = 0) ON VIOLATION FAIL UPDATE,
             CONSTRAINT named EXPECT (item.a <> ')')
           )
           PARTITIONED BY (day, `the hour`) COMMENT "raw" TBLPROPERTIES ('quality' = 'bronze', delta.x = true, n 5)
           AS SELECT * FROM STREAM raw"""
    )
    assert isinstance(table, CreateStreamingTable)
    assert (table.name, table.private, table.or_refresh) == ("main.s.bronze", True, True)
    assert table.columns == (
        Column(name="id", type="BIGINT", not_null=True, comment="it's the key"),
        Column(name="item", type="STRUCT<a: INT, b: ARRAY<MAP<STRING, INT>>>"),
        Column(name="amount", type="DECIMAL(10, 2)"),
    )
    assert table.expectations == (
        Expectation("has_id", "id IS NOT NULL", "drop"),
        Expectation("paid", "amount > 0 AND (id % 2) = 0", "fail"),
        Expectation("named", "item.a <> ')'", "warn"),
    )
    assert table.partition_by == ("day", "`the hour`")
    assert (table.comment, table.properties) == ("raw", {"quality": "bronze", "delta.x": "true", "n": "5"})
    assert table.query.streaming


def test_a_streaming_table_needs_no_query_when_flows_write_into_it():
    table = one(
        "CREATE STREAMING TABLE IF NOT EXISTS t (CONSTRAINT c EXPECT (a > 1)) CLUSTER BY (a, b.c) LOCATION '/x'"
    )
    assert table.query is None
    assert (table.if_not_exists, table.or_refresh, table.location) == (True, False, "/x")
    assert (table.cluster_by, table.cluster_by_auto) == (("a", "b.c"), False)
    assert [rule.name for rule in table.expectations] == ["c"]


@pytest.mark.parametrize(("once", "runs_once"), [("", False), ("ONCE ", True)])
def test_a_streaming_table_may_hold_its_flow(once, runs_once):
    table = one(f"CREATE STREAMING TABLE t COMMENT 'c' FLOW INSERT {once}BY NAME SELECT * FROM STREAM s")
    assert (table.once, table.changes, table.comment) == (runs_once, None, "c")
    assert table.query.text == "SELECT * FROM STREAM s"
    error = refused("CREATE STREAMING TABLE t\n FLOW INSERT INTO t SELECT 1")
    assert (error.line, error.column) == (2, 14)
    assert "expected BY NAME" in error.message
    assert "FLOW UPDATE is not supported" in refused("CREATE STREAMING TABLE t FLOW UPDATE BY NAME SELECT 1").message


@pytest.mark.parametrize("kind", ["STREAMING TABLE", "MATERIALIZED VIEW"])
def test_tables_and_views_may_be_private(kind):
    assert one(f"CREATE OR REFRESH PRIVATE {kind} t AS SELECT 1 AS a").private
    assert one(f"CREATE TEMPORARY {kind} t AS SELECT 1 AS a").private
    assert not one(f"CREATE OR REFRESH {kind} t AS SELECT 1 AS a").private


@pytest.mark.parametrize("replaced", ["", "OR REFRESH ", "OR REPLACE "])
def test_a_materialized_view_may_be_refreshed_or_replaced(replaced):
    view = one(f"create {replaced}materialized view v cluster by auto as select 1 as a")
    assert isinstance(view, CreateMaterializedView)
    assert (view.name, view.or_refresh, view.cluster_by_auto) == ("v", bool(replaced), True)
    assert view.query.text == "select 1 as a"


def test_a_temporary_view_takes_column_names_and_expectations():
    view = one("CREATE TEMPORARY VIEW v (a, b COMMENT 'x', CONSTRAINT c EXPECT (a > 0)) COMMENT 'y' AS SELECT 1, 2")
    assert isinstance(view, CreateView)
    assert view.columns == (Column(name="a"), Column(name="b", comment="x"))
    assert (view.expectations, view.comment) == ((Expectation("c", "a > 0"),), "y")


@pytest.mark.parametrize(
    ("insert", "once"), [("INSERT INTO", False), ("INSERT INTO ONCE", True), ("INSERT ONCE INTO", True)]
)
def test_a_flow_names_its_target_and_whether_it_runs_once(insert, once):
    flow = one(f"CREATE FLOW f COMMENT 'c' AS {insert} main.s.t BY NAME SELECT * FROM STREAM(x)")
    assert isinstance(flow, CreateFlow)
    assert (flow.name, flow.target, flow.once, flow.comment) == ("f", "main.s.t", once, "c")
    assert flow.query.text == "SELECT * FROM STREAM(x)"


@pytest.mark.parametrize(("into", "target", "once"), [
    ("INTO once", "once", False), ("INTO once.t", "once.t", False), ("ONCE INTO once", "once", True),
    ("INTO ONCE once.t", "once.t", True),
])
def test_a_table_may_be_called_once(into: str, target: str, once: bool) -> None:
    flow = one(f"CREATE FLOW f AS INSERT {into} BY NAME SELECT 1 AS x")
    assert (flow.target, flow.once) == (target, once)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("CREATE OR REFRESH LIVE TABLE", CreateMaterializedView),
        ("CREATE LIVE TABLE", CreateMaterializedView),
        ("CREATE STREAMING LIVE TABLE", CreateStreamingTable),
        ("CREATE OR REFRESH STREAMING LIVE TABLE", CreateStreamingTable),
        ("CREATE TEMPORARY LIVE VIEW", CreateView),
        ("CREATE TEMPORARY STREAMING LIVE VIEW", CreateView),
        ("CREATE LIVE VIEW", CreateView),
        ("CREATE STREAMING LIVE VIEW", CreateView),
        ("CREATE TEMPORARY LIVE TABLE", CreateMaterializedView),
    ],
)
def test_legacy_heads_are_read_with_a_note_that_gives_todays_form(head, kind):
    statement = one(f"{head} x AS SELECT a FROM STREAM(LIVE.y)")
    assert isinstance(statement, kind)
    assert "legacy" in statement.notes[0]
    assert statement.query.text == "SELECT a FROM STREAM(y)"
    assert any("LIVE.y" in note for note in statement.notes)


def test_a_temporary_table_is_private_with_a_note():
    table = one("CREATE TEMPORARY STREAMING TABLE t")
    assert table.private
    assert "PRIVATE" in table.notes[0]


def test_set_values_reach_later_statements_and_win_over_pipeline_parameters():
    settings = "SET day = '2017-01-01';\nSET spark.x=${root}/a ;"
    text = settings + "CREATE TEMPORARY VIEW v AS SELECT ${day}, '${spark.x}', `${root}`"
    first, second, view = parse_pipeline(text, source="p.sql", parameters={"root": "/r", "day": "never"})
    assert first == SetConf(key="day", value="'2017-01-01'")
    assert second == SetConf(key="spark.x", value="/r/a")
    assert view.query.text == "SELECT '2017-01-01', '/r/a', `/r`"


def test_parameters_stand_in_names_and_not_in_comments():
    view = one("CREATE TEMPORARY VIEW ${s}.v -- ${unknown}\nAS SELECT 1 /* ${unknown} */ FROM ${s}.t", s="shop")
    assert view.name == "shop.v"
    assert view.query.text == "SELECT 1 /* ${unknown} */ FROM shop.t"


def test_an_unknown_parameter_is_named_with_the_known_ones():
    error = refused("SET a = 1;\nCREATE TEMPORARY VIEW v AS\n  SELECT '${lnding}'", landing="/l")
    assert str(error).startswith("p.sql:3:11: unknown parameter ${lnding}: known here are a, landing")


def test_errors_point_into_the_text_as_written():
    error = refused("SET long = abcdefghijklmnop;\nCREATE STREAMING TABLE t\n  COMMENT '${long}${long}' NONSENSE")
    assert isinstance(error, LakeprepError)
    assert (error.source, error.line, error.column) == ("p.sql", 3, 28)
    assert "found `NONSENSE`" in error.message


def test_a_mistake_inside_a_parameters_value_points_at_the_parameter():
    error = refused("CREATE STREAMING TABLE t COMMENT ${c}", c="'never closed")
    assert (error.line, error.column) == (1, 34)
    assert "never closed" in error.message
    assert "`;`" in refused("CREATE STREAMING TABLE ${t}", t="a; DROP TABLE b").message


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("SELECT 1", 1, 1, "`SELECT`"),
        ("\n\n  DROP TABLE x", 3, 3, "`DROP`"),
        ("CREATE TABLE x", 1, 1, "CREATE TABLE"),
        ("CREATE VIEW x AS SELECT 1", 1, 1, "CREATE TEMPORARY VIEW"),
        ("CREATE OR REPLACE TEMPORARY VIEW x AS SELECT 1", 1, 8, "CREATE TEMPORARY VIEW"),
        ("CREATE OR REPLACE STREAMING TABLE x", 1, 8, "OR REFRESH"),
        ("CREATE OR REFRESH FLOW f AS INSERT INTO t BY NAME SELECT 1", 1, 8, "CREATE FLOW"),
        ("CREATE MATERIALIZED VIEW x", 1, 27, "AS SELECT"),
        ("CREATE STREAMING TABLE", 1, 23, "the end of the statement"),
        ("CREATE STREAMING TABLE x AS", 1, 28, "expected a query"),
        ("CREATE STREAMING TABLE x AS DELETE FROM y", 1, 29, "expected a query"),
        ("CREATE STREAMING TABLE x (a)", 1, 28, "needs a type"),
        ("CREATE STREAMING TABLE x (a INT, A INT)", 1, 34, "declared twice"),
        ("CREATE STREAMING TABLE x (a STRUCT<b: INT)", 1, 29, "brackets"),
        ("CREATE STREAMING TABLE x COMMENT 'a' COMMENT 'b'", 1, 38, "COMMENT is given twice"),
        ("CREATE STREAMING TABLE x TBLPROPERTIES ('a' = 1, 'a' = 2)", 1, 50, "given twice"),
        ("CREATE STREAMING TABLE x USING csv", 1, 32, "DELTA"),
        ("CREATE STREAMING TABLE x\nPARTITIONED BY (a)\n  CLUSTER BY (a)", 3, 3, "exclude each other: keep one"),
        ("CREATE MATERIALIZED VIEW x CLUSTER BY AUTO COMMENT 'c' PARTITIONED BY (a) AS SELECT 1", 1, 56, "exclude"),
        ("CREATE OR REFRESH OR REPLACE MATERIALIZED VIEW x AS SELECT 1", 1, 19, "OR REFRESH or OR REPLACE, not both"),
        ("CREATE PRIVATE TEMPORARY STREAMING TABLE x", 1, 16, "write PRIVATE"),
        ("CREATE FLOW f AS INSERT ONCE INTO ONCE t BY NAME SELECT 1", 1, 35, "ONCE is given twice"),
        ("CREATE FLOW f AS INSERT INTO t SELECT 1", 1, 32, "BY NAME"),
        ("CREATE STREAMING TABLE x AS SELECT 'a", 1, 36, "never closed"),
        ("CREATE STREAMING TABLE x AS SELECT `a", 1, 36, "backtick"),
        ("CREATE STREAMING TABLE x AS SELECT 1 /* a", 1, 38, "comment is never closed"),
        ("CREATE STREAMING TABLE x AS SELECT (1", 1, 38, "expected `)`"),
        ("CREATE STREAMING TABLE x AS SELECT 1)", 1, 37, "closes nothing"),
        ("CREATE STREAMING TABLE x AS SELECT 1\nCREATE STREAMING TABLE y", 2, 1, "`;` is missing"),
        ("SET a", 1, 6, "SET key = value"),
        ("SET a =", 1, 8, "value"),
        ("SET = a", 1, 7, "key"),
        ("SET TIME ZONE UTC", 1, 5, "SET TIME"),
    ],
)
def test_mistakes_are_said_where_they_are(text, line, column, word):
    error = refused(text)
    assert (error.line, error.column) == (line, column), str(error)
    assert word in error.message


@pytest.mark.parametrize("action", ["DROP", "DROP RECORD", "IGNORE", "WARN", "FAIL"])
def test_a_wrong_violation_action_is_refused_with_the_right_ones(action):
    error = refused(f"CREATE STREAMING TABLE t (CONSTRAINT c EXPECT (a > 1) ON VIOLATION {action})")
    assert "DROP ROW or FAIL UPDATE" in error.message
    assert error.column == 68


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ("CONSTRAINT c EXPECT (a), CONSTRAINT c EXPECT (b)", "declared twice"),
        ("CONSTRAINT c EXPECT ()", "empty"),
        ("CONSTRAINT c EXPECT (a IN (SELECT b FROM d))", "subquery"),
        ("CONSTRAINT c CHECK (a)", "CHECK"),
        ("CONSTRAINT c PRIMARY KEY (a)", "PRIMARY"),
    ],
)
def test_a_wrong_constraint_is_refused(rules, word):
    assert word in refused(f"CREATE STREAMING TABLE t ({rules})").message


def test_a_condition_that_is_never_closed_is_refused_where_it_opens():
    error = refused("CREATE STREAMING TABLE t (CONSTRAINT c EXPECT (a > (1)")
    assert "never closed" in error.message
    assert error.column == 47


def test_the_place_of_each_statement_is_known():
    first, second = parse_pipeline("-- x\nSET a = 1;\n  CREATE STREAMING TABLE t", source="p.sql", parameters={})
    assert str(first.position) == "p.sql:2:1"
    assert str(second.position) == "p.sql:3:3"
