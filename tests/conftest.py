"""No setting of the developer's machine reaches a test; tests that need Spark share one server in a home of its own."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from helpers.runtime import Places

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

_KEPT = ("LAKEPREP_JAVA", "LAKEPREP_HEAP", "LAKEPREP_JAVA_OPTIONS", "LAKEPREP_IVY_SETTINGS", "LAKEPREP_SPARK")
_ELSEWHERE = ("SPARK_REMOTE", "DATABRICKS_RUNTIME_VERSION")


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> None:
    """Remove what would make a test use another server, home or port than its own."""
    from helpers.commands.testing import SMALL_SERVER

    for name in list(os.environ):
        if name in _ELSEWHERE or (name.startswith("LAKEPREP_") and name not in _KEPT):
            del os.environ[name]
    # A smaller server is enough for tests, so that they also run beside one that a developer uses.
    for name, value in SMALL_SERVER.items():
        os.environ.setdefault(name, value)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell starts what runs in its background with SIGINT ignored; tests that interrupt need it, children too."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test about the server that processes share is none about a classic session."""
    marked = item.get_closest_marker("shared_server")
    if marked is not None and os.environ.get("LAKEPREP_SPARK") == "classic":
        pytest.skip(f"needs the shared Spark server: {marked.args[0]}")


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A temporary home; its server is stopped at the end, whatever happened."""
    from helpers.runtime import Places, stop_server

    places = Places(tmp_path_factory.mktemp("lakeprep"))
    yield places
    stop_server(places)


@pytest.fixture(scope="session")
def spark(places: Places) -> Iterator[SparkSession]:
    """A session of the shared server, or with `LAKEPREP_SPARK=classic` one that has its JVM in `LAKEPREP_JAVA`."""
    from helpers.runtime import attach, detach
    from helpers.runtime.errors import JavaUnusable

    try:
        session = attach(places, environ={**os.environ, "LAKEPREP_WARM_UP": "0"})
    except JavaUnusable as error:
        if os.environ.get("LAKEPREP_SPARK") != "classic" or os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    yield session
    detach(session)


@pytest.fixture
def schema(spark: SparkSession) -> Iterator[str]:
    """A new schema, in use; dropped with all it holds."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    spark.sql(f"CREATE SCHEMA {name}")
    spark.sql(f"USE {name}")
    yield name
    spark.sql("USE default")
    spark.sql(f"DROP SCHEMA {name} CASCADE")
