"""nbformat without the grammar that it does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from helpers.notebooks import import_nbformat

PROBE = """
import sys
from helpers.notebooks import import_nbformat
made = import_nbformat().v4.new_notebook()
assert "rfc3987_syntax" not in sys.modules
import rfc3987_syntax, papermill
assert import_nbformat() is sys.modules["nbformat"] and sys.modules["rfc3987_syntax"] is rfc3987_syntax
print(made.nbformat)
"""


def test_the_grammar_is_not_built_and_can_be_imported_later() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("4\n", "")


def test_a_bad_notebook_is_still_refused() -> None:
    nbformat = import_nbformat()
    with pytest.raises(nbformat.ValidationError, match="poem"):
        nbformat.v4.new_notebook(cells=[{"cell_type": "poem", "id": "a"}])
