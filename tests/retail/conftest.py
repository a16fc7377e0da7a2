"""One home and one server for the retail job's tests, apart from the home of the other Spark tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.runtime import Places, stop_server
from tests.retail.running import Shell


@pytest.fixture(scope="package")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = Shell(Places(tmp_path_factory.mktemp("retail_home")))
    yield shell
    stop_server(shell.places)
