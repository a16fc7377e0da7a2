"""Texts after a few random changes, for tests of what reads texts."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_SPLINTERS = (
    "'", '"', "`", "(", ")", "((((", "))", ";", ",", ".", "*", "--", "/*", "*/", "/* /* */", "$$", "${", "${root}",
    "${x}", "{{", "}}", "\\", "\n", "\r", "\x00", "\t", "é", "\u2028", "\ufeff", "\U0001f600", "\u0130", "\u00a0",
    "\u0661", "=>", "|>", "::", "1e", "0x", "STREAM", "LIVE.", "SELECT", "FROM", "AS", "WITH", "EXCEPT", "_metadata",
    "read_files(", "CONSTRAINT", "EXPECT", "ON VIOLATION", "AUTO CDC INTO", "KEYS", "SEQUENCE BY", "COLUMNS",
    "SCD TYPE 3", "TBLPROPERTIES", "CLUSTER BY", "CREATE OR REFRESH", "FLOW", "INSERT INTO ONCE", "BY NAME", "VALUES",
    "PIVOT", "LATERAL VIEW", "SET", "SCHEDULE",
)  # fmt: skip
_VALUES = (
    None, True, False, 0, -1, 1.5, 10**30, float("nan"), "", " ", "x", "a b", "${x}", "${resources.jobs.x.id}",
    "{{input}}", "{{job.parameters.}}", "{{tasks.x.values.y}}", "{{tasks..}}", "\ud800", "\x00", "x" * 5000, "[1, 2]",
    "../..", "/", "**", "[", "a" + "/b" * 300, [], [[]], {}, {"": ""}, [None], ["x", 1], {"task_key": 1},
    {"x": {"y": [{}]}}, "ALL_DONE", "0 0 0 ? * *", "* * *",
)  # fmt: skip


def mutated(text: str, others: Sequence[str], chance: random.Random) -> str:
    """The text after one to four changes, of characters, of tokens, or with a part of another text."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        parts = _TOKEN.findall(text) if chance.random() < 0.7 else list(text)
        text = chance.choice(_CHANGES)(parts, others, chance)
    return text


def _delete(parts: list[str], others: Sequence[str], chance: random.Random) -> str:
    start = chance.randrange(len(parts) + 1)
    del parts[start : start + chance.choice((1, 1, 1, 2, 5))]
    return "".join(parts)


def _repeat(parts: list[str], others: Sequence[str], chance: random.Random) -> str:
    start = chance.randrange(len(parts) + 1)
    parts[start:start] = parts[start : start + chance.randint(1, 4)] * chance.choice((1, 1, 1, 2, 2, 300))
    return "".join(parts)


def _swap(parts: list[str], others: Sequence[str], chance: random.Random) -> str:
    if parts:
        one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        parts[one], parts[other] = parts[other], parts[one]
    return "".join(parts)


def _insert(parts: list[str], others: Sequence[str], chance: random.Random) -> str:
    parts.insert(chance.randrange(len(parts) + 1), chance.choice(_SPLINTERS) + chance.choice(("", " ")))
    return "".join(parts)


def _cut(parts: list[str], others: Sequence[str], chance: random.Random) -> str:
    return "".join(parts[: chance.randrange(len(parts) + 1)])


def _splice(parts: list[str], others: Sequence[str], chance: random.Random) -> str:
    other = chance.choice(others)
    return "".join(parts[: chance.randrange(len(parts) + 1)]) + other[chance.randrange(len(other) + 1) :]


_CHANGES = (_delete, _repeat, _swap, _insert, _insert, _insert, _cut, _splice)


def mutated_json(text: str, others: Sequence[str], chance: random.Random) -> str:
    """The same of a JSON document: mostly its values and names, now and then its text."""
    if chance.random() < 0.2:
        return mutated(text, others, chance)
    document = json.loads(text)
    for _ in range(chance.randint(1, 4)):
        owner, place = chance.choice(list(_places(document)))
        _change(owner, place, chance)
    return json.dumps(document)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each object or list of a document with each key or index in it."""
    for place, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, place
        if isinstance(item, dict | list):
            yield from _places(item)


def _change(owner: Any, place: Any, chance: random.Random) -> None:
    kind = chance.randrange(5)
    if kind == 0 and len(owner) > 1:
        del owner[place]
    elif kind == 1 and isinstance(owner, dict):
        owner[mutated(place, (place,), chance)] = owner.pop(place)
    elif kind == 2 and isinstance(owner[place], str):
        owner[place] = mutated(owner[place], (owner[place],), chance)
    elif kind == 3 and isinstance(owner, list):
        owner.append(json.loads(json.dumps(owner[place])))
    else:
        owner[place] = json.loads(json.dumps(chance.choice(_VALUES)))
