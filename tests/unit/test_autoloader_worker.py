"""The guard inside a Spark worker that does not have this package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pyspark import cloudpickle

from helpers.autoloader.csv_files import Dialect
from helpers.autoloader.csv_guard import csv_guard
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.guard import json_guard
from helpers.autoloader.json_types import field, struct
from helpers.autoloader.sources import travels_with_queries

_WORKER = """
import pickle, sys
import pyarrow as pa
guard = pickle.loads(open(sys.argv[1], "rb").read())
path, *rest = pickle.loads(open(sys.argv[2], "rb").read())
types = [pa.string(), pa.int64(), *[pa.string()] * 9]
columns = [pa.array([value], type_) for value, type_ in zip([path, *rest], types)]
try:
    print(list(guard(iter([tuple(columns)]))))
except Exception as error:
    print(type(error).__name__, error)
assert not any(name.startswith("helpers") for name in sys.modules)
"""


@pytest.mark.parametrize("format", ["json", "csv"])
def test_the_guard_works_where_the_package_is_not_installed(tmp_path: Path, format: str) -> None:
    landed = tmp_path / f"a.{format}"
    landed.write_text({"json": '{"id": 1, "new": 2}\n', "csv": "id,new\n1,2\n"}[format])
    evolution = Evolution(struct([field("id", "long")]), "addNewColumns", str(tmp_path / "state"))
    rest = {"json": [0, landed.stat().st_size, None, None], "csv": [0, None, "1", "2"]}[format]
    guard = json_guard(evolution) if format == "json" else csv_guard(evolution, Dialect(), 2)
    travels_with_queries()
    (tmp_path / "guard").write_bytes(cloudpickle.dumps(guard))
    (tmp_path / "row").write_bytes(cloudpickle.dumps([landed.as_uri(), *rest]))
    worker = _WORKER if format == "csv" else _WORKER.replace("*[pa.string()] * 9", "pa.int64(), *[pa.string()] * 2")
    done = subprocess.run([sys.executable, "-c", worker, tmp_path / "guard", tmp_path / "row"], cwd=tmp_path,
                          capture_output=True, text=True, check=False, env={"PATH": ""})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("UnknownFields [UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_RECORD_WITH_FILE_PATH]")
    assert "`new`" in done.stdout
    assert [path.name for path in (tmp_path / "state" / "_schemas").iterdir()] == ["0"]
