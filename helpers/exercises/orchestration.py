"""What the lessons on jobs look at: definitions as learners write them, and runs; each finding is a sentence.

A definition may be wrong in any way, so nothing here trusts its shape: tasks are found by their key, never by place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from helpers.checks import Verdict

PIPELINE = "${{resources.pipelines.{name}.id}}"


# Definitions


def definition_problems(lab: Any, job: str, answer: Any, *, name: str) -> list[str]:
    """Everything for which the Jobs API would refuse the definition, or a file that it names is missing."""
    if not isinstance(answer, Mapping):
        return [f"`{name}` is a {type(answer).__name__}, expected a dictionary: the definition of a job."]
    return list(lab.job(job).problems(answer))


def tasks(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The tasks of a definition by their key; what is no task or has no key is left out."""
    found = definition.get("tasks")
    found = found if isinstance(found, Sequence) else ()
    return {str(each["task_key"]): each for each in found if isinstance(each, Mapping) and "task_key" in each}


def task_problems(definition: Mapping[str, Any], wanted: Sequence[str]) -> list[str]:
    """Tasks that are missing, and tasks that nobody asked for."""
    found = tasks(definition)
    problems = [f"The job has no task `{key}`.{_near(key, [each for each in found if each not in wanted])}"
                for key in wanted if key not in found]
    return problems + [f"The job has a task `{key}`, which the exercise does not ask for."
                       for key in found if key not in wanted]


def kind(task: Mapping[str, Any]) -> str:
    """The kind of a task, such as notebook_task; empty when it has none."""
    return next((str(field) for field in task if str(field).endswith("_task")), "")


def kind_problems(definition: Mapping[str, Any], wanted: Mapping[str, str]) -> list[str]:
    """Tasks whose kind of work is another one; a missing task is left to :func:`task_problems`."""
    found = tasks(definition)
    return [f"Task `{key}` is a {kind(found[key]) or 'task without work'}, expected a {expected}."
            for key, expected in wanted.items() if key in found and kind(found[key]) != expected]


def upstream(task: Mapping[str, Any]) -> list[str]:
    """The keys that a task depends on."""
    entries = task.get("depends_on") or ()
    entries = entries if isinstance(entries, Sequence) else ()
    return [str(each["task_key"]) for each in entries if isinstance(each, Mapping) and "task_key" in each]


def dependency_problems(definition: Mapping[str, Any], wanted: Mapping[str, Sequence[str]]) -> list[str]:
    """Tasks that wait for others than they should; one that comes earlier anyway may be named too."""
    found, problems = tasks(definition), []
    for key, expected in wanted.items():
        if key not in found:
            continue
        told = upstream(found[key])
        problems += [f"`{key}` does not wait for `{each}`: both could run at the same time."
                     for each in expected if each not in told]
        earlier = _earlier(key, wanted)
        problems += [f"`{key}` waits for `{each}`, which is not before it." for each in told
                     if each in found and each not in earlier]
    return problems


def _earlier(key: str, wanted: Mapping[str, Sequence[str]]) -> set[str]:
    """Every task that ends before this one, if tasks depend on each other as wanted."""
    direct = wanted.get(key, ())
    return {*direct, *(above for each in direct for above in _earlier(each, wanted))}


def pipeline_problems(definition: Mapping[str, Any], key: str, *, pipeline: str, tables: Sequence[str]) -> list[str]:
    """Whether a pipeline task names its pipeline, and selects just these tables."""
    work = _work(definition, key, "pipeline_task")
    if work is None:
        return []
    problems = []
    wanted = PIPELINE.format(name=pipeline)
    if work.get("pipeline_id") != wanted:
        problems.append(f"`{key}` starts the pipeline {work.get('pipeline_id')!r}, expected {wanted!r}.")
    chosen = work.get("refresh_selection") or ()
    chosen = [chosen] if isinstance(chosen, str) else list(chosen)
    if not chosen:
        return [*problems, f"`{key}` has no refresh_selection, so it updates every table of the pipeline."]
    problems += [f"`{key}` does not refresh `{each}`.{_near(each, chosen)}" for each in tables if each not in chosen]
    return problems + [f"`{key}` refreshes `{each}`, which is not its layer's." for each in chosen
                       if each not in tables]


def notebook_problems(definition: Mapping[str, Any], key: str, notebook: str) -> list[str]:
    """Whether a notebook task runs this notebook; its ending may be left out."""
    work = _work(definition, key, "notebook_task")
    if work is None or str(work.get("notebook_path")).removesuffix(".ipynb") == notebook.removesuffix(".ipynb"):
        return []
    return [f"`{key}` runs the notebook {work.get('notebook_path')!r}, expected {notebook!r}."]


