"""A job whose notebooks run other notebooks, read a secret and import from a wheel; no Spark."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import nbformat
import psutil

from helpers.jobs import load_job, run_job
from helpers.runtime.places import Places

SECRET = "s3cr3t <value>"
CALLED = """
def called(name, seconds, arguments={}):
    try:
        return dbutils.notebook.run(name, seconds, arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""
CALLS = """
with ThreadPoolExecutor() as pool:
    names = ["../below/child", "../below/fails", "../below/slow", "gone"]
    ended = list(pool.map(called, names, [0, 0, 1, 0], [{"day": "2017-01-02"}, {}, {}, {}]))
"""
#: Ends in the middle of a cell, once the notebook that it runs has begun.
DIES = """
import os, pathlib, signal, threading, time
threading.Thread(target=dbutils.notebook.run, args=("slow", 0, {"pid": "pid"})).start()
while not (pid := pathlib.Path("pid")).exists() or not pid.read_text():
    time.sleep(0.1)
os.kill(os.getpid(), signal.SIGKILL)
"""
SLOW = """
import os, time, pathlib
dbutils.widgets.text("pid", "")
if name := dbutils.widgets.get("pid"):
    pathlib.Path(name).write_text(str(os.getpid()))
time.sleep(600)
"""
NOTEBOOKS = {
    "above/parent": [
        "import json, greeter\nfrom concurrent.futures import ThreadPoolExecutor",
        "token = dbutils.secrets.get('shop', 'token')\nprint('token', token)\ntoken",
        CALLED,
        CALLS,
        "dbutils.notebook.exit(json.dumps([*ended, greeter.word, token]))",
    ],
    "below/child": ["dbutils.notebook.exit(dbutils.widgets.get('day') + ' ' + __import__('greeter').word)"],
    "below/fails": ["raise ValueError('no access with ' + dbutils.secrets.get('shop', 'token'))"],
    "below/slow": [SLOW],
    "below/dies": [DIES],
}


def has_ended(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(timeout=30)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_notebook_runs_others_which_end_with_it_and_no_file_of_the_run_shows_its_secret(tmp_path: Path) -> None:
    for name, cells in NOTEBOOKS.items():
        path = tmp_path / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    with zipfile.ZipFile(tmp_path / "greeter-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greeter.py", "import sys\nword = 'hello'\n\ndef main():\n    print('ran', sys.argv)\n")
        wheel.writestr("greeter-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeter\nVersion: 1\n")
    libraries = {"libraries": [{"whl": "greeter-1-py3-none-any.whl"}]}
    greets = {"package_name": "greeter", "entry_point": "main", "named_parameters": {"to": "{{job.parameters.day}}"}}
    tasks = [
        {"task_key": "parent", "notebook_task": {"notebook_path": "above/parent"}, **libraries},
        {"task_key": "dies", "notebook_task": {"notebook_path": "below/dies"}},
        {"task_key": "greets", "python_wheel_task": greets, **libraries},
    ]
    parameters = [{"name": "day", "default": "today"}]
    (tmp_path / "job.json").write_text(json.dumps({"name": "calls", "tasks": tasks, "parameters": parameters}))

    environment = {**os.environ, "LAKEPREP_SECRET_SHOP_TOKEN": SECRET}
    run = run_job(load_job(tmp_path / "job.json"), places=Places(tmp_path / "home"), environment=environment)

    ended, died = run.task("parent"), run.task("dies")
    assert ended.error is None
    assert str(died.error).startswith("KernelDied: the process of dies.ipynb ended in the middle of a cell")
    log = Path(str(run.folder)) / str(run.task("greets").folder) / "log.txt"
    assert log.read_text() == "ran ['greeter', '--to=today', '--day=today']\n"
    assert has_ended(int((tmp_path / "below" / "pid").read_text()))
    child, failed, late, gone, word, token = json.loads(str(ended.exit_value))
    assert child == "2017-01-02 hello"
    assert failed == (
        "NotebookExecutionException: FAILED: ValueError: no access with [REDACTED] (cell 1 of fails.ipynb)"
    )
    assert late == "NotebookExecutionException: TIMEDOUT: slow.ipynb took longer than 1 s"
    assert gone.startswith('NotebookExecutionException: Unable to access the notebook "gone": there is no ')
    assert (word, token) == ("hello", "[REDACTED]")
    folder = Path(str(run.folder)) / str(ended.folder)
    kept = sorted(path.name for path in folder.glob("notebook_runs/*/*.ipynb"))
    assert kept[:2] == ["child.ipynb", "fails.ipynb"]
    shown = nbformat.read(folder / "parent.ipynb", as_version=4).cells[1].outputs
    assert [one.get("text") or one.data["text/plain"] for one in shown] == ["token [REDACTED]\n", "'[REDACTED]'"]
    told = [path.name for path in Path(str(run.folder)).rglob("*") if path.is_file() and b"s3cr3t" in path.read_bytes()]
    assert told == []
