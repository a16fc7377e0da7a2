"""Files that are whole or what they were before."""

from __future__ import annotations

import pytest

from helpers.files import replace_file, write_once


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_and_nothing_else_stays(tmp_path, durable):
    replace_file(tmp_path / "a", b"first", durable=durable)
    replace_file(tmp_path / "a", b"second", durable=durable)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"second"}


def test_where_a_file_cannot_be_put_nothing_stays_of_it(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_only_the_first_of_two_writers_writes(tmp_path):
    assert [write_once(tmp_path / "1", content) for content in (b"first", b"second")] == [True, False]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"1": b"first"}
