"""One server, in a home of its own, for the whole run."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from helpers.runtime import Places, attach, detach, stop_server


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A temporary home; its server is stopped at the end, whatever happened."""
    places = Places(tmp_path_factory.mktemp("lakeprep"))
    yield places
    stop_server(places)


@pytest.fixture(scope="session")
def spark(places: Places) -> Iterator[SparkSession]:
    session = attach(places, environ={**os.environ, "LAKEPREP_WARM_UP": "0"})
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
