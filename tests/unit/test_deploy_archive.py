"""The archive that a workspace imports."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers import cli
from helpers.deploy import DeployError, write_archive
from helpers.deploy.definitions import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
METADATA = "application/vnd.databricks.v1+notebook"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "lakeprep.zip"
    write_archive(path, repository=ROOT)
    return path


@pytest.fixture(scope="module")
def elsewhere(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    return folder / "lakeprep"


def test_the_command_says_what_it_wrote_and_the_same_files_give_the_same_bytes(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "new" / "again.zip"
    assert cli.main(["export", str(again)]) == 0
    assert again.read_bytes() == archive.read_bytes()
    said = capsys.readouterr().out
    assert f"Wrote {again}" in said
    assert "Import" in said


def test_it_holds_what_an_import_needs_and_nothing_that_running_made(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    assert names == sorted(names)
    for needed in ("lessons/00_start_here.ipynb", "solutions/retail_job/job.json", "helpers/lab/opening.py",
                   "helpers/quiz/schema.json", "datasets/retail/transactions/2017-01-01.json", "LICENSE"):  # fmt: skip
        assert f"lakeprep/{needed}" in names
    strange = [name for name in names if "__pycache__" in name or "/." in name or not name.startswith("lakeprep/")]
    assert strange == []
    assert archive.stat().st_size < 10_000_000, "a workspace imports at most 10 MB at once"


@pytest.mark.parametrize("notebook", ["lessons/00_start_here", "solutions/retail_job/setup_environment"])
def test_unpacked_anywhere_the_setup_cell_finds_the_helpers(notebook: str, elsewhere: Path) -> None:
    file = elsewhere / f"{notebook}.ipynb"
    cells = ["".join(cell["source"]) for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]]
    search = next(cell for cell in cells if "sys.path.insert" in cell).partition("from helpers import")[0]
    code = f"{search}\nimport helpers\nprint(helpers.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=file.parent, capture_output=True, text=True)
    assert done.stdout.strip() == str(elsewhere / "helpers" / "__init__.py"), done.stderr


def test_a_notebook_says_what_to_install_and_is_otherwise_as_it_is_here(archive: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        notebook = json.loads(packed.read("lakeprep/lessons/00_start_here.ipynb"))
    environment = notebook["metadata"].pop(METADATA)["environmentMetadata"]
    assert environment["dependencies"] == list(PACKAGES)
    assert notebook == json.loads((ROOT / "lessons" / "00_start_here.ipynb").read_text(encoding="utf-8"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeployError, match=r"file/lakeprep.zip cannot be written: .*Name another file\."):
        write_archive(tmp_path / "file" / "lakeprep.zip", repository=ROOT)
