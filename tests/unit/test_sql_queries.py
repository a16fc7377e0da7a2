"""Queries: what they read, and the few places where their text changes."""

import pytest

from helpers.sql import PipelineSyntaxError, parse_pipeline, parse_query


def query(text, **parameters):
    return parse_query(text, source="q.sql", parameters=parameters)


def refused(text):
    with pytest.raises(PipelineSyntaxError) as caught:
        query(text)
    return caught.value


def reads(text):
    return [("stream " if each.streaming else "") + each.name for each in query(text).inputs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", []),
        ("SELECT * FROM a", ["a"]),
        ("SELECT * FROM a, b AS c, d e", ["a", "b", "d"]),
        ("SELECT * FROM a JOIN b ON a.x = b.x LEFT SEMI JOIN c USING (x, y) CROSS JOIN d, e", list("abcde")),
        ("SELECT * FROM cat.sch.`my table` t", ["cat.sch.`my table`"]),
        ("SELECT * FROM STREAM a", ["stream a"]),
        ("SELECT * FROM STREAM(a) x JOIN stream(cat.s.b) y ON x.i = y.i", ["stream a", "stream cat.s.b"]),
        ("SELECT * FROM STREAM a JOIN a AS b USING (i)", ["stream a", "a"]),
        ("SELECT * FROM stream", ["stream"]),
        ("SELECT * FROM stream WHERE x > 1", ["stream"]),
        ("SELECT * FROM stream AS s", ["stream"]),
        ("SELECT * FROM (SELECT * FROM a) x, LATERAL (SELECT * FROM b) y", ["a", "b"]),
        ("SELECT * FROM (a JOIN b ON a.i = b.i), c", ["a", "b", "c"]),
        ("SELECT * FROM ((SELECT 1 FROM a) UNION (SELECT 2 FROM b)) t", ["a", "b"]),
        ("(SELECT * FROM a) UNION ALL SELECT * FROM b EXCEPT SELECT * FROM c MINUS SELECT * FROM d", list("abcd")),
        (
            "SELECT (SELECT max(x) FROM a), b.c FROM b WHERE i IN (SELECT i FROM d) AND EXISTS (SELECT 1 FROM e)",
            list("abde"),
        ),
        ("WITH a AS (SELECT * FROM b), c AS (SELECT * FROM a) SELECT * FROM c JOIN d", ["b", "d"]),
        ("WITH a (x, y) AS (SELECT * FROM a) SELECT * FROM A WHERE x IN (SELECT 1 FROM a)", ["a"]),
        ("WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a", []),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a", ["a"]),
        ("WITH a AS (SELECT 1) SELECT * FROM s.a", ["s.a"]),
        (
            "SELECT EXTRACT(YEAR FROM d), TRIM(BOTH 'x' FROM y), (OVERLAY(x PLACING y FROM 1)) FROM a",
            ["a"],
        ),
        ("SELECT a.x IS NOT DISTINCT FROM b, x IS DISTINCT FROM y FROM t", ["t"]),
        ("SELECT t.from, t.join, x AS union, `from` FROM t", ["t"]),
        ("SELECT * FROM range(10), explode(array(1, 2)) e, a", ["a"]),
        ("SELECT * FROM a LATERAL VIEW OUTER explode(x) e AS k, v WHERE k > 1", ["a"]),
        ("SELECT * FROM a, LATERAL explode(x) AS e(k, v), b", ["a", "b"]),
        ("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS v(x, y), a", ["a"]),
        ("SELECT * FROM VALUES 1, 2 AS v, (VALUES (1), (2)) w, a", ["a"]),
        ("VALUES (1), (2)", []),
        ("TABLE a", ["a"]),
        ("SELECT * FROM f(TABLE(a)), g(TABLE(b))", ["a", "b"]),
        ("FROM a |> JOIN b USING (i) |> WHERE x > 1 |> AGGREGATE sum(x) AS s GROUP BY i, j", ["a", "b"]),
        ("SELECT sum(x) OVER (PARTITION BY a, b ORDER BY c) FROM t GROUP BY ALL ORDER BY a, b LIMIT 3", ["t"]),
        ("SELECT x FROM a GROUP BY x, y HAVING count(*) > 1 QUALIFY row_number() OVER (ORDER BY x) = 1", ["a"]),
        ("SELECT max(table), (values), left(x, 2), t.select FROM t", ["t"]),
        ("SELECT 'FROM x', \"FROM y\" -- FROM z\n/* FROM w */ FROM a", ["a"]),
        ("SELECT * FROM a TABLESAMPLE (10 PERCENT) s, b VERSION AS OF 3", ["a", "b"]),
        ("SELECT * FROM a FULL OUTER JOIN b NATURAL JOIN c UNPIVOT (v FOR k IN (x, y))", list("abc")),
        ("SELECT * EXCEPT (x), a.* EXCEPT (y) FROM a", ["a"]),
        ("SELECT * FROM a.stream", ["a.stream"]),
        ("SELECT * FROM delta.`/x/y`", ["delta.`/x/y`"]),
    ],
)
def test_a_query_knows_the_tables_that_it_reads(text, expected):
    assert reads(text) == expected
    assert query(text).text == text


