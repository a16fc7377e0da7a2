"""YAML as a bundle has it: one object a file, no key twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.jobs.errors import BundleError, JobFileError, JobSyntaxError


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Read a YAML file; JobFileError, JobSyntaxError with line and column, or BundleError when it is no object."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses a key that is there twice, of which YAML would keep the last in silence."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                if key.value in seen and key.value != "<<":
                    said = f"the key '{key.value}' is there twice"
                    raise yaml.MarkedYAMLError(problem=said, problem_mark=key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except OSError as error:
        raise JobFileError(f"the bundle's file {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise JobFileError(f"the bundle's file {path} is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise JobSyntaxError(str(error.problem or error.context), source=path, line=line, column=column) from None
    if not isinstance(document, Mapping):
        raise BundleError(f"{path} is no YAML object such as 'resources: ...'")
    return document
