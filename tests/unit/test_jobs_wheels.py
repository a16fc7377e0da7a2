"""Wheel tasks, and wheels among the libraries of other tasks: what is said before a run, and what runs."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import check_definition, parse_job
from helpers.jobs.script_task import run_script
from helpers.jobs.specs import spec
from helpers.jobs.wheel_task import run_entry_point
from helpers.jobs.wheels import unpack
from helpers.jobs.work import Script, Wheel

CODE = """
import json, pathlib, sys
def main():
    pathlib.Path("told").write_text(json.dumps([sys.argv, pathlib.Path(__file__).with_name("words.txt").read_text()]))
def breaks():
    return 1 / 0
"""
POINTS = "[console_scripts]\nload = shop_pack.work:main\nfail = shop_pack.work:breaks\n"


def wheel(folder: Path, *, name: str = "Shop.Pack", needs: str = "", **more: str) -> Path:
    path = folder / "dist" / "shop_pack-1.0-py3-none-any.whl"
    path.parent.mkdir(exist_ok=True)
    files = {
        "shop_pack/__init__.py": "from shop_pack.work import main as direct\ndef inside(): pass\n",
        "shop_pack/work.py": CODE,
        "shop_pack/words.txt": "from the wheel",
        "shop_pack-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}",
        "shop_pack-1.0.dist-info/entry_points.txt": POINTS,
        **more,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def task(package: str = "shop-pack", entry_point: str = "load", **more: Any) -> dict[str, Any]:
    work = {"package_name": package, "entry_point": entry_point, **more}
    return {"task_key": "w", "python_wheel_task": work, "libraries": [{"whl": "dist/*.whl"}]}


def job(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "shop", "tasks": list(tasks), **more}


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch):
    """What running code changes of this process is put back."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.chdir(os.getcwd())


def test_a_wheel_task_becomes_its_work_and_its_keyword_arguments_take_the_jobs_parameters(tmp_path):
    made = wheel(tmp_path)
    listed, named = task(parameters=["{{job.run_id}}", "b"]), task(named_parameters={"day": "1", "n": "{{job.id}}"})
    built = parse_job(json.dumps(job(listed, named | {"task_key": "n"})), source=tmp_path / "job.json")
    first, second = (one.work for one in built.tasks)
    assert first == Wheel("shop-pack", "load", ("{{job.run_id}}", "b"), None, (made,))
    fill = {"{{job.run_id}}": "7", "{{job.id}}": "1"}
    pushed = {"day": "2017-01-01"}
    assert first.filled(lambda text: fill.get(text, text), pushed).command_line == ("7", "b")
    filled = second.filled(lambda text: fill.get(text, text), pushed)
    assert filled.command_line == ("--day=2017-01-01", "--n=1")
    told = spec(filled, tmp_path, commands={}, limits={})
    assert (told["arguments"], told["wheels"]) == (["--day=2017-01-01", "--n=1"], [str(made)])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ()),
        (task("shop_pack", "inside"), ()),
        (task(entry_point="direct"), ("a function direct()",)),
        (task("shop_pack", entry_point="direct"), ()),
        (
            task("shop_pack", "laod"),
            ("task 'w', python_wheel_task.entry_point: WrongValue: shop_pack has neither an entry point 'laod' (it has "
             "fail, load) nor a function laod(); did you mean 'load'?",),
        ),
        (
            task("shoppack"),
            ("task 'w', python_wheel_task.package_name: WrongValue: no wheel of this task has the package 'shoppack'; "
             "did you mean 'Shop.Pack'? (shop_pack-1.0-py3-none-any.whl has Shop.Pack)",),
        ),
        ({"libraries": [{"whl": "dist/gone.whl"}]}, ("whl: MissingFile: there is no wheel ",)),
        ({"libraries": [{"whl": "note.whl"}]}, ("whl: WrongValue: note.whl is no wheel: ",)),
        (
            {"libraries": []},
            ("python_wheel_task.package_name: MissingField: nothing brings the package 'shop-pack'; add its wheel",),
        ),
        (
            {"libraries": [{"whl": "dist/*.whl"}, {"pypi": {"package": "no-such"}}, {"pypi": {"package": "pytest<1"}},
                           {"pypi": {"package": "py test"}}, {"jar": "a.jar"}]},
            ("pypi: NotSupported: a run installs nothing, and it is not here: install no-such in this environment",
             "pypi: NotSupported: a run installs nothing, and here is ",
             "pypi: WrongValue: 'py test' is no package such as",
             "jar: NotSupported: a.jar is a library of kind jar, which is not supported here; install what the task"),
        ),
        (task(parameters=["a"], named_parameters={"a": "b"}), ("either parameters or named_parameters",)),
        (task(parameters=["{{tasks.x.values.y}}"]), ("BadReference: '{{tasks.x.values.y}}' names task 'x'",)),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_wheel_task_is_said_before_anything_runs(tmp_path, changed, said):
    wheel(tmp_path)
    (tmp_path / "note.whl").write_text("no zip")
    found = check_definition(job({**task(), **changed}), base_dir=tmp_path)
    assert len(found) == len(said)
    for one, part in zip(found, said, strict=True):
        assert part in one


