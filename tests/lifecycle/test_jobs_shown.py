"""A run that goes on shows itself in a real notebook: the outputs of a cell that has ended follow it to its end."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.runtime import REPO_ROOT

WAIT = "import sys, time, pathlib\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.05)\n"
START = """
import threading, time
from pathlib import Path
from helpers.jobs import run_job
from helpers.runtime import Places
task = {"task_key": "wait", "spark_python_task": {"python_file": "wait.py", "parameters": [str(Path("go").resolve())]}}
seen = threading.Event()
runs = []
def watch(run, event):
    runs[:] = [run]
    if event["type"] == "task_started":
        seen.set()
places = Places(Path("home").resolve())
known = {"places": places, "base_dir": Path.cwd(), "on_event": watch}
thread = threading.Thread(target=run_job, args=({"name": "waits", "tasks": [task]},), kwargs=known)
thread.start()
assert seen.wait(120)
"""
DISPLAY = """
print(runs[-1].state.word)
display(runs[-1])
"""
END = """
Path("go").touch()
thread.join()
while any(one.name.endswith("(_follow)") for one in threading.enumerate()):
    time.sleep(0.05)
"""


def test_the_outputs_of_a_run_that_was_displayed_while_it_ran_end_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPO_ROOT))  # of the kernel
    (tmp_path / "wait.py").write_text(WAIT)
    cells = [nbformat.v4.new_code_cell(text) for text in (START, DISPLAY, END)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
    before, *shown = [one.get("text") or one["data"]["text/plain"] for one in cells[1].outputs]
    assert before == "RUNNING\n"
    table, timeline, graph = shown
    assert table.splitlines()[0].endswith("· SUCCESS")
    assert timeline.startswith("waits: SUCCESS after ")
    assert graph.startswith("waits, run SUCCESS: 1 task (1 SUCCESS)")
    assert all("application/vnd.plotly.v1+json" in one["data"] for one in cells[1].outputs[2:])
    assert not cells[2].outputs
