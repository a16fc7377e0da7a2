"""Wheels that a task brings: read, checked, and unpacked into the attempt's folder; nothing is installed."""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from helpers.jobs.errors import JobError

_COMPILED = frozenset({".so", ".pyd", ".dylib", ".dll"})
_FOLDER = "wheels"


class WheelError(JobError):
    """A file that is no wheel, or one that must be installed to work."""


@dataclass(frozen=True)
class Package:
    """What a wheel, or an installed package, says about itself; `entry_points` are of every group, by name.

    `needs` are the packages without which it does not work, except those that depend on the machine.
    """

    path: Path
    name: str
    version: str
    entry_points: Mapping[str, str]
    needs: tuple[str, ...]


def read_wheel(path: Path) -> Package:
    """Read a wheel's metadata; WheelError for a broken one and for one with compiled parts."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise WheelError(f"{path.name} is no wheel: {error}") from None
    compiled = [name for name in names if PurePosixPath(name).suffix in _COMPILED]
    if compiled:
        said = "install it in this environment, and leave the library out"
        raise WheelError(f"{path.name} has compiled parts, such as {compiled[0]}; {said}")
    info = next((parts[0] for name in names if (parts := name.split("/"))[0].endswith(".dist-info")), None)
    found = metadata.PathDistribution(zipfile.Path(path, f"{info}/")) if info else None
    named = found.metadata["Name"] if found else None
    if found is None or not named:
        raise WheelError(f"{path.name} is no wheel: it has no .dist-info/METADATA with a Name")
    return Package(path, named, found.version, _by_name(found), tuple(_needs(found)))


def unpack(wheels: Iterable[str], folder: Path) -> list[str]:
    """Unpack wheels under the attempt's folder and give what belongs on `sys.path`.

    Unpacked, as files beside a module are read by its `__file__`.
    """
    paths: list[str] = []
    for wheel in map(Path, wheels):
        target = folder / _FOLDER / wheel.stem
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
        paths += [str(target), *map(str, sorted(target.glob("*.data/purelib")))]
    return paths


def installed(name: str) -> Package | None:
    """The package of this name that is installed here."""
    try:
        found = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):  # ValueError: an empty name
        return None
    return Package(Path(), found.metadata["Name"], found.version, _by_name(found), ())


def same_package(one: str, other: str) -> bool:
    """Whether two names are of one package: case, `-`, `_` and `.` make no difference."""
    return _normal(one) == _normal(other)


def missing(packages: Sequence[Package]) -> list[tuple[Package, str]]:
    """What the packages need and neither bring nor find here."""
    brought = {_normal(package.name) for package in packages}
    pairs = [(package, name) for package in packages for name in package.needs]
    return [(package, name) for package, name in pairs if _normal(name) not in brought and installed(name) is None]


def may_have_function(wheel: Package, module: str, function: str) -> bool:
    """Whether `module.function()` may be in a wheel, from the module's text alone; nothing is imported."""
    with zipfile.ZipFile(wheel.path) as archive:
        names = archive.namelist()
        files = [name for name in (f"{module}/__init__.py", f"{module}.py") if name in names]
        texts = [archive.read(name) for name in files]
    return any(function in (defined := _defined(text)) or "*" in defined for text in texts)


def _by_name(found: metadata.Distribution) -> dict[str, str]:
    return {point.name: point.value for point in reversed(list(found.entry_points))}


def _needs(found: metadata.Distribution) -> Iterable[str]:
    for requirement in found.requires or ():
        name, _, marker = requirement.partition(";")
        if not marker and (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)):
            yield match[0].rstrip("._-")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _defined(text: bytes) -> set[str]:
    """The names that a module's top level binds; `*` when it takes another module's."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {"*"}
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.If | ast.Try | ast.With):
            names.add("*")
    return names
