"""Which files COPY INTO has loaded into a table: numbered files beside the table, each bound to one Delta commit.

A load first writes its list as a proposal, `<number>.<attempt>.json`. Then it commits, with its number as a Delta
transaction and its attempt's name in the commit's metadata. Then it links its proposal as `<number>.json`. Delta lets
one commit have a number, so of all proposals for it one is true, and a client that dies at any point leaves enough
behind for the next one to find out which.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from helpers.autoloader.errors import AutoLoaderError
from helpers.files import replace_file

_FORMAT = 1


class DamagedCopyLog(AutoLoaderError):
    """A file of the log is not what COPY INTO wrote."""


@dataclass(frozen=True)
class CopyLog:
    """The log in `folder`; numbers count from 1."""

    folder: Path

    def last(self) -> int:
        """The number of the last load that is known to have been committed; 0 before the first."""
        return max((int(path.stem) for path in self.folder.glob("*.json") if path.stem.isdigit()), default=0)

    def loaded(self) -> set[str]:
        """The paths of all files that were loaded."""
        return {path for number in range(1, self.last() + 1) for path in self._read(self.folder / f"{number}.json")}

    def proposals(self, number: int) -> list[str]:
        """The attempts that may have been committed under this number."""
        return sorted(path.name.split(".")[1] for path in self.folder.glob(f"{number}.*.json"))

    def propose(self, number: int, files: Iterable[str]) -> str:
        """Write what is to be loaded, before it is; gives the attempt's name."""
        attempt = uuid.uuid4().hex
        self.folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"version": _FORMAT, "files": sorted(files)}, ensure_ascii=False)
        replace_file(self._proposal(number, attempt), content.encode())
        return attempt

    def settle(self, number: int, attempt: str) -> None:
        """Make the attempt's proposal the truth for this number, and remove the others."""
        settled = self.folder / f"{number}.json"
        try:
            os.link(self._proposal(number, attempt), settled)
        except (FileExistsError, FileNotFoundError):
            # Another client was first; it has removed the proposals then.
            if not settled.exists():
                raise DamagedCopyLog(f"{self._proposal(number, attempt)} is missing. It says which files a load of "
                                     "COPY INTO has brought: restore it.") from None
        for each in self.proposals(number):
            self._proposal(number, each).unlink(missing_ok=True)

    def _proposal(self, number: int, attempt: str) -> Path:
        return self.folder / f"{number}.{attempt}.json"

    def _read(self, path: Path) -> list[str]:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["version"] != _FORMAT:
                raise ValueError(f"its format is version {content['version']}, not {_FORMAT}")
            return [str(each) for each in content["files"]]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise DamagedCopyLog(
                f"The file {path}, which says what COPY INTO has loaded, is damaged or missing ({error}). Restore it; "
                "without it nobody knows which files are in the table already.") from error
