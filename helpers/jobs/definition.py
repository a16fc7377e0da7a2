"""From a Jobs API 2.2 definition to a checked :class:`Job`: all mistakes at once, each with its task and field."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.jobs import building, checks, schema, support
from helpers.jobs.children import NOTHING_ABOVE, Above, children, identify
from helpers.jobs.errors import DuplicateKey, JobDefinitionError, JobFileError, JobSyntaxError, Mistake, WrongValue
from helpers.jobs.files import Around, Resource
from helpers.jobs.model import Ignored, Job
from helpers.jobs.naming import in_words

#: What `jobs get` answers and `jobs reset` takes has the job's settings inside.
_WRAPPED = ("settings", "new_settings")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def load_job(path: Path) -> Job:
    """Read and check a job's definition; paths in it are relative to its folder.

    JobFileError, JobSyntaxError with line and column, or JobDefinitionError with every mistake.
    """
    return _load(path, NOTHING_ABOVE)


def parse_job(text: str, *, source: Path) -> Job:
    """The same from text; `source` is where it came from, whose folder its paths are relative to."""
    document, repeated = _read_json(text, source)
    return _parse(document, source=source, above=NOTHING_ABOVE, repeated=repeated)


def job_from(definition: Mapping[str, Any] | Path | Job, *, base_dir: Path | None = None) -> Job:
    """Give the checked job of a dictionary, a file or a job; paths in a dictionary are relative to `base_dir`."""
    if isinstance(definition, Job):
        return definition
    if isinstance(definition, str | Path):
        return load_job(Path(definition) if base_dir is None else base_dir / definition)
    return _parse(definition, source=_home(definition, base_dir or Path()), above=NOTHING_ABOVE)


def check_definition(definition: Mapping[str, Any] | Path, *, base_dir: Path | None = None) -> tuple[str, ...]:
    """Say everything that is wrong with a definition, nothing when it can run; it starts nothing."""
    try:
        job_from(definition, base_dir=base_dir)
    except JobDefinitionError as error:
        return tuple(str(mistake) for mistake in error.mistakes)
    except (JobFileError, JobSyntaxError) as error:
        return (f"{type(error).__name__}: {error}",)
    return ()


def _load(path: Path, above: Above) -> Job:
    if path.suffix in (".yml", ".yaml"):
        raise JobFileError(f"{path} is a bundle's file; read a job of it with load_bundle_job(path, key)")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        said = error.strerror or str(error)
        raise JobFileError(f"the job's definition {path} cannot be read: {said}; name another file") from None
    except UnicodeDecodeError:
        raise JobFileError(f"the job's definition {path} is not UTF-8 text; save it as UTF-8") from None
    document, repeated = _read_json(text, path)
    return _parse(document, source=path, above=above, repeated=repeated)


def parse_resource(resource: Resource, around: Around, above: Above = NOTHING_ABOVE) -> Job:
    """Check one job of a bundle; `around` are the bundle's resources."""
    return _parse(resource.document, source=resource.source, above=above, around=around, resource=resource.key)


def _parse(
    document: Any,
    *,
    source: Path,
    above: Above,
    around: Around | None = None,
    resource: str = "",
    repeated: Sequence[Mistake] = (),
) -> Job:
    from databricks.sdk.service.jobs import JobSettings

    if not isinstance(document, Mapping):
        raise JobDefinitionError([WrongValue("a job is a JSON object", path="")], source=source)
    for key in _WRAPPED:
        if "tasks" not in document and isinstance(document.get(key), Mapping):
            said = f"this is the API's form around a job; keep only what is in '{key}'"
            raise JobDefinitionError([WrongValue(said, path=key)], source=source)
    set_apart = [Ignored(key, why) for key, why in support.BESIDE.items() if key in document]
    given = schema.without_empty({key: item for key, item in document.items() if key not in support.BESIDE})
    settings, wrong = schema.check(given, JobSettings)
    mistakes = _named([*wrong, *repeated], given)
    here = around.at(source.parent) if around else Around(source.parent)
    # What has the wrong type is not in the settings any more, so these are seen from there.
    mistakes += _named([*support.unsupported(settings), *checks.mistakes(settings, here)], settings)

    def load(found: Path | Resource, above: Above) -> Job:
        return parse_resource(found, here, above) if isinstance(found, Resource) else _load(found, above)

    found, wrong = children(settings, here, above.below(identify(source, resource)), load)
    mistakes += _named(wrong, settings)
    if mistakes:
        raise JobDefinitionError(mistakes, source=source)
    ignored = (*set_apart, *support.ignored(settings))
    sdk = JobSettings.from_dict(schema.for_sdk(settings))
    return building.build(
        settings, source=source, resource=resource, around=here, ignored=ignored, children=found, sdk=sdk
    )


def _home(definition: Mapping[str, Any], base_dir: Path) -> Path:
    """A file's name for a definition that is in none, so that its runs are runs of one job."""
    name = _NOT_IN_NAME.sub("_", str(definition.get("name", "job"))) or "job"
    return base_dir / f"{name}.job.json"


def _read_json(text: str, source: Path) -> tuple[Any, list[Mistake]]:
    repeated: list[tuple[dict[str, Any], str]] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        counts = Counter(name for name, _ in pairs)
        repeated.extend((built, name) for name, count in counts.items() if count > 1)
        return built

    try:
        document = json.loads(text, object_pairs_hook=build)
    except json.JSONDecodeError as error:
        raise JobSyntaxError(error.msg, source=source, line=error.lineno, column=error.colno) from None
    except (ValueError, RecursionError) as error:  # a number without end, lists in lists without end
        raise JobSyntaxError(f"this JSON cannot be read: {error}", source=source, line=1, column=1) from None
    paths = {id(found): path for found, path in _objects(document, "")} if repeated else {}
    return document, [
        DuplicateKey(f"one object has the field '{name}' twice", path=paths.get(id(owner), ""))
        for owner, name in repeated
    ]


def _objects(value: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Each object of a document and its path."""
    if isinstance(value, dict):
        yield value, path
        for name, item in value.items():
            yield from _objects(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _objects(item, f"{path}[{index}]")


def _named(mistakes: Sequence[Mistake], document: Mapping[str, Any]) -> list[Mistake]:
    """The same mistakes, their places in the document named."""
    return [type(mistake)(mistake.message, path=in_words(mistake.path, document)) for mistake in mistakes]
