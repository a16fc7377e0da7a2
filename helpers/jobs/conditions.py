"""What a condition task decides, as https://docs.databricks.com/aws/en/jobs/tasks/if-else has it.

`EQUAL_TO` and `NOT_EQUAL` compare text, so that "12.0" is not "12"; the other four compare numbers.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from helpers.jobs.errors import ConditionError

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_NUMERIC: Mapping[str, Callable[[Any, Any], bool]] = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}


def outcome(op: str, left: str, right: str) -> str:
    """Give "true" or "false" for two operands in which every reference is filled in.

    ConditionError when an operator of numbers meets something else.
    """
    if op in _NUMERIC:
        holds = _NUMERIC[op](_number(op, "left", left), _number(op, "right", right))
    else:
        holds = (left == right) is (op == "EQUAL_TO")
    return "true" if holds else "false"


def _number(op: str, side: str, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ConditionError(f"{op} compares numbers, and {side} is '{text}'; use EQUAL_TO or NOT_EQUAL for text")
    return Decimal(text.strip())
