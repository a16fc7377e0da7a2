"""A pipeline's settings file (``PipelineSpec`` of the Pipelines API) as a frozen dataclass."""

from __future__ import annotations

import inspect
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.pipelines.cells import is_notebook
from helpers.pipelines.errors import InvalidSettings, Unsupported, nearest

#: Settings for the platform (compute, its edition, tags, the catalog); each update notes that they do nothing here.
UNUSED = frozenset({"clusters", "channel", "edition", "photon", "serverless", "tags", "catalog",
                    "budget_policy_id", "usage_policy_id"})
USED = frozenset({"name", "schema", "target", "configuration", "libraries", "continuous", "development", "root_path"})
#: Configuration that the engine itself reads, with Databricks' defaults for a triggered pipeline.
RETRIES = {"pipelines.maxFlowRetryAttempts": 2, "pipelines.numUpdateRetryAttempts": 5}
UNUSED_CONFIGURATION = frozenset({"pipelines.clusterShutdown.delay"})
_NOT_SPARKS = UNUSED_CONFIGURATION.union(RETRIES)
_SOURCES = (".sql", ".py", ".ipynb")
_PARAMETER = re.compile(r"\$\{([^}]*)\}")
_NAMESPACE = uuid.UUID("6f6b1f34-3f0a-5a57-9d1c-7a35d39c3c11")


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """What an update needs to know. ``files`` are absolute paths of source files and notebooks, sorted.

    ``root``: where Python sources import modules from. The retries are those of production; in ``development`` nothing
    is tried again.
    """

    name: str
    schema: str
    files: tuple[Path, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    root: Path | None = None
    development: bool = True
    flow_retries: int = RETRIES["pipelines.maxFlowRetryAttempts"]
    update_retries: int = RETRIES["pipelines.numUpdateRetryAttempts"]

    @property
    def pipeline_id(self) -> str:
        """A UUID that depends on the name and schema alone, so that a restart finds its checkpoints again."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.schema}/{self.name}"))


def load_settings(path: Path, *, parameters: Mapping[str, str] | None = None) -> PipelineSettings:
    """Read ``pipeline.json``; ``${key}`` in it and in its configuration comes from ``parameters``.

    Imitates https://docs.databricks.com/api/workspace/pipelines/create; paths are relative to the file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidSettings(f"There is no pipeline settings file {path}. Check the path.") from None
    except OSError as error:
        raise InvalidSettings(f"The pipeline settings file {path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidSettings(f"{path.name} is not valid JSON: {error}. Mend that place and try again.") from None
    return parse_settings(data, source=path, parameters=parameters or {})


def parse_settings(data: Any, *, source: Path, parameters: Mapping[str, str]) -> PipelineSettings:
    """Check settings that are already parsed; ``source`` names the file in messages and roots relative paths."""
    if not isinstance(data, dict):
        raise InvalidSettings(f"{source.name} must hold one JSON object, not {type(data).__name__}.")
    _check_names(data, source)
    if data.get("continuous"):
        raise Unsupported(f"{source.name}: 'continuous' pipelines do not run here. Remove it: an update is triggered.")
    given = _configuration(data.get("configuration") or {}, parameters, source)
    schema = "target" if "target" in data and "schema" not in data else "schema"
    return PipelineSettings(
        name=_text(data, "name", source),
        schema=_schema(_filled(_text(data, schema, source), given, schema, source), source),
        files=_files(data.get("libraries") or [], source),
        configuration={key: value for key, value in given.items() if key not in _NOT_SPARKS},
        unused=tuple(sorted(UNUSED.intersection(data) | UNUSED_CONFIGURATION.intersection(given))),
        root=_root(data, source),
        development=_truth(data, "development", source),
        flow_retries=_retries(given, "pipelines.maxFlowRetryAttempts", source),
        update_retries=_retries(given, "pipelines.numUpdateRetryAttempts", source),
    )


def _retries(configuration: Mapping[str, str], key: str, source: Path) -> int:
    value = configuration.get(key, str(RETRIES[key]))
    if not re.fullmatch(r"\d{1,4}", value):
        raise InvalidSettings(f"{source.name}: the configuration '{key}' must be a number from 0, not '{value}'.")
    return int(value)


def _truth(data: Mapping[str, Any], key: str, source: Path) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise InvalidSettings(f"{source.name}: '{key}' must be true or false, not {value!r}.")
    return value


def _root(data: Mapping[str, Any], source: Path) -> Path | None:
    if "root_path" not in data:
        return None
    folder = source.parent / _text(data, "root_path", source)
    try:
        found = folder.resolve() if folder.is_dir() else None
    except (OSError, ValueError):  # no folder can have such a name
        found = None
    if found is None:
        raise InvalidSettings(f"{source.name}: 'root_path' names the folder {str(folder)!r}, which does not exist.")
    return found


def _configuration(data: Any, parameters: Mapping[str, str], source: Path) -> dict[str, str]:
    if not isinstance(data, dict):
        raise InvalidSettings(f"{source.name}: 'configuration' must be an object of texts.")
    for key, value in data.items():
        if not isinstance(value, str):
            raise InvalidSettings(f"{source.name}: the configuration '{key}' must be a text: write \"{value}\".")
        if key.startswith("pipelines.") and key not in _NOT_SPARKS:
            raise Unsupported(f"{source.name}: the configuration '{key}' is not supported here yet. Remove it.")
    filled = {key: _filled(value, parameters, key, source) for key, value in data.items()}
    return {**filled, **parameters}


def _schema(name: str, source: Path) -> str:
    if not re.fullmatch(r"\w+", name):
        raise InvalidSettings(f"{source.name}: the schema '{name}' is no name. Use letters, digits and underscores.")
    return name


def _check_names(data: Mapping[str, Any], source: Path) -> None:
    other = next((key for key in data if key not in USED | UNUSED), None)
    if other is None:
        return
    # Here, for the SDK takes a second to import, and settings without a mistake do not need it.
    from databricks.sdk.service.pipelines import PipelinesAPI, PipelineSpec

    known = set(PipelineSpec.__dataclass_fields__) | set(inspect.signature(PipelinesAPI.create).parameters) - {"self"}
    if other in known:
        raise Unsupported(f"{source.name}: the setting '{other}' is not supported here yet. Remove it.")
    raise InvalidSettings(f"{source.name}: unknown setting '{other}'.{nearest(other, known)}")


def _text(data: Mapping[str, Any], key: str, source: Path) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidSettings(f"{source.name}: '{key}' must be a non-empty text.")
    return value


def _filled(value: str, parameters: Mapping[str, str], setting: str, source: Path) -> str:
    def replacement(found: re.Match[str]) -> str:
        if found[1] not in parameters:
            raise InvalidSettings(f"{source.name}: '{setting}' uses {found[0]}, which no parameter gives."
                                  f"{nearest(found[1], parameters)} Pass the parameter '{found[1]}'.")
        return parameters[found[1]]

    return _PARAMETER.sub(replacement, value)


def _files(libraries: Any, source: Path) -> tuple[Path, ...]:
    if not isinstance(libraries, list):
        raise InvalidSettings(f"{source.name}: 'libraries' must be a list.")
    files: set[Path] = set()
    for library in libraries:
        if not isinstance(library, dict) or len(library) != 1:
            raise InvalidSettings(f"{source.name}: each library is {{'glob': …}}, {{'file': …}} or {{'notebook': …}}, "
                                  f"not {library!r}.")
        (kind, value), = library.items()
        if kind not in _FIND:
            raise Unsupported(f"{source.name}: a '{kind}' library is not supported here. Use 'glob', 'file' or "
                              "'notebook'.")
        key = "include" if kind == "glob" else "path"
        if not isinstance(value, dict) or not isinstance(value.get(key), str):
            raise InvalidSettings(f"{source.name}: a '{kind}' library needs '{key}'.")
        files.update(_FIND[kind](source.parent, value[key], source))
    if not files:
        raise InvalidSettings(f"{source.name}: 'libraries' names no source. Add a {{'glob': {{'include': …}}}}.")
    return tuple(sorted(files))


def _one(folder: Path, name: str, source: Path) -> list[Path]:
    path = _existing(folder, (name,))
    if path is None:
        raise InvalidSettings(f"{source.name}: the library file '{name}' does not exist beside it. Mend the path.")
    if path.suffix not in (".sql", ".py"):
        raise Unsupported(f"{source.name}: the library '{name}' is neither a .sql nor a .py file. Convert it.")
    return [path]


def _notebook(folder: Path, name: str, source: Path) -> list[Path]:
    """A notebook's path has no ending on Databricks, and may have one here."""
    path = _existing(folder, [name, *(f"{name}{ending}" for ending in _SOURCES)])
    if path is None:
        raise InvalidSettings(f"{source.name}: there is no notebook '{name}' (.ipynb, .py or .sql) beside it. Mend "
                              "the path.")
    if not is_notebook(path):
        raise InvalidSettings(f"{source.name}: '{name}' is a file and not a notebook. Write {{'file': …}}, or begin "
                              "it with '# Databricks notebook source' ('--' in SQL).")
    return [path]


def _existing(folder: Path, names: Sequence[str]) -> Path | None:
    for name in names:
        try:
            path = (folder / name).resolve()
            if path.is_file():
                return path
        except (OSError, ValueError):  # no file can have such a name
            continue
    return None


def _glob(folder: Path, pattern: str, source: Path) -> list[Path]:
    # Databricks writes `folder/**` for "everything below"; pathlib wants a last component for files.
    spelled = f"{pattern}/*" if pattern.endswith("**") else pattern
    try:
        found = [path.resolve() for path in folder.glob(spelled) if path.suffix in _SOURCES and path.is_file()
                 and ".ipynb_checkpoints" not in path.parts]
    except (NotImplementedError, ValueError, OSError, RecursionError):
        raise InvalidSettings(f"{source.name}: '{pattern}' must be a pattern relative to that file.") from None
    if not found:
        raise InvalidSettings(f"{source.name}: no .sql or .py file and no notebook matches '{pattern}'. "
                              "Mend the pattern.")
    return found


_FIND = {"file": _one, "glob": _glob, "notebook": _notebook}
