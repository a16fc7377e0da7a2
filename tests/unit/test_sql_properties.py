"""Pipeline SQL: what holds for every text."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import helpers.sql
from helpers.sql import PipelineSyntaxError, parse_pipeline, parse_query

SOURCE = """-- bronze
SET root = /data;
CREATE OR REFRESH STREAMING TABLE bronze (id INT NOT NULL COMMENT 'it''s', s STRUCT<a: ARRAY<INT>>,
  CONSTRAINT ok EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW) CLUSTER BY AUTO TBLPROPERTIES ('a' = 'b')
AS SELECT *, _metadata.file_name AS n, f.* EXCEPT (x) FROM STREAM read_files('${root}/t', format => 'json') AS f;
CREATE LIVE TABLE gold AS WITH q AS (SELECT * FROM LIVE.bronze) SELECT extract(year FROM d), count(*)
  FROM q JOIN cat.s.`my t` t ON q.i <=> t.i LATERAL VIEW explode(x) e AS a, b WHERE i IN (SELECT 1 FROM VALUES (1));
CREATE FLOW f AS INSERT INTO ONCE bronze BY NAME SELECT * FROM STREAM(old) o WITH (SKIPCHANGECOMMITS) /* end */;
CREATE FLOW g AS AUTO CDC INTO gold FROM STREAM(LIVE.old) KEYS (id) APPLY AS DELETE WHEN op = 'D' SEQUENCE BY
  STRUCT(a, b) COLUMNS * EXCEPT (op) STORED AS SCD TYPE 2 TRACK HISTORY ON id, d;
APPLY CHANGES INTO gold FROM STREAM read_files('x') KEYS (id, j) IGNORE NULL UPDATES SEQUENCE BY ts;
CREATE TEMPORARY LIVE VIEW v AS SELECT * FROM cloud_files("p", 'csv', map('header', 'true')) UNION SELECT 1;
"""
FRAGMENTS = [
    "(",
    ")",
    "'",
    '"',
    "`",
    ";",
    ",",
    ".",
    "*",
    "--",
    "/*",
    "*/",
    "${root}",
    "${x}",
    "$$",
    "$",
    "{",
    "\\",
    "\n",
]
FRAGMENTS += ["STREAM", "LIVE.", "FROM", "SELECT", "WITH", "AS", "VALUES", "TABLE", "CONSTRAINT", "_metadata", "EXCEPT"]
FRAGMENTS += ["read_files(", "=>", "|>", "||", "-", "1e", "0x", "\x00", "é", "\u2028", "\r", "UNION", "LATERAL", "SET"]
WORDS = SOURCE.split(" ")


@st.composite
def mutated(draw):
    words = list(WORDS)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(words) - 1))
        change = draw(st.sampled_from(["drop", "insert", "swap", "cut"]))
        if change == "insert":
            words.insert(at, draw(st.sampled_from(FRAGMENTS) | st.text(max_size=5)))
        elif change == "swap":
            other = draw(st.integers(0, len(words) - 1))
            words[at], words[other] = words[other], words[at]
        elif change == "cut":
            words[at] = words[at][: draw(st.integers(0, len(words[at])))]
        elif len(words) > 1:
            del words[at]
    return " ".join(words)


def parses_or_is_refused(text):
    try:
        parse_pipeline(text, source="p.sql", parameters={"root": "/r"})
    except PipelineSyntaxError as refusal:
        error = refusal
    else:
        return True
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    return False


def test_the_unchanged_source_parses():
    assert parses_or_is_refused(SOURCE)


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_a_mutated_source_gives_statements_or_a_syntax_error_inside_the_text(text):
    parses_or_is_refused(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.sampled_from(WORDS) | st.text(max_size=3), max_size=25).map(" ".join))
def test_any_text_gives_statements_or_a_syntax_error_inside_the_text(text):
    parses_or_is_refused(text)


GAPS = st.lists(st.sampled_from([" ", "\n", "\t", "\r\n", "/* c ; ' */", "-- d (`\n"]), min_size=1, max_size=4).map(
    lambda parts: " " + "".join(parts)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(GAPS, min_size=12, max_size=12), st.sampled_from(["'x;''y'", '"("', "1.5", "`a)`", "f(*, 2 * 3)"]))
def test_text_outside_the_rewrites_is_untouched(gaps, value):
    parts = [
        "SELECT",
        "*",
        ", _metadata.x ,",
        value,
        "FROM",
        "STREAM read_files('p')",
        "AS f",
        ",",
        "LIVE.",
        "t",
        "WHERE true",
    ]
    kept = ["SELECT", "* EXCEPT (_metadata)", *parts[2:5], "STREAM(__files_1)", *parts[6:8], "", "t", "WHERE true"]
    kept[3] = value.replace("f(*", "f(* EXCEPT (_metadata)")
    joined = [part + gap for part, gap in zip(parts, gaps, strict=False)]
    expected = [part + gap for part, gap in zip(kept, gaps, strict=False)]
    joined[8], expected[8] = "LIVE.", ""
    joined[10] = expected[10] = "WHERE true"
    query = parse_query("".join(joined), source="q.sql", parameters={})
    assert query.text == "".join(expected)


def test_the_room_never_imports_spark():
    for module in Path(helpers.sql.__file__).parent.glob("*.py"):
        assert "import pyspark" not in module.read_text()
        assert "from pyspark" not in module.read_text()