def test_the_query_of_a_statement_keeps_its_text_byte_for_byte():
    text = "SELECT  a,\t'é ''x'' ' -- note\n\r\n FROM STREAM ( x ) /* ; */ WHERE `b``c` <=> 1e3 AND r'\\' = \"d\""
    (table,) = parse_pipeline(f"CREATE STREAMING TABLE t AS\n{text} -- end\n;", source="p.sql", parameters={})
    assert table.query.text == text
    assert table.query.streaming


def test_the_place_of_each_input_is_known():
    first, second = query("SELECT *\nFROM a\n  JOIN STREAM(b) ON true").inputs
    assert (str(first.position), str(second.position)) == ("q.sql:2:6", "q.sql:3:15")


def test_live_is_taken_off_tables_and_their_columns_with_a_note():
    found = query("SELECT LIVE.a.x, live.y FROM LIVE.a JOIN STREAM(live.b) ON a.live.a = b.i JOIN live ON true")
    assert found.text == "SELECT a.x, live.y FROM a JOIN STREAM(b) ON a.live.a = b.i JOIN live ON true"
    assert [each.name for each in found.inputs] == ["a", "b", "live"]
    assert [note.split(":")[0] for note in found.notes] == ["LIVE.a", "LIVE.b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM STREAM a WITH (SKIPCHANGECOMMITS)", "FROM STREAM a WITH ('skipChangeCommits' = 'true')"),
        ("FROM STREAM(a) with (skipChangeCommits) x", "FROM STREAM(a) WITH ('skipChangeCommits' = 'true') x"),
        ("FROM STREAM a AS x WITH (SKIPCHANGECOMMITS), b", "FROM STREAM a WITH ('skipChangeCommits' = 'true') AS x, b"),
    ],
)
def test_skipchangecommits_becomes_the_option_that_spark_reads(text, expected):
    found = query(f"SELECT * {text}")
    assert found.text == f"SELECT * {expected}"
    assert found.inputs[0].skip_change_commits


def test_skipchangecommits_needs_a_stream():
    assert "STREAM" in refused("SELECT * FROM a WITH (SKIPCHANGECOMMITS)").message


