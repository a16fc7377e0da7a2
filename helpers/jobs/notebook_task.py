"""`python -m helpers.jobs.notebook_task SPEC.json`: run one notebook under papermill as one attempt of a task.

The spec has the paths `notebook`, `output` (the executed notebook), `wheels`, `result` and `progress`. Exit code 0
means that the notebook ran to its end or called `dbutils.notebook.exit`; otherwise the result says why not.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from helpers.jobs.context import write_json
from helpers.jobs.redaction import Redaction
from helpers.jobs.sentences import ESCAPES, TRACE_LINES, sentence
from helpers.jobs.source_notebook import as_notebook
from helpers.jobs.wheels import unpack
from helpers.notebooks import import_nbformat

_KERNEL = "lakeprep-task"
#: `dbutils` and `spark` are there without an import, as on Databricks, and the kernel ends with this process.
_FIRST_LINES = [
    "import os as _os",
    "from helpers.jobs.lifeline import follow_parent as _follow",
    "_follow(int(_os.environ['JPY_PARENT_PID']))",
    "from helpers.jobs.ambient import provide as _provide",
    "_provide(get_ipython())",
    "del _os, _follow, _provide",
]
_BANNER = "papermill-error-cell-tag"


def main(spec_file: Path) -> int:
    """Run the notebook that the spec names; gives the exit code."""
    spec = json.loads(spec_file.read_text(encoding="utf-8"))
    redaction = Redaction.of(os.environ)
    redaction.guard_output()
    # After the course's own folder, so that a wheel cannot take the place of what the kernel itself imports.
    wheels = [os.environ.get("PYTHONPATH", ""), *unpack(spec.get("wheels", ()), spec_file.parent)]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, wheels))
    result = redaction.deep(run_notebook(spec, workspace=spec_file.parent, redaction=redaction))
    write_json(Path(spec["result"]), {"version": 1, **result})
    return 1 if result["error"] else 0


def run_notebook(spec: Mapping[str, str], *, workspace: Path, redaction: Redaction) -> dict[str, Any]:
    """Run it and give `error` (one sentence, or None) and `error_trace` (its last lines)."""
    nbformat = import_nbformat()
    import papermill
    from nbclient.exceptions import DeadKernelError
    from nbformat.reader import NotJSONError

    from helpers.jobs.redacting_engine import engine_for

    _install_kernel(workspace)
    notebook, output = Path(spec["notebook"]), Path(spec["output"])
    try:
        papermill.execute_notebook(
            str(notebook) if notebook.suffix == ".ipynb" else as_notebook(notebook),
            str(output),
            engine_name=engine_for(redaction),
            kernel_name=_KERNEL,
            language="python",
            cwd=str(notebook.parent),
            progress_bar=False,
            on_cell_start=_reporter(Path(spec["progress"]), notebook.name),
        )
    except papermill.PapermillExecutionError as error:
        if error.ename == "NotebookExit":
            _tidy_exit(output)
            return {"error": None, "error_trace": None}
        return _failure(error, notebook)
    except DeadKernelError:
        said = f"KernelDied: the process of {notebook.name} ended in the middle of a cell; was there memory enough?"
        return {"error": said, "error_trace": None}
    except (NotJSONError, nbformat.ValidationError) as error:
        said = sentence("NotebookNotReadable", f"{notebook.name} is not a notebook: {error}")
        return {"error": said, "error_trace": None}
    except Exception as error:  # whatever else stops a notebook must reach the record as a sentence
        return {"error": sentence(type(error).__name__, str(error)), "error_trace": None}
    return {"error": None, "error_trace": None}


def _failure(error: Any, notebook: Path) -> dict[str, Any]:
    trace = ESCAPES.sub("", "\n".join(error.traceback)).strip().splitlines()
    said = sentence(error.ename, error.evalue)
    where = f"(cell {error.cell_index + 1} of {notebook.name})"
    return {"error": f"{said} {where}", "error_trace": "\n".join(trace[-TRACE_LINES:]) or None}


def _install_kernel(workspace: Path) -> None:
    """Name a kernel that is this very interpreter, ahead of whatever kernels the machine has."""
    folder = workspace / "jupyter" / "kernels" / _KERNEL
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]
    argv += [f"--IPKernelApp.exec_lines={line}" for line in _FIRST_LINES]
    write_json(folder / "kernel.json", {"argv": argv, "display_name": "Lakeprep task", "language": "python"})
    os.environ["JUPYTER_PATH"] = os.pathsep.join(
        filter(None, [str(workspace / "jupyter"), os.environ.get("JUPYTER_PATH", "")])
    )


def _reporter(progress: Path, name: str) -> Callable[..., None]:
    def report(cell: Any, cell_index: int) -> None:
        if cell.cell_type == "code":
            line = json.dumps({"version": 1, "message": f"{name}: cell {cell_index + 1}"})
            with progress.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    return report


def _tidy_exit(output: Path) -> None:
    """Show an exit in the kept notebook as Databricks does, not as papermill's error."""
    nbformat = import_nbformat()
    notebook = nbformat.read(output, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if _BANNER not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        for place, shown in enumerate(cell.get("outputs", [])):
            if shown.get("ename") == "NotebookExit":
                text = f"Notebook exited: {shown['evalue']}\n"
                cell.outputs[place] = nbformat.v4.new_output("stream", name="stdout", text=text)
                cell.metadata.get("papermill", {}).update(exception=False, status="completed")
    nbformat.write(notebook, output)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
