"""Pipeline SQL that Databricks takes and this engine does not: each construct is named where it stands."""

from __future__ import annotations

import pytest

from helpers.sql import PipelineSyntaxError, parse_pipeline


def refused(text: str) -> PipelineSyntaxError:
    with pytest.raises(PipelineSyntaxError) as caught:
        parse_pipeline(text, source="p.sql", parameters={})
    return caught.value


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("CREATE STREAMING TABLE t FLOW REPLACE WHERE a = 1 BY NAME SELECT 1", "REPLACE WHERE"),
        ("CREATE STREAMING TABLE t FLOW UPDATE BY NAME SELECT * FROM STREAM s", "UPDATE"),
        ("CREATE MATERIALIZED VIEW v FLOW INSERT BY NAME SELECT 1", "FLOW"),
        ("CREATE STREAMING TABLE t REPLACE WHERE a = 1 BY NAME SELECT 1", "REPLACE WHERE"),
        ("CREATE STREAMING TABLE t WITH ROW FILTER f ON (a)", "WITH ROW FILTER"),
        ("CREATE STREAMING TABLE t ROW FILTER f ON (a)", "ROW FILTER"),
        ("CREATE STREAMING TABLE t DEFAULT COLLATION UTF8_LCASE", "DEFAULT COLLATION"),
        ("CREATE STREAMING TABLE t (a INT MASK f)", "MASK"),
        ("CREATE STREAMING TABLE t (a INT DEFAULT 1)", "DEFAULT"),
        ("CREATE STREAMING TABLE t (a INT GENERATED ALWAYS AS IDENTITY)", "GENERATED"),
        ("CREATE STREAMING TABLE t (a INT, PRIMARY KEY (a))", "PRIMARY KEY"),
        ("CREATE STREAMING TABLE t (a INT, CONSTRAINT c FOREIGN KEY (a) REFERENCES u)", "FOREIGN"),
        ("CREATE MATERIALIZED VIEW v SCHEDULE EVERY 1 HOUR AS SELECT 1", "SCHEDULE"),
        ("CREATE MATERIALIZED VIEW v SCHEDULE CRON '0 0 6 * * ?' AT TIME ZONE 'UTC' AS SELECT 1", "SCHEDULE"),
        ("CREATE MATERIALIZED VIEW v TRIGGER ON UPDATE AS SELECT 1", "TRIGGER ON UPDATE"),
        ("CREATE MATERIALIZED VIEW v REFRESH POLICY FULL AS SELECT 1", "REFRESH POLICY"),
        ("CREATE MATERIALIZED VIEW v AS SELECT * FROM t PIVOT (sum(a) FOR b IN (1, 2))", "PIVOT"),
        ("CREATE MATERIALIZED VIEW v AS SELECT * FROM IDENTIFIER('t')", "IDENTIFIER"),
        ("CREATE STREAMING TABLE t AS SELECT * FROM STREAM read_kafka(a => 'b')", "read_kafka"),
        ("CREATE FLOW f AS AUTO CDC INTO t FROM SNAPSHOT (SELECT 1) KEYS (a)", "SNAPSHOT"),
        ("COPY INTO t FROM '/x'", "COPY INTO"),
        ("REFRESH MATERIALIZED VIEW v", "REFRESH MATERIALIZED VIEW"),
        ("REFRESH STREAMING TABLE t FULL", "REFRESH STREAMING TABLE"),
    ],
)
def test_what_is_not_supported_is_refused_by_name_where_it_stands(text: str, construct: str) -> None:
    error = refused(f"SET a = 1;\n  {text}")
    assert construct in error.message
    assert "not supported" in error.message
    assert (error.line, error.column) == (2, 3 + text.index(construct)), str(error)


def test_what_refreshes_a_table_by_hand_is_told_to_start_an_update() -> None:
    for text in ("REFRESH MATERIALIZED VIEW v", "REFRESH t"):
        assert "remove it, and start an update" in refused(text).message