def test_read_files_becomes_a_view_with_its_options():
    found = query(
        """SELECT a FROM STREAM read_files(
             '${root}/t' || '/x', FORMAT => 'json', schemaHints => 'a INT', -- hint
             maxFilesPerTrigger => 10, ratio => -1.5, multiLine => TRUE, `rescued.x` => 'it''s' ' me'
           ) AS f WHERE a > 1""",
        root="/data",
    )
    assert found.text == "SELECT a FROM STREAM(__files_1) AS f WHERE a > 1"
    (source,) = found.file_sources
    assert (source.placeholder, source.path, source.format) == ("__files_1", "/data/t/x", "json")
    assert source.options == {
        "schemaHints": "a INT",
        "maxFilesPerTrigger": "10",
        "ratio": "-1.5",
        "multiLine": "true",
        "rescued.x": "it's me",
    }
    assert (source.streaming, source.legacy, str(source.position)) == (True, False, "q.sql:1:15")
    assert found.inputs == ()
    assert not found.uses_metadata


def test_read_files_without_stream_is_a_batch():
    found = query("SELECT * FROM read_files(path => 'p', format => 'csv') r JOIN STREAM(read_files('q')) USING (i)")
    assert found.text == "SELECT * FROM __files_1 r JOIN STREAM(__files_2) USING (i)"
    assert [(each.path, each.format, each.streaming) for each in found.file_sources] == [
        ("p", "csv", False),
        ("q", None, True),
    ]


@pytest.mark.parametrize("call", ["cloud_files({})", "STREAM(cloud_files({}))", "STREAM cloud_files({})"])
def test_cloud_files_streams_and_keeps_its_prefixes_with_a_note(call):
    arguments = "'p', 'json', map('cloudFiles.inferColumnTypes', 'true', \"header\", \"false\")"
    found = query(f"SELECT * FROM {call.format(arguments)}")
    assert found.text == "SELECT * FROM STREAM(__files_1)"
    (source,) = found.file_sources
    assert (source.path, source.format, source.streaming, source.legacy) == ("p", "json", True, True)
    assert source.options == {"cloudFiles.inferColumnTypes": "true", "header": "false"}
    assert "legacy" in found.notes[0]


def test_file_sources_of_one_source_have_different_placeholders():
    text = "".join(f"CREATE TEMPORARY VIEW {name} AS SELECT * FROM read_files('{name}');" for name in "ab")
    a, b = parse_pipeline(text, source="p.sql", parameters={}, placeholder="bronze_files")
    assert (a.query.text, b.query.text) == ("SELECT * FROM bronze_files_1", "SELECT * FROM bronze_files_2")


@pytest.mark.parametrize(
    ("call", "column", "word"),
    [
        ("read_files()", 26, "path of read_files must be a literal"),
        ("read_files(concat('a', 'b'))", 26, "path of read_files must be a literal"),
        ("read_files('p', 'json')", 31, "name => value"),
        ("read_files('p', format = 'json')", 31, "name => value"),
        ("read_files('p', format => upper('json'))", 41, "the value of `format` must be a literal"),
        ("read_files('p', format => :f)", 41, "`:`"),
        ("read_files('p', a => 1, A => 2)", 39, "given twice"),
        ("read_files('p', path => 'q')", 31, "twice"),
        ("read_files(format => 'json')", 42, "needs a path"),
        ("read_files('p' || 1)", 33, "string"),
        ("read_files('p', format => 'json'", 47, "expected `)`"),
        ("cloud_files('p')", 30, "expected `,`"),
        ("cloud_files('p', 'json', 'x')", 40, "MAP"),
        ("cloud_files('p', 'json', map('k'))", 47, "expected `,`"),
    ],
)
def test_a_wrong_call_is_refused_where_it_is_wrong(call, column, word):
    error = refused(f"SELECT * FROM {call}")
    assert (error.line, error.column) == (1, column), str(error)
    assert word in error.message