def base_parameters(definition: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The parameters that only this notebook task gets."""
    found = (_work(definition, key, "notebook_task") or {}).get("base_parameters")
    return found if isinstance(found, Mapping) else {}


def parameters(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The job parameters and their defaults."""
    found = definition.get("parameters")
    found = found if isinstance(found, Sequence) else ()
    return {str(each["name"]): each.get("default") for each in found if isinstance(each, Mapping) and "name" in each}


def parameter_problems(definition: Mapping[str, Any], wanted: Mapping[str, str]) -> list[str]:
    """Job parameters that are missing, or have another default."""
    found = parameters(definition)
    problems = [f"The job has no parameter `{name}`.{_near(name, list(found))}" for name in wanted if name not in found]
    return problems + [f"The parameter `{name}` has the default {found[name]!r}, expected {default!r}."
                       for name, default in wanted.items() if name in found and found[name] != default]


def _work(definition: Mapping[str, Any], key: str, field: str) -> Mapping[str, Any] | None:
    work = tasks(definition).get(key, {}).get(field)
    return work if isinstance(work, Mapping) else None


def _near(name: str, names: Sequence[Any]) -> str:
    found = get_close_matches(name, [str(each) for each in names], n=1)
    return f" Did you mean it by `{found[0]}`?" if found else ""


# Runs


def not_here(*answers: Any) -> Verdict | None:
    """A verdict where one of the answers stands for a run that cannot be in this notebook."""
    for each in answers:
        if getattr(type(each), "not_run_here", False) is True:
            return Verdict("not attempted", f"This cannot be judged here. {each}")
    return None


def not_a_run(answer: Any, *, name: str) -> list[str]:
    """Whether the answer is a run: what `job.run` and `job.repair` give back."""
    if hasattr(type(answer), "latest") and hasattr(answer, "repair_history"):
        return []
    return [f"`{name}` is a {type(answer).__name__}, expected a run: what `job.run(…)` or `job.repair(…)` gives back."]


def results(run: Any) -> dict[str, str]:
    """The last state of each task, by key."""
    return {task.task_key: task.state.word for task in run.latest()}


def result_problems(run: Any, wanted: Mapping[str, str]) -> list[str]:
    """Tasks that did not end in the wanted state; a task's own error is told."""
    found = results(run)
    problems = [f"The run has no task `{key}`. Which definition did you run?" for key in wanted if key not in found]
    for key, state in wanted.items():
        if key in found and found[key] != state:
            error = run.task(key).error
            problems.append(f"Task `{key}` is {found[key]}, expected {state}." + (f" {error}" if error else ""))
    return problems


def attempts(run: Any, key: str) -> int:
    """How often a task was started in this run, retries and repairs included."""
    return sum(task.task_key == key and task.start_time is not None for task in run.tasks)


def repaired_tasks(run: Any) -> set[str]:
    """The keys of the tasks that ran in a repair of this run."""
    ids = {each for item in run.repair_history if item.type == "REPAIR" for each in item.task_run_ids}
    return {task.task_key for task in run.tasks if task.run_id in ids}


def names_problems(answer: Any, wanted: set[str], *, name: str, more: str, fewer: str) -> list[str]:
    """Compare a list of task keys with the wanted ones, in any order; ``more`` and ``fewer`` follow what differs."""
    if isinstance(answer, str) or not isinstance(answer, (Sequence, set, frozenset)):
        return [f"`{name}` is a {type(answer).__name__}, expected a list of task names."]
    found = {str(each) for each in answer}
    problems = [f"`{key}` should not be in `{name}`: {more}" for key in sorted(found - wanted)]
    missing = len(wanted - found)
    return problems + ([f"`{name}` lacks {missing} of {len(wanted)} tasks: {fewer}"] if missing else [])


# In a workspace


def upload(client: Any, source: Path, target: str) -> str:
    """Copy a job's files into a folder of the workspace, and give that folder; notebooks lose their ending there."""
    from databricks.sdk.service.workspace import ImportFormat

    for path in sorted(each for each in source.rglob("*") if each.is_file()):
        place = f"{target}/{path.relative_to(source).as_posix()}"
        client.workspace.mkdirs(place.rpartition("/")[0])
        client.workspace.upload(place, path.read_bytes(), format=ImportFormat.AUTO, overwrite=True)
    return target


def in_workspace(definition: Mapping[str, Any], folder: str, *, pipelines: Mapping[str, str]) -> dict[str, Any]:
    """The definition as a workspace takes it: absolute notebook paths, and the ids of pipelines by name."""
    text = json.dumps(definition)
    for name, number in pipelines.items():
        text = text.replace(PIPELINE.format(name=name), number)
    made: dict[str, Any] = json.loads(text)
    for task in made["tasks"]:
        if "notebook_task" in task:
            path = task["notebook_task"]["notebook_path"].removesuffix(".ipynb")
            task["notebook_task"]["notebook_path"] = f"{folder}/{path}"
    return made


def pipeline_in_workspace(settings: Mapping[str, Any], folder: str) -> Any:
    """A pipeline's settings as the SDK's ``PipelineSpec``, with the absolute paths of its files."""
    from databricks.sdk.service.pipelines import PipelineSpec

    globs = [{"glob": {"include": f"{folder}/{each['glob']['include']}"}} for each in settings["libraries"]]
    return PipelineSpec.from_dict({**settings, "root_path": folder, "libraries": globs})
