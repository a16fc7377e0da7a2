"""Dynamic value references."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.jobs.errors import ConditionError, UnresolvedReference
from helpers.jobs.references import Done, Place, Values, problems, resolve, resolve_scalar

VALUES = Values(
    job_id=7,
    job_name="retail",
    run_id=1700000000000,
    start_time=1700000000000,
    parameters={"day": "2017-01-01", "odd name": "x"},
    task_key="gold",
    task_run_id=1700000000000003,
    execution_count=3,
    repair_count=2,
    done={
        "silver": Done(
            "SUCCESS", run_id=42, execution_count=2,
            values={"rows": 12, "path": "/tmp/x", "list": [1, "a"], "odd-key": True, "none": None},
        ),
        "query": Done("SUCCESS", rows=[{"n": 7, "day": "2017-01-01"}, {"n": 8, "day": None}]),
        "empty": Done("SUCCESS", rows=[]),
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("job_{{job.run_id}}", "job_1700000000000"),
        ("{{ job.id }}/{{job.name}}", "7/retail"),
        ("{{job.start_time.iso_date}}", "2023-11-14"),
        ("{{job.start_time.timestamp_ms}}", "1700000000000"),
        ("{{job.start_time.year}} {{job.start_time.iso_weekday}} {{job.start_time.is_weekday}}", "2023 2 true"),
        ("{{job.repair_count}}", "2"),
        ("{{task.execution_count}}", "3"),
        ("{{tasks.silver.run_id}}/{{tasks.silver.execution_count}}", "42/2"),
        ("{{tasks.query.output.first_row.n}}", "7"),
        ("{{tasks.query.output.first_row}}", '{"n": 7, "day": "2017-01-01"}'),
        ("{{tasks.query.output.rows}}", '[{"n": 7, "day": "2017-01-01"}, {"n": 8, "day": null}]'),
        ("{{input}} {{input.day}}", "{{input}} {{input.day}}"),
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


def test_a_weekday_is_that_of_utc():
    late_on_friday = replace(VALUES, start_time=1700265599000)  # 23:59:59 UTC; in Berlin it is Saturday
    text = "{{job.start_time.iso_date}} {{job.start_time.iso_weekday}} {{job.start_time.is_weekday}}"
    assert resolve(text, late_on_friday) == "2023-11-17 5 true"
    assert resolve(text, replace(VALUES, start_time=1700265600000)) == "2023-11-18 6 false"


def test_a_task_value_that_was_never_set_is_named():
    with pytest.raises(UnresolvedReference, match=r"task 'silver' did not call .*key='cols'"):
        resolve("{{tasks.silver.values.cols}}", VALUES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{tasks.silver.output.rows}}", "task 'silver' is no SQL task that gave rows"),
        ("{{tasks.empty.output.first_row.n}}", "task 'empty' gave no row"),
        ("{{tasks.query.output.first_row.m}}", "the rows of task 'query' have the columns n, day"),
    ],
)
def test_rows_that_are_not_there_are_named(text, said):
    with pytest.raises(UnresolvedReference, match=said):
        resolve(text, VALUES)


@pytest.mark.parametrize(
    ("element", "text", "filled"),
    [
        ("a", "x_{{input}}", "x_a"),
        (3, "{{input}}", "3"),
        ({"table": "orders", "n": 1}, "{{input.table}}/{{input.n}}", "orders/1"),
        ({"table": "orders"}, "{{input}}", '{"table": "orders"}'),
        (None, "{{input}}", "null"),
    ],
)
def test_inside_a_loop_input_is_the_element(element, text, filled):
    assert resolve(text, replace(VALUES, input=element)) == filled


@pytest.mark.parametrize("element", [{"tabel": "orders"}, "orders", None])
def test_a_key_that_the_element_lacks_is_named_with_the_element(element):
    with pytest.raises(UnresolvedReference, match=r"'\{\{input\.table\}\}' has no value: the input is "):
        resolve("{{input.table}}", replace(VALUES, input=element))


def test_input_is_a_reference_inside_a_loop_only():
    inside = Place(upstream=frozenset(), in_loop=True)
    assert list(problems("{{input.a.b}}", inside)) == [
        "'{{input.a.b}}' goes too deep; there are {{input}} and {{input.<key>}}"
    ]
    assert list(problems("{{input.a}} {{input}}", inside)) == []
    assert list(problems("{{input.a.b}}", Place(upstream=frozenset()))) == []


def test_an_operand_takes_strings_numbers_and_booleans_only():
    filled = resolve_scalar("{{tasks.silver.values.rows}}{{tasks.silver.values.odd-key}}{{task.name}}", VALUES)
    assert filled == "12truegold"
    with pytest.raises(ConditionError, match="is of type list; a condition compares strings, numbers and booleans"):
        resolve_scalar("{{tasks.silver.values.list}}", VALUES)
    with pytest.raises(ConditionError, match="is of type null"):
        resolve_scalar("{{tasks.silver.values.none}}", VALUES)
