"""A lesson is its solution minus what is marked, byte for byte, and nothing of the solution is left in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from rich.console import Console

from helpers import cli
from helpers.commands import publish as publish_command
from helpers.commands.publish import publish_lessons
from helpers.publish import PublishError, check, publish, solution_of

ROOT = Path(__file__).resolve().parents[2]
EXERCISE = """\
# TODO: read the orders.
orders = ...
# BEGIN SOLUTION
orders = spark.read.json(landing)
# END SOLUTION
lab.check("05.1", orders)"""


def code(source: str, id: str = "aa", **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": id,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
        **more,
    }


def prose(source: str, id: str = "bb", **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source, **more}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("solutions/retail_job/pipeline", "lessons"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def solve(root: Path, *cells: dict[str, Any], name: str = "05_auto_loader.ipynb", **more: Any) -> None:
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}
    (root / "solutions" / name).write_text(json.dumps(notebook), encoding="utf-8")


def lesson(root: Path, name: str = "05_auto_loader.ipynb") -> list[str]:
    notebook = json.loads((root / "lessons" / name).read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def rewrite(root: Path, old: str, new: str) -> None:
    path = root / "lessons" / "05_auto_loader.ipynb"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_every_lesson_of_the_repository_is_what_its_solution_says() -> None:
    assert [str(finding) for finding in check(ROOT)] == []


def test_the_first_lesson_comes_out_as_it_is_committed(root: Path) -> None:
    (root / "solutions" / "00_start_here.ipynb").write_bytes((ROOT / "solutions" / "00_start_here.ipynb").read_bytes())
    publish(root)
    committed = (ROOT / "lessons" / "00_start_here.ipynb").read_bytes()
    assert (root / "lessons" / "00_start_here.ipynb").read_bytes() == committed


def test_the_block_and_its_markers_go_and_the_scaffold_stays(root: Path) -> None:
    solve(root, prose("# 05"), code(EXERCISE))
    assert publish(root).written == ("lessons/05_auto_loader.ipynb",)
    assert lesson(root) == ["# 05", '# TODO: read the orders.\norders = ...\nlab.check("05.1", orders)']
    nbformat.validate(nbformat.read(root / "lessons" / "05_auto_loader.ipynb", as_version=4))


def test_a_cell_tagged_solution_goes_and_other_tags_stay(root: Path) -> None:
    tagged = {"metadata": {"tags": ["solution"]}}
    solve(
        root,
        code("x = 1", "aa", metadata={"tags": ["parameters"], "scrolled": True}),
        code("secret()", "bb", **tagged),
        prose("why", "cc", **tagged),
    )
    publish(root)
    cells = json.loads((root / "lessons" / "05_auto_loader.ipynb").read_text(encoding="utf-8"))["cells"]
    assert [(cell["id"], cell["metadata"]) for cell in cells] == [("aa", {"tags": ["parameters"]})]


def test_sql_inside_a_cell_is_cut_by_its_own_comment_sign(root: Path) -> None:
    solve(root, code('retail.sql("""\nSELECT ...\n  -- BEGIN SOLUTION\n  FROM hidden_table\n  -- END SOLUTION\n""")'))
    publish(root)
    assert lesson(root) == ['retail.sql("""\nSELECT ...\n""")']


def test_publishing_again_changes_nothing_and_metadata_of_the_solution_is_left_behind(root: Path) -> None:
    solve(root, code("x = 'ä'"), metadata={"language_info": {"version": "3.14"}, "widgets": {}})
    publish(root)
    first = (root / "lessons" / "05_auto_loader.ipynb").read_bytes()
    assert publish(root).written == ()
    notebook = json.loads(first)
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert "ä".encode() in first
    assert first.endswith(b"}\n")


WRONG = {
    "a block without an end": (code("x = ...\n# BEGIN SOLUTION\nx = 1"), "cell aa, line 2: BEGIN SOLUTION has no END"),
    "an end without a block": (code("x = ...\n# END SOLUTION"), "cell aa, line 2: END SOLUTION without a BEGIN"),
    "a nested block": (
        code("x = ...\n# BEGIN SOLUTION\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION"),
        "cell aa, line 3: BEGIN SOLUTION inside the block that begins in line 2",
    ),
    "another comment sign": (
        code("x = ...\n# BEGIN SOLUTION\nx = 1\n-- END SOLUTION"),
        "cell aa, line 4: the block of line 2 begins with #",
    ),
    "an empty block": (code("x = ...\n# BEGIN SOLUTION\n\n# END SOLUTION"), "cell aa, line 4: the block is empty"),
    "a marker beside code": (code("x = ...  # BEGIN SOLUTION"), "cell aa, line 1: a marker stands alone on its line"),
    "a marker in other letters": (code("x = ...\n#begin solution"), "cell aa, line 2: a marker stands alone"),
    "a marker in prose": (prose("text\n# BEGIN SOLUTION"), "cell bb, line 2: nothing is cut out here"),
    "outputs": (code("1", outputs=[{"output_type": "stream"}]), "cell aa, line 1: the cell has outputs or a run count"),
    "a run count": (code("1", execution_count=3), "cell aa, line 1: the cell has outputs or a run count"),
    "no id": ({**code("1"), "id": ""}, "cell number 1, line 1: it has no cell id"),
    "no scaffold": (
        code("# TODO: ...\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION"),
        "cell aa, line 1: nothing is left to fill in",
    ),
}


@pytest.mark.parametrize(("cell", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_no_lesson_can_be_derived_from_is_named_with_file_cell_and_line(
    root: Path, cell: dict[str, Any], said: str
) -> None:
    solve(root, cell)
    for act in (publish, check):
        with pytest.raises(PublishError) as raised:
            act(root)
        assert str(raised.value).startswith(f"solutions/05_auto_loader.ipynb, {said}")
    assert list((root / "lessons").iterdir()) == []


def test_two_cells_with_one_id_are_named(root: Path) -> None:
    solve(root, code("1"), code("2"))
    with pytest.raises(PublishError, match="cell aa, line 1: cells 1 and 2 have the same id"):
        publish(root)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"cells": []}', b'{"cells": [], "nbformat": 3}', b"\xff"])
def test_what_is_no_notebook_is_named(root: Path, content: bytes) -> None:
    (root / "solutions" / "05_auto_loader.ipynb").write_bytes(content)
    with pytest.raises(PublishError, match=r"^solutions/05_auto_loader\.ipynb"):
        publish(root)


def test_every_broken_solution_is_named_at_once_and_none_is_written(root: Path) -> None:
    solve(root, code("# END SOLUTION"))
    solve(root, code("# END SOLUTION"), name="06_schema_evolution.ipynb")
    solve(root, code("1"), name="07_good.ipynb")
    with pytest.raises(PublishError) as raised:
        publish(root)
    assert [line.split(",")[0] for line in str(raised.value).splitlines()] == [
        "solutions/05_auto_loader.ipynb",
        "solutions/06_schema_evolution.ipynb",
    ]
    assert list((root / "lessons").iterdir()) == []


def findings(root: Path) -> list[tuple[str, str]]:
    return [(finding.kind, finding.file.removeprefix("lessons/")) for finding in check(root)]


def test_check_names_a_missing_a_changed_and_an_orphaned_lesson_and_writes_nothing(root: Path) -> None:
    solve(root, code(EXERCISE))
    assert findings(root) == [("stale", "05_auto_loader.ipynb")]
    assert list((root / "lessons").iterdir()) == []
    publish(root)
    assert findings(root) == []
    rewrite(root, "read the orders", "read all orders")
    (root / "lessons" / "04_gone.ipynb").write_text("{}")
    (root / "lessons" / ".ipynb_checkpoints").mkdir()
    (root / "lessons" / ".ipynb_checkpoints" / "05.ipynb").write_text("{}")
    assert findings(root) == [("orphaned", "04_gone.ipynb"), ("stale", "05_auto_loader.ipynb")]
    done = publish(root)
    assert done.written == ("lessons/05_auto_loader.ipynb",)
    assert [orphan.file for orphan in done.orphaned] == ["lessons/04_gone.ipynb"]


LEAKS = {
    "a line of the block": ("read the orders.", "orders = spark.read.json(landing)"),
    "a marker": ("read the orders.", "# BEGIN SOLUTION"),
    "an output": ('"outputs": []', '"outputs": [{"text": ["orders = spark.read.json(landing)"]}]'),
    "a tag": ('"metadata": {}', '"metadata": {"tags": ["solution"]}'),
}


@pytest.mark.parametrize(("old", "new"), LEAKS.values(), ids=LEAKS.keys())
def test_check_names_a_lesson_that_gives_its_solution_away(root: Path, old: str, new: str) -> None:
    solve(root, code(EXERCISE))
    publish(root)
    rewrite(root, old, new)
    assert findings(root) == [("leaking", "05_auto_loader.ipynb"), ("stale", "05_auto_loader.ipynb")]


def test_a_solution_line_that_the_lesson_shows_elsewhere_or_that_is_short_is_no_leak(root: Path) -> None:
    solve(root, code("orders = spark.read.json(landing)", "bb"), code(EXERCISE.replace("# END", "x = 1\n# END")))
    publish(root)
    rewrite(root, "read the orders.", "x = 1; orders = spark.read.json(landing)")
    assert findings(root) == [("stale", "05_auto_loader.ipynb")]


def test_the_solution_of_an_exercise_is_its_marked_block(root: Path) -> None:
    block = "    # BEGIN SOLUTION\n    x = 1\n    y = 2\n    # END SOLUTION\n"
    nested = f'with retail:\n    x = ...\n{block}lab.check("05.10", x)'
    sources = ("# lab.check('05.3')", EXERCISE, nested, "lab.check('05.4', 1)")
    solve(root, *(code(text, f"c{number}") for number, text in enumerate(sources)))
    path = root / "solutions" / "05_auto_loader.ipynb"
    assert solution_of(path, "05.1") == "orders = spark.read.json(landing)"
    assert solution_of(path, "05.10") == "x = 1\ny = 2"
    assert [solution_of(path, name) for name in ("05.3", "05.4", "05.9", "05.")] == [None] * 4
    assert solution_of(root / "none.ipynb", "05.1") is None


def test_the_command_says_what_it_wrote_and_fails_while_something_is_wrong(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*, only_check: bool) -> tuple[int, str]:
        code = publish_lessons(only_check=only_check, console=Console(width=200), root=root)
        return code, capsys.readouterr().out

    solve(root, code(EXERCISE))
    missing = "stale: lessons/05_auto_loader.ipynb is missing: run `python3 -m helpers publish`.\n"
    assert run(only_check=True) == (1, missing)
    assert run(only_check=False) == (0, "wrote lessons/05_auto_loader.ipynb\n")
    assert run(only_check=True) == (0, "Every lesson is what its solution says.\n")
    (root / "lessons" / "04_gone.ipynb").write_text("{}")
    assert run(only_check=False)[0] == 1


def test_the_command_line_passes_the_exit_code_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_command, "publish_lessons", lambda *, only_check, console: 1 if only_check else 0)
    assert (cli.main(["publish"]), cli.main(["publish", "--check"])) == (0, 1)
