"""The wheels that a job's tasks and environments bring, and the package that a wheel task runs."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from helpers.jobs.errors import MissingField, MissingFile, Mistake, NotSupported, WrongValue
from helpers.jobs.files import is_file
from helpers.jobs.schema import nearest
from helpers.jobs.walk import every_task
from helpers.jobs.wheels import Package, WheelError, installed, may_have_function, missing, read_wheel, same_package

_WITH_WHEELS = ("notebook_task", "spark_python_task", "python_wheel_task")
_INSTALL = "install what the task needs in this environment and leave it out"


def wheel_files(task: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """The wheels of a task's libraries and of its environment; paths are relative to the folder, `*` is filled in."""
    if not any(field in task for field in _WITH_WHEELS):
        return ()
    named = [library["whl"] for library in task.get("libraries", ()) if "whl" in library]
    for environment in settings.get("environments", ()):
        if "environment_key" in task and environment.get("environment_key") == task["environment_key"]:
            named += [wheel for wheel, _ in _dependencies(environment)]
    return tuple(file for wheel in named for file in _files(folder, wheel))


def mistakes(settings: Mapping[str, Any], folder: Path) -> Iterator[Mistake]:
    """What is wrong with the libraries of tasks, the wheels of environments, and the packages of wheel tasks."""
    for index, environment in enumerate(settings.get("environments", ())):
        for wheel, place in _dependencies(environment):
            yield from _wheel(wheel, f"environments[{index}].spec.dependencies[{place}]", folder)
    for task, path in every_task(settings):
        for index, library in enumerate(task.get("libraries", ())):
            yield from _library(task, library, f"{path}.libraries[{index}]", folder)
        found = _readable(wheel_files(task, settings, folder))
        for package, name in missing(found or ()):
            said = f"{package.path.name} needs {name}, which is not here; install it in this environment"
            yield WrongValue(said, path=path)
        if "python_wheel_task" in task:
            yield from _work(task["python_wheel_task"], f"{path}.python_wheel_task", found)


def _dependencies(environment: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The wheels among an environment's dependencies, each with its place; the others are lines for pip."""
    for place, line in enumerate(environment.get("spec", {}).get("dependencies", ())):
        if line.endswith(".whl") and not line.startswith("/") and "://" not in line:
            yield line, place


def _files(folder: Path, wheel: str) -> list[Path]:
    found = sorted(glob.glob(str(folder / wheel))) if glob.has_magic(wheel) else ()
    return [Path(name) for name in found] or [folder / wheel]


def _library(task: Mapping[str, Any], library: Mapping[str, Any], path: str, folder: Path) -> Iterator[Mistake]:
    for kind in library:
        if kind == "pypi":
            yield from _pypi(library[kind].get("package", ""), f"{path}.pypi")
        elif kind != "whl":
            named = library[kind] if isinstance(library[kind], str) else json.dumps(library[kind])
            said = f"{named} is a library of kind {kind}, which is not supported here; {_INSTALL}"
            yield NotSupported(said, path=f"{path}.{kind}")
        elif not any(field in task for field in _WITH_WHEELS):
            said = f"a wheel is for a {_WITH_WHEELS[0]}, a {_WITH_WHEELS[1]} or a {_WITH_WHEELS[2]}; leave it out"
            yield NotSupported(said, path=f"{path}.whl")
        else:
            yield from _wheel(library["whl"], f"{path}.whl", folder)


def _pypi(package: str, path: str) -> Iterator[Mistake]:
    """A package from an index is used as it is installed here; a run installs nothing."""
    try:
        wanted = Requirement(package)
    except InvalidRequirement:
        yield WrongValue(f"'{package}' is no package such as 'plotly==7.1.0'", path=path)
        return
    found = installed(wanted.name)
    if found is None or not wanted.specifier.contains(found.version, prereleases=True):
        here = f"here is {found.version}" if found else "it is not here"
        said = f"a run installs nothing, and {here}: install {package} in this environment, or leave it out"
        yield NotSupported(said, path=path)


def _wheel(wheel: str, path: str, folder: Path) -> Iterator[Mistake]:
    files = [file for file in _files(folder, wheel) if is_file(file)]
    if not files:
        yield MissingFile(f"there is no wheel {folder / wheel}; paths are relative to the definition", path=path)
    for file in files:
        try:
            read_wheel(file)
        except WheelError as error:
            yield WrongValue(str(error), path=path)


def _readable(files: Sequence[Path]) -> list[Package] | None:
    """What the wheels say of themselves; None when one is said to be missing or broken already."""
    try:
        return [read_wheel(file) for file in files]
    except WheelError:
        return None


def _work(work: Mapping[str, Any], path: str, packages: Sequence[Package] | None) -> Iterator[Mistake]:
    """What is wrong with a wheel task."""
    if "parameters" in work and "named_parameters" in work:
        yield WrongValue("a wheel task has either parameters or named_parameters", path=path)
    name, entry_point = work.get("package_name"), work.get("entry_point")
    if name is None or entry_point is None or packages is None:
        return
    brought = next((package for package in packages if same_package(package.name, name)), None)
    found = brought or installed(name)
    if found is None:
        yield _no_package(name, f"{path}.package_name", packages)
    elif entry_point not in found.entry_points and not _is_function(brought, name, entry_point):
        has = ", ".join(found.entry_points) or "none"
        said = f"{name} has neither an entry point '{entry_point}' (it has {has}) nor a function {entry_point}()"
        yield WrongValue(said + nearest(entry_point, found.entry_points), path=f"{path}.entry_point")


def _no_package(name: str, path: str, packages: Sequence[Package]) -> Mistake:
    if packages:
        has = ", ".join(f"{package.path.name} has {package.name}" for package in packages)
        said = f"no wheel of this task has the package '{name}'{nearest(name, [one.name for one in packages])}"
        return WrongValue(f"{said} ({has})", path=path)
    said = f"nothing brings the package '{name}'; add its wheel to the task's libraries"
    return MissingField(said + ', such as {"whl": "dist/…-py3-none-any.whl"}', path=path)


def _is_function(brought: Package | None, name: str, entry_point: str) -> bool:
    """An installed package is asked only when the task runs: looking into it could run its code."""
    return brought is None or may_have_function(brought, name, entry_point)
