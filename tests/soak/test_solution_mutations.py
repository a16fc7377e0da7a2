"""Every solution block, broken in a small way, is found out: its check does not say correct, or its cell fails.

By hand: `.venv/bin/python -m pytest tests/soak/test_solution_mutations.py -s`, about a minute for a block's mutants.
LAKEPREP_MUTANTS says how many of each block (1), LAKEPREP_SEED which ones.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
from dataclasses import dataclass
from typing import Any

import nbformat
import pytest

from helpers.progress import Progress
from helpers.runtime import REPO_ROOT, Places

SEED = int(os.environ.get("LAKEPREP_SEED") or 20261123)
MUTANTS = int(os.environ.get("LAKEPREP_MUTANTS") or 1)
#: What is looked for and what takes its place; each gives another result wherever it stands in a solution.
SLIPS = (
    (r"> 0\b", "> 1"),
    (r">= 0\b", "> 1"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"(?<!NOT )\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT TRUE\b", "IS TRUE"),
    (r"\bON VIOLATION DROP ROW", ""),
    (r"\bON VIOLATION FAIL UPDATE", "ON VIOLATION DROP ROW"),
    (r"\bexpect_(all_)?or_(drop|fail)\b", r"expect_\1or_warn"),
    (r"\bsum\(", "max("),
    (r"\bcount\(\*\)", "max(1)"),
    (r" AND ", " OR "),
    (r" DESC\b", " ASC"),
    (r"\bDECIMAL\(10, ?2\)", "DECIMAL(10,1)"),
    (r"\bINT\b", "STRING"),
    (r"\b(landing\}?)/transactions", r"\1/products"),
    (r"\bAS (?=[a-z_]+\b)", "AS other_"),
    (r"\bINSERT INTO (\w+)", r"INSERT OVERWRITE \1"),
    (r"\.filter\(.*\)", ""),
    (r"\bfor (\w+) in ([\w.]+)\b", r"for \1 in \2[:1]"),
    (r" == ", " != "),
    (r"\.rows\b", ".rows + 1"),
    (r"\.rows_read\b", ".num_output_rows"),
    (r"\.count\(\)", ".count() + 1"),
    (r"\.limit\(", ".offset("),
    (r"\bSTREAMING TABLE\b", "MATERIALIZED VIEW"),
    (r"\bSTREAM (?=[a-z_]+\b)", ""),
    (r"\bfull_refresh=True\b", "full_refresh=False"),
    (r'"rescue"', '"none"'),
    (r'\.toTable\("(\w+)"\)', r'.toTable("\1_2")'),
    (r'saveAsTable\("(\w+)"\)', r'saveAsTable("\1_2")'),
    (r"\bstate/(\w+)", r"state/\1_2"),
    (r'"task_key": "(\w+)"', r'"task_key": "\1_2"'),
    (r'"depends_on": \[[^\]]*\]', '"depends_on": []'),
    (r'"max_retries": \d+', '"max_retries": 0'),
    (r'"pipeline_task"', '"notebook_task"'),
    (r'"ALL_DONE"', '"ALL_SUCCESS"'),
    (r'"AT_LEAST_ONE_FAILED"', '"ALL_SUCCESS"'),
    (r'"UPSTREAM_FAILED"', '"FAILED"'),
    (r'"op": "GREATER_THAN"', '"op": "LESS_THAN"'),
    (r'"outcome": "true"', '"outcome": "false"'),
    (r'"concurrency": \d+', '"concurrency": 1'),
    (r'"(schema|since)": "\{\{', r'"\1_2": "{{'),
    (r'glob\("\*\.json"\)', 'glob("*.csv")'),
    (r"job\.run\(careful\)", "job.run(daily)"),
    (r"(morning = )job\.run\((\w+)\)", r"\1\2"),
    (r'\.values\["(\w+)"\]', r'.values["\1_2"]'),
    (r'"bronze_ingestion"', '"silver_transformation"'),
    (r"retail\.file\(", "print("),
    (r'job\.read\("job\.json"\)', 'job.read("pipeline.json")'),
    (r", parameters=parameters\)", ")"),
    (r"job\.repair\(\w+, (\w+)\)", r"job.run(\1)"),
    (r'"(true|false)"', '"maybe"'),
    (r"\bSCD TYPE 2\b", "SCD TYPE 1"),
    (r"\bSCD TYPE 1\b", "SCD TYPE 2"),
    (r"\bSEQUENCE BY (\w+)", "SEQUENCE BY household_id"),
)
#: Slips that change no result with the lesson's data, and why; no check could tell them.
EQUIVALENT = {
    ("11.5", "sum(", "max("): "the update that is asked for has one micro-batch, so each count is in one event",
    ("12.4", " AND ", " OR "): "what it lets in has no count of upserted rows, and leaves by that",
    ("15.5", "job.run(careful)", "job.run(daily)"): "a run that went well tells neither retries nor limits; 15.6 does",
    ("11.6", " AND ", " OR "): "silver drops what could make a store's revenue missing or negative",
    **{(each, "full_refresh=True", "full_refresh=False"): "the first update of a pipeline reads everything anyway"
       for each in ("11.4", "11.6", "11.7")},
}
_BLOCK = re.compile(r"(?<=# BEGIN SOLUTION\n)(.*?)(?=# END SOLUTION)", re.DOTALL)
_CHECK = re.compile(r"lab\.check\(\"([\d.]+)\"")


@dataclass(frozen=True)
class Mutant:
    """One block of one lesson with one slip in it; `number` is its cell's among the code cells."""

    lesson: str
    exercise: str
    number: int
    was: str
    now: str
    cell: str

    @property
    def name(self) -> str:
        return f"{self.exercise}: {self.was!r} as {self.now!r}"


