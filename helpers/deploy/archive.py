"""The repository as one .zip that a workspace imports as a folder; the same files give the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from helpers.deploy.definitions import ENVIRONMENT_VERSION, PACKAGES
from helpers.deploy.errors import DeployError
from helpers.deploy.sources import Source, sources
from helpers.files import replace_file

#: What lessons and job need, and what a reader looks for.
CONTENTS = ("LICENSE", "README.md", "databricks.yml", "datasets", "helpers", "lessons", "solutions")
FOLDER = "lakeprep"
#: The oldest that the format knows.
_DATE = (1980, 1, 1, 0, 0, 0)


def write_archive(path: Path, *, repository: Path) -> int:
    """Write the archive, whole or not at all, and give its number of files; DeployError when it cannot be written."""
    files = [_for_import(file) for file in sources(repository, CONTENTS)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, _zipped(files))
    except OSError as error:
        raise DeployError(f"{path} cannot be written: {error.strerror or error}. Name another file.") from None
    return len(files)


def _zipped(files: list[Source]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(f"{FOLDER}/{file.path}", date_time=_DATE)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            archive.writestr(entry, file.content)
    return buffer.getvalue()


def _for_import(file: Source) -> Source:
    """Give a notebook the environment that Databricks' own exports carry: what to install on serverless compute."""
    if not file.path.endswith(".ipynb"):
        return file
    notebook = json.loads(file.content)
    environment = {
        "base_environment": "",
        "dependencies": list(PACKAGES),
        "environment_version": ENVIRONMENT_VERSION,
    }  # fmt: skip
    notebook["metadata"]["application/vnd.databricks.v1+notebook"] = {"environmentMetadata": environment}
    return Source(file.path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())
