"""Every difference from Databricks is written down in a form that lessons can show."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {"id", "feature", "databricks", "here", "why"}


def differences() -> list[dict[str, str]]:
    return json.loads((ROOT / "helpers" / "differences.json").read_text(encoding="utf-8"))["differences"]


def test_each_difference_says_what_databricks_does_what_happens_here_and_why() -> None:
    for difference in differences():
        assert set(difference) == FIELDS, difference
        assert all(
            text.strip().endswith((".", "…"))
            for key, text in difference.items()
            if key in ("databricks", "here", "why")
        )


def test_ids_are_unique_and_name_a_room_of_helpers() -> None:
    ids = [difference["id"] for difference in differences()]
    assert len(ids) == len(set(ids))
    assert all((ROOT / "helpers" / found.split(".")[0]).is_dir() for found in ids)
