"""The rows that a SQL task keeps, as JSON."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from helpers.jobs import sql_task


def test_maps_have_keys_of_every_type():
    value = {"m": {date(2026, 1, 1): {Decimal("1.5"): [{2: None}]}}}
    row: Any = SimpleNamespace(asDict=lambda recursive: value)
    kept = sql_task._rows(SimpleNamespace(columns=["m"], take=lambda _: [row]))
    assert kept == {"columns": ["m"], "rows": [{"m": {"2026-01-01": {"1.5": [{"2": None}]}}}], "truncated": False}
