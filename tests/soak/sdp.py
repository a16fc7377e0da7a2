"""Open-source Spark's own pipelines (SDP), run as ``spark-pipelines run`` does, but on a session that is there already.

Their server is ours: no JVM of their own, and the tables lie side by side.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from helpers.pipelines import open_source


def update(
    spark: Any,
    files: Sequence[Path],
    *,
    schema: str,
    storage: Path,
    catalog: str = "spark_catalog",
    full_refresh: Sequence[str] = (),
) -> None:
    """Run one update of the pipeline that the files, all in one folder, define; what fails is raised.

    ``storage``: the folder of the checkpoints, new for a new pipeline.
    """
    with _original(), contextlib.redirect_stdout(io.StringIO()):
        from pyspark.pipelines import cli

        spec = cli.PipelineSpec(
            name="sdp",
            storage=storage.as_uri(),
            catalog=catalog,
            database=schema,
            configuration={},
            libraries=[cli.LibrariesGlob(path.name) for path in files],
        )
        graph = cli.create_dataflow_graph(spark, default_catalog=catalog, default_database=schema, sql_conf={})
        registry = cli.SparkConnectGraphElementRegistry(spark, graph)
        cli.register_definitions(files[0].parent / "spark-pipeline.yml", registry, spec, spark, graph)
        cli.handle_pipeline_events(
            cli.start_run(
                spark,
                graph,
                full_refresh=full_refresh,
                full_refresh_all=False,
                refresh=[],
                dry=False,
                storage=spec.storage,
            )
        )


@contextlib.contextmanager
def _original() -> Iterator[None]:
    """Inside, ``pyspark.pipelines`` is Spark's, also after a lesson of the same process has put ours in its place."""
    import pyspark

    before = sys.modules["pyspark.pipelines"]
    sys.modules["pyspark.pipelines"] = pyspark.pipelines = open_source._original  # type: ignore[attr-defined]
    try:
        yield
    finally:
        sys.modules["pyspark.pipelines"] = pyspark.pipelines = before  # type: ignore[attr-defined]
