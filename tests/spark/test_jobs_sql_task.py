"""A SQL task's file on the task's own session."""

from __future__ import annotations

import json

from helpers.jobs.sql_task import run_file


def test_a_sql_tasks_file_reads_files_loads_them_and_hands_rows_on(spark, schema, tmp_path):
    landing = tmp_path / "landing"
    landing.mkdir()
    lines = [{"id": 1, "price": 2.5}, {"id": 2, "price": 4.0}]
    (landing / "day.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    file = tmp_path / "report.sql"
    file.write_text("""
        CREATE OR REPLACE TABLE sales AS SELECT id, price FROM read_files(:landing, format => 'json');
        CREATE TABLE loaded; -- by COPY INTO, which a SQL task knows too
        COPY INTO loaded FROM '${landing}' FILEFORMAT = JSON
          FORMAT_OPTIONS ('mergeSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true');
        SELECT count(*) AS days, sum(price) AS total, (SELECT count(*) FROM loaded) AS loaded FROM sales;
    """.replace("${landing}", str(landing)))
    said: list[str] = []
    ended = run_file(file, {"landing": str(landing)}, sql=spark.sql, report=said.append)
    assert ended["error"] is None
    assert ended["output"]["rows"] == [{"days": 2, "total": 6.5, "loaded": 2}]
    assert said == [f"report.sql: statement {number} of 4" for number in (1, 2, 3, 4)]
    file.write_text("SELECT 1;\nSELECT * FROM read_files(:landing, colour => 'red');")
    refused = run_file(file, {"landing": str(landing)}, sql=spark.sql, report=said.append)
    assert "colour" in refused["error"]
    assert refused["error"].endswith("(statement 2, line 2 of report.sql)")