def test_a_serverless_tasks_wheel_is_in_its_environment(tmp_path):
    made = wheel(tmp_path)
    serverless = {key: item for key, item in task().items() if key != "libraries"} | {"environment_key": "e"}
    lines = ["pandas>=2", "/Volumes/main/shop/x.whl", "./dist/*.whl"]
    environments = [{"environment_key": "other", "spec": {"environment_version": "4"}},
                    {"environment_key": "e", "spec": {"environment_version": "4", "dependencies": lines}}]  # fmt: skip
    text = json.dumps(job(serverless, environments=environments))
    (built,) = parse_job(text, source=tmp_path / "job.json").tasks
    assert built.work.wheels == (made,)
    made.unlink()
    (missing,) = check_definition(json.loads(text), base_dir=tmp_path)
    assert missing.startswith("environment 'e', spec.dependencies './dist/*.whl': MissingFile: there is no wheel ")


def test_an_installed_package_needs_no_library_and_its_library_is_used_as_it_is(tmp_path):
    installed = {**task("pytest", "py.test"), "libraries": []}
    assert check_definition(job(installed), base_dir=tmp_path) == ()
    named = {**installed, "libraries": [{"pypi": {"package": "pytest>=8"}}]}
    (ignored,) = parse_job(json.dumps(job(named)), source=tmp_path / "job.json").ignored
    assert (ignored.path, ignored.why) == (
        "pypi libraries of w", "a run installs nothing: they are used as they are here"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ({"shop_pack/fast.cpython-311-x86_64-linux-gnu.so": ""}, "has compiled parts, such as shop_pack/fast.cpython"),
        ({"needs": "Requires-Dist: pandas>=1\nRequires-Dist: no-such (>2)\nRequires-Dist: gone; extra == 'x'\n"},
         "needs no-such, which is not here; install it in this environment"),
        ({"shop_pack-1.0.dist-info/METADATA": ""}, "it has no .dist-info/METADATA with a Name"),
    ],
)  # fmt: skip
def test_a_wheel_that_must_be_installed_is_refused(tmp_path, inside, said):
    wheel(tmp_path, **inside)
    found = check_definition(job(task()), base_dir=tmp_path)
    assert len(found) == 1
    assert said in found[0]


def test_a_wheel_is_for_python_tasks_only(tmp_path):
    wheel(tmp_path)
    (tmp_path / "a.sql").write_text("SELECT 1")
    sql = {"task_key": "s", "sql_task": {"warehouse_id": "w", "file": {"path": "a.sql"}}}
    (found,) = check_definition(job({**sql, "libraries": task()["libraries"]}), base_dir=tmp_path)
    said = "NotSupported: a wheel is for a notebook_task, a spark_python_task or a python_wheel_task; leave it out"
    assert found.endswith(said)


def run(folder: Path, *, entry_point: str = "load", package: str = "shop-pack") -> dict[str, Any]:
    (folder / "run").mkdir(exist_ok=True)
    told = {"package": package, "entry_point": entry_point, "arguments": ["--day=1"],
            "wheels": [str(folder / "dist" / "shop_pack-1.0-py3-none-any.whl")]}  # fmt: skip
    return run_entry_point(told, folder=folder / "run")


def test_an_entry_point_runs_from_the_wheel_in_the_attempts_folder(tmp_path, process):
    wheel(tmp_path)
    assert run(tmp_path) == {"error": None, "error_trace": None}
    assert json.loads((tmp_path / "run" / "told").read_text()) == [["shop-pack", "--day=1"], "from the wheel"]


def test_without_an_entry_point_of_the_name_the_packages_function_runs(tmp_path, process):
    wheel(tmp_path)
    assert run(tmp_path, entry_point="direct", package="shop_pack")["error"] is None
    assert (tmp_path / "run" / "told").exists()


def test_an_entry_point_that_fails_says_which_error_in_which_line_of_the_wheel(tmp_path, process):
    wheel(tmp_path)
    ran = run(tmp_path, entry_point="fail")
    assert ran["error"] == "ZeroDivisionError: division by zero (line 6 of shop_pack/work.py)"
    assert ran["error_trace"].endswith("ZeroDivisionError: division by zero")


def test_a_script_imports_from_its_tasks_wheel(tmp_path, process):
    made = wheel(tmp_path, **{"shop_pack-1.0.data/purelib/shop_more.py": "word = 'more'"})
    (tmp_path / "load.py").write_text("import shop_more, shop_pack.work, pathlib\n"
                                      "pathlib.Path('said').write_text(shop_more.word)")  # fmt: skip
    script = {"task_key": "s", "spark_python_task": {"python_file": "load.py"}, "libraries": task()["libraries"]}
    (built,) = parse_job(json.dumps(job(script)), source=tmp_path / "job.json").tasks
    assert built.work == Script(tmp_path / "load.py", (), (made,))
    told = spec(built.work, tmp_path, commands={}, limits={})
    sys.path[:0] = unpack(told["wheels"], tmp_path / "run")
    assert run_script(built.work.path, [])["error"] is None
    assert (tmp_path / "said").read_text() == "more"
