"""What a JSON line has beyond the schema, by every way of looking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.autoloader.blocks import Block
from helpers.autoloader.json_rows import JsonRows
from helpers.autoloader.json_types import VOID, array, field, names, struct
from helpers.autoloader.plain_lines import line_pattern, odd_lines
from helpers.autoloader.records import Damaged, as_text, beyond, lost, parse

SCHEMA = struct([
    field("a", "long"), field("ü.x", "string"), field("n", struct([field("p", "long")])), field("r", array("long")),
    field("s", array(struct([field("k", "long")]))),
    field("m", {"type": "map", "keyType": "string", "valueType": struct([field("v", "long")])}),
])
KEYS = st.sampled_from(["a", "A", "b", "ü.x", "n", "p", "r", "s", "k", "m", "v", "", 'a"', "a\\", "a\n", "\"a\":1,\"b"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
              st.text(max_size=8), st.sampled_from(['"b":1', '{"b":1}', "a:b", ",", "\\", '\\"', "}\n{"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
RECORDS = st.dictionaries(KEYS, VALUES, max_size=4)


def rows_of(data: bytes) -> JsonRows:
    return JsonRows(odd_lines(data, line_pattern(SCHEMA)))


@settings(deadline=None)
@given(st.lists(RECORDS, max_size=4), st.booleans(), st.booleans())
def test_a_field_without_a_column_is_never_overlooked(records: list[dict[str, Any]], ascii: bool, spaced: bool) -> None:
    separators = (", ", ": ") if spaced else (",", ":")
    lines = [json.dumps(record, ensure_ascii=ascii, separators=separators) for record in records]
    plain = all(beyond(parse(line), SCHEMA) == beyond({}, SCHEMA) for line in lines)
    rows = rows_of("\n\n".join(lines).encode())
    assert plain or not rows.all_known(SCHEMA)
    found = list(rows)
    assert len(found) == len(lines)
    for row, line in zip(found, lines, strict=True):
        assert row == parse(line) or (row is None and beyond(parse(line), SCHEMA) == beyond({}, SCHEMA))


@pytest.mark.parametrize("line", ['{"a":1}', '{ "a" : 1 , "ü.x" : "\\"b\\":" }\r', "", "  ", '{"n":{"p":1},"r":[1,2]}',
                                  '{"m":{"any":{"v":1}},"s":[{"k":1},{}]}', '{"n":null,"r":[],"a":-1.5e3}'])
def test_plain_lines_pass_without_being_parsed(line: str) -> None:
    rows = rows_of(line.encode())
    assert list(rows) == ([None] if line.strip() else [])
    assert rows.all_known(SCHEMA)


@pytest.mark.parametrize("line", ['{"b":1}', '{"A":1}', '{"n":{"q":1}}', '{"a":1}{"a":2}', '{"a":1} x', '[{"a":1}]',
                                  "5", "{'a':1}", '{"a\\u0062":1}', '{"s":[{"z":1}]}', '{"m":{"any":{"z":1}}}'])
def test_lines_that_need_a_closer_look_get_one(line: str) -> None:
    rows = rows_of(f'{{"a":1}}\n \n{line}\n{{"a":2}}\n'.encode())
    assert not rows.all_known(SCHEMA)
    first, *looked_at, last = rows
    assert (first, last) == (None, None)
    assert len(looked_at) == 1
    assert looked_at != [None]


def test_new_fields_are_found_at_any_depth_with_their_types() -> None:
    found = beyond(parse('{"b":1.5,"n":{"q":[1]},"s":[{"k":1},{"z":"x"}],"m":{"any":{"w":true}}}'), SCHEMA)
    assert names(found.new) == ["b", "n.q", "s.z", "m.w"]
    assert not found.hidden


@pytest.mark.parametrize("line", ['{"A":1}', '{"n":{"P":1}}', '{"b":{}}', '{"":1}', '{"_rescued_data":1}'])
def test_fields_that_cannot_become_columns_are_rescued_instead(line: str) -> None:
    found = beyond(parse(line), SCHEMA)
    assert (found.new, found.hidden) == (VOID, True)
    assert lost(parse(line), parse(line), SCHEMA) == parse(line)


def test_what_the_columns_do_not_show_is_lost_and_no_more() -> None:
    record = parse('{"a":"x","n":{"p":"y"},"r":[1,"z"],"ü.x":"kept","s":null}')
    assert lost(record, {"ü.x": "kept", "n": {}, "r": None}, SCHEMA) == {"a": "x", "n": {"p": "y"}, "r": [1, "z"]}
    assert lost(record, {"a": 1, "ü.x": "kept", "n": {"p": 1}, "r": [1, 2]}, SCHEMA) is None


def test_rescued_values_are_written_as_they_were() -> None:
    record = parse('{"a":1.10,"b":12345678901234567890123,"c":"ü \\" 1.10","d":[1e3,{"e":null}]}')
    assert as_text(record, "file:/x") == (
        '{"a":1.10,"b":12345678901234567890123,"c":"ü \\" 1.10","d":[1e3,{"e":null}],"_file_path":"file:/x"}')


@pytest.mark.parametrize("line", ["", "5", "null", "[1]", '{"a":', '{"a":1} x', "{'a':1}", "[" * 10_000])
def test_what_is_no_object_is_damaged(line: str) -> None:
    with pytest.raises(Damaged):
        parse(line)


def test_the_blocks_of_a_file_have_each_line_once(tmp_path: Path) -> None:
    lines = [json.dumps({"a": number, "x": "ü" * (number % 7)}) for number in range(40)]
    path = tmp_path / "a b%.json"
    path.write_text("\n".join(lines), encoding="utf-8")
    size = path.stat().st_size
    uri = path.as_uri()
    for length in (1, 7, 64, size):
        found = [line for start in range(0, size, length) for line in Block(uri, start, length).lines()]
        assert found == lines