FILES = "STREAM read_files('p')"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT *, _metadata.file_name FROM {}", "SELECT * EXCEPT (_metadata), _metadata.file_name FROM {}"),
        (
            "SELECT *, `_METADATA`.file_name n FROM {} f",
            "SELECT * EXCEPT (_metadata), `_METADATA`.file_name n FROM {} f",
        ),
        ("SELECT f.*, _metadata.a FROM {} AS f", "SELECT f.* EXCEPT (_metadata), _metadata.a FROM {} AS f"),
        ("SELECT * EXCEPT (a), _metadata.a FROM {}", "SELECT * EXCEPT (a, _metadata), _metadata.a FROM {}"),
        ("SELECT * EXCEPT (_metadata) FROM {}", "SELECT * EXCEPT (_metadata) FROM {}"),
        ("SELECT count(*), 2 * x, _metadata.a FROM {}", "SELECT count(*), 2 * x, _metadata.a FROM {}"),
        ("SELECT struct(*), _metadata.a FROM {}", "SELECT struct(* EXCEPT (_metadata)), _metadata.a FROM {}"),
        (
            "SELECT count(DISTINCT *), _metadata.a FROM {}",
            "SELECT count(DISTINCT * EXCEPT (_metadata)), _metadata.a FROM {}",
        ),
        (
            "SELECT DISTINCT * FROM {} WHERE _metadata.a > 1",
            "SELECT DISTINCT * EXCEPT (_metadata) FROM {} WHERE _metadata.a > 1",
        ),
        ("SELECT _metadata.*, t.*, f.* FROM {} f, t", "SELECT _metadata.*, t.*, f.* EXCEPT (_metadata) FROM {} f, t"),
        (
            "SELECT * FROM (SELECT *, _metadata.a FROM {}) x JOIN (SELECT * FROM t) y",
            "SELECT * FROM (SELECT * EXCEPT (_metadata), _metadata.a FROM {}) x JOIN (SELECT * FROM t) y",
        ),
        (
            "WITH r AS (SELECT *, f(_metadata.a) FROM {}) SELECT * FROM r UNION ALL SELECT * FROM u",
            "WITH r AS (SELECT * EXCEPT (_metadata), f(_metadata.a) FROM {}) SELECT * FROM r UNION ALL SELECT * FROM u",
        ),
        (
            "SELECT * FROM {} WHERE x IN (SELECT y FROM t WHERE z = _metadata.a)",
            "SELECT * EXCEPT (_metadata) FROM {} WHERE x IN (SELECT y FROM t WHERE z = _metadata.a)",
        ),
    ],
)
def test_a_star_leaves_metadata_out_where_the_query_names_it(text, expected):
    found = query(text.format(FILES))
    assert found.text == expected.format("STREAM(__files_1)")
    assert found.uses_metadata


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM {}",
        "SELECT *, '_metadata' FROM {} -- _metadata",
        "SELECT * FROM (SELECT * FROM {}) x JOIN (SELECT *, _metadata.a FROM t) y",
    ],
)
def test_a_star_stays_where_the_files_metadata_is_not_named(text):
    found = query(text.format(FILES))
    assert found.text == text.format("STREAM(__files_1)").split(" -- ")[0]
    assert not found.uses_metadata


def test_metadata_of_a_table_is_left_to_spark():
    assert not query("SELECT *, _metadata.file_name FROM t").uses_metadata


def test_metadata_in_pipe_syntax_is_refused():
    assert "pipe" in refused("FROM STREAM read_files('p') |> EXTEND _metadata.file_name AS n").message


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "found nothing"),
        ("SELECT 1; SELECT 2", "second statement"),
        ("DELETE FROM t", "expected a query"),
        ("SELECT * FROM", "expected a table"),
        ("SELECT * FROM WHERE x", "expected a table"),
        ("SELECT * FROM STREAM (SELECT 1)", "not a subquery"),
        ("SELECT * FROM a.", "a name after `a.`"),
        ("WITH a SELECT 1", "expected AS"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "nested"),
        ("SELECT * FROM " + "(" * 5000, "nested"),
    ],
)
def test_a_wrong_query_is_refused(text, word):
    assert word in refused(text).message


def test_a_bare_query_may_end_in_a_semicolon_and_takes_parameters():
    assert query("-- x\nSELECT * FROM STREAM ${t} ;\n-- y", t="s.t").text == "SELECT * FROM STREAM s.t"