def code_cells(lesson: str) -> list[str]:
    notebook = nbformat.read(REPO_ROOT / "solutions" / f"{lesson}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def mutants(lesson: str) -> list[Mutant]:
    """The chosen mutants of each block; one in which no slip fits fails here."""
    found = []
    for number, cell in enumerate(code_cells(lesson)):
        block, check = _BLOCK.search(cell), _CHECK.search(cell)
        if block is None or check is None:
            continue
        every = list(_slipped(lesson, check[1], number, cell, block))
        assert every, f"No slip fits into the solution of {check[1]}: add one to SLIPS."
        found += random.Random(f"{SEED} {check[1]}").sample(every, min(MUTANTS, len(every)))
    return found


def _slipped(lesson: str, exercise: str, number: int, cell: str, block: re.Match[str]) -> Any:
    for pattern, instead in SLIPS:
        for place in re.finditer(pattern, block[0]):
            now = place.expand(instead)
            if (exercise, place[0], now) in EQUIVALENT:
                continue
            at = block.start() + place.start()
            yield Mutant(lesson, exercise, number, place[0], now, cell[:at] + now + cell[at + len(place[0]) :])


LESSONS = sorted(path.stem for path in (REPO_ROOT / "solutions").glob("*.ipynb"))
EVERY = [mutant for lesson in LESSONS for mutant in mutants(lesson)]


@pytest.mark.parametrize("mutant", EVERY, ids=lambda mutant: mutant.name)
def test_a_slip_in_a_solution_is_found_out(
    mutant: Mutant, spark: Any, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEPREP_HOME", str(places.root))
    monkeypatch.setenv("LAKEPREP_STRICT", "0")
    monkeypatch.chdir(REPO_ROOT / "solutions")
    places.progress.unlink(missing_ok=True)
    cells = code_cells(mutant.lesson)[: mutant.number]
    said, names = io.StringIO(), {"__name__": "__main__", "display": print}
    with contextlib.redirect_stdout(said):
        for cell in cells:
            exec(compile(cell, "<cell>", "exec"), names)
        before = Progress(places.progress).exercise(mutant.exercise)
        assert not before.correct
        failed = _failure(mutant.cell, names)
    state = Progress(places.progress).exercise(mutant.exercise)
    print(f"{mutant.name}: {failed or 'judged'}, {'SURVIVED' if state.correct else 'found out'}")
    assert failed or state.attempts, "the check has not judged it"
    assert not state.correct, f"{mutant.name} survived:\n{said.getvalue()[-2000:]}"


def _failure(cell: str, names: dict[str, Any]) -> str | None:
    """What ends the cell, if something does: the learner sees it as an error."""
    try:
        exec(compile(cell, "<cell>", "exec"), names)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else ''}"
    return None
