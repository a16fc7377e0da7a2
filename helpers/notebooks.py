"""nbformat, imported in a tenth of its time."""

from __future__ import annotations

import sys
from types import ModuleType

_GRAMMAR = "rfc3987_syntax"


def import_nbformat() -> ModuleType:
    """Import nbformat without the grammar of IRIs, which jsonschema would build first and no notebook is checked by.

    Call it before papermill and nbclient too: they import nbformat.
    """
    unknown = _GRAMMAR not in sys.modules
    if unknown:
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # so that importing it fails, as if it were absent
    try:
        import nbformat
    finally:
        if unknown:
            del sys.modules[_GRAMMAR]
    return nbformat
