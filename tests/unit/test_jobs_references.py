"""Dynamic value references."""

from __future__ import annotations

import pytest

from helpers.jobs.errors import UnresolvedReference
from helpers.jobs.references import Values, resolve

VALUES = Values(
    job_id=7,
    job_name="retail",
    run_id=1700000000000,
    start_time=1700000000000,
    parameters={"day": "2017-01-01", "odd name": "x"},
    task_key="gold",
    task_run_id=1700000000000003,
    results={"silver": "SUCCESS"},
    task_values={"silver": {"rows": 12, "path": "/tmp/x", "list": [1, "a"], "odd-key": True}},
)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("job_{{job.run_id}}", "job_1700000000000"),
        ("{{ job.id }}/{{job.name}}", "7/retail"),
        ("{{job.start_time.iso_date}}", "2023-11-14"),
        ("{{job.start_time.timestamp_ms}}", "1700000000000"),
        ("{{job.repair_count}}", "0"),
        ("{{job.parameters.day}}", "2017-01-01"),
        ("{{job.parameters.`odd name`}}", "x"),
        ("{{task.name}} {{task.run_id}}", "gold 1700000000000003"),
        ("{{tasks.silver.result_state}}", "success"),
        ("{{tasks.silver.values.rows}}", "12"),
        ("{{tasks.silver.values.path}}", "/tmp/x"),
        ("{{tasks.silver.values.list}}", '[1, "a"]'),
        ("{{tasks.silver.values.`odd-key`}}", "true"),
        ("{{my.value}}", "{{my.value}}"),
        ("{{job.id}", "{{job.id}"),
        ("{{.}} {{}} {job.id}", "{{.}} {{}} {job.id}"),
    ],
)
def test_references_are_filled_in_and_other_text_stays(text, filled):
    assert resolve(text, VALUES) == filled


def test_a_task_value_that_was_never_set_is_named():
    with pytest.raises(UnresolvedReference, match=r"task 'silver' did not call .*key='cols'"):
        resolve("{{tasks.silver.values.cols}}", VALUES)
