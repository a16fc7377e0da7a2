"""The two trees: what `lessons/` should hold according to `solutions/`, and what it does hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from helpers.files import replace_file
from helpers.publish.cutting import MARKER_WORDS, Derived, PublishError
from helpers.publish.job_files import derive_job_files
from helpers.publish.notebooks import SOLUTION_TAG, derive_notebook, tags

JOB = "retail_job"
_PUBLISHED = (".ipynb", ".json", ".py", ".sql")
_TELLING = 12  # characters; a shorter line, such as a bracket, gives nothing away

Kind = Literal["stale", "orphaned", "leaking"]


@dataclass(frozen=True)
class Finding:
    """One file of `lessons/` that is not as it should be, and what to do."""

    kind: Kind
    file: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.file} {self.why}"


@dataclass(frozen=True)
class Published:
    """The lessons that were written because they differed, and the files that have no source."""

    written: tuple[str, ...]
    orphaned: tuple[Finding, ...]


def publish(root: Path) -> Published:
    """Derive every lesson of the repository in `root`; nothing is written when one of them cannot be derived."""
    lessons = derive(root)
    stale = [name for name, derived in lessons.items() if _content(root / name) != derived.content]
    for name in stale:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        replace_file(root / name, lessons[name].content)
    return Published(tuple(stale), tuple(_orphans(root, lessons)))


def check(root: Path) -> tuple[Finding, ...]:
    """Name every stale, orphaned and leaking file of `lessons/`; writes nothing."""
    lessons = derive(root)
    found = [finding for name, derived in lessons.items() for finding in _differences(root, name, derived)]
    return tuple(sorted((*found, *_orphans(root, lessons)), key=lambda each: (each.file, each.kind)))


def derive(root: Path) -> dict[str, Derived]:
    """Every published file by its path in the repository; raises one `PublishError` with all that is wrong."""
    lessons: dict[str, Derived] = {}
    problems: list[str] = []
    for name, make in _sources(root):
        try:
            lessons.update({f"lessons/{file}": derived for file, derived in make()})
        except PublishError as error:
            problems.append(str(error))
        except UnicodeDecodeError as error:
            problems.append(f"{name} is not UTF-8: {error}. Save it as UTF-8.")
    if problems:
        raise PublishError("\n".join(problems))
    return dict(sorted(lessons.items()))


def _sources(root: Path) -> Iterator[tuple[str, Callable[[], Iterable[tuple[str, Derived]]]]]:
    for path in sorted((root / "solutions").glob("*.ipynb")):
        name = f"solutions/{path.name}"
        yield name, lambda path=path, name=name: [(path.name, derive_notebook(path.read_bytes(), where=name))]
    job, name = root / "solutions" / JOB, f"solutions/{JOB}"
    yield name, lambda: [(f"{JOB}/{file}", derived) for file, derived in derive_job_files(job, where=name)]


def _differences(root: Path, name: str, derived: Derived) -> Iterator[Finding]:
    content = _content(root / name)
    if content is None:
        yield Finding("stale", name, "is missing: run `python3 -m helpers publish`.")
        return
    if content != derived.content:
        yield Finding("stale", name, "differs from its solution: run `python3 -m helpers publish`.")
    if why := _leak(content, derived):
        yield Finding("leaking", name, why)


def _leak(content: bytes, derived: Derived) -> str | None:
    text, tagged = _readable(content)
    if tagged:
        return f"has a cell tagged `{SOLUTION_TAG}`: change the solution, then publish."
    if found := MARKER_WORDS.search(text):
        return f"has the marker {found[0]}: change the solution, then publish."
    for line in derived.hidden:
        if len(line) >= _TELLING and line in text and line not in derived.text:
            return f"gives a solution away, {line!r}: change the solution, then publish."
    return None


def _readable(content: bytes) -> tuple[str, bool]:
    """All texts of a file, outputs too, and whether a cell of it is tagged as a solution."""
    text = content.decode("utf-8", errors="replace")
    try:
        data = json.loads(text)
    except ValueError:
        return text, False
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list):
        return text, False
    return "\n".join(_texts(data)), any(SOLUTION_TAG in tags(cell) for cell in cells if isinstance(cell, dict))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list) and all(isinstance(each, str) for each in node):
        yield "".join(node)
    elif isinstance(node, (list, dict)):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _texts(each)


def _orphans(root: Path, lessons: dict[str, Derived]) -> Iterator[Finding]:
    for path in sorted((root / "lessons").rglob("*")):
        name = path.relative_to(root).as_posix()
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if path.is_file() and path.suffix in _PUBLISHED and not hidden and name not in lessons:
            yield Finding("orphaned", name, "has no solution: delete it, or bring its solution back.")


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
