"""How the Spark server's JVM is started: its command line, settings and environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from helpers.runtime.java import Java
from helpers.runtime.places import REPO_ROOT, Places
from helpers.runtime.settings import Settings

MESSAGE_BYTES = 256 * 1024 * 1024
_OTHERS = ("SPARK_", "PYSPARK_", "HADOOP_", "HIVE_", "LAKEPREP_", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")
_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss} %p %c{1}: %m%n%ex
"""


@dataclass(frozen=True)
class Launch:
    """Everything that was found and checked before a server is started; `properties` are Spark's, beside our own."""

    places: Places
    settings: Settings
    java: Java
    jars: tuple[Path, ...]
    spark_home: Path
    properties: Mapping[str, str] = field(default_factory=dict)


#: By default Spark's checkpoints and Delta's log reach a laptop's files by an interface that starts the process
#: `readlink` twice for each file that it renames: hundreds of processes an update, a quarter of its time.
_LOCAL_FILES = {
    "spark.sql.streaming.checkpointFileManagerClass": (
        "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
    ),
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
}


#: Java's own choice marks the heap beside the work, on cores that a laptop needs for the work: a warm update of the
#: retail pipeline takes a seventh less with this one. Java starts with one collector only: who names one has it.
_COLLECTOR = "-XX:+UseParallelGC"
_COLLECTORS = re.compile(r"-XX:\+Use\w+GC")
#: With less room for classes and compiled code, this collector stops everything for half a second in every twenty, and
#: with the first compiler alone Java would keep only 48 MB for code, which hundreds of tests fill.
_ROOM = ("-XX:MetaspaceSize=256m", "-XX:ReservedCodeCacheSize=400m", "-XX:SweeperThreshold=40")


def jvm_command(launch: Launch, *, properties: Path) -> list[str]:
    """Start SparkSubmit directly: pyspark's own launcher refuses the bundled Java."""
    classpath = os.pathsep.join([*map(str, launch.jars), str(launch.spark_home / "jars" / "*")])
    return [
        str(launch.java.binary),
        f"-Xmx{launch.settings.heap_mb}m",
        *jvm_options(launch),
        "-cp",
        classpath,
        "org.apache.spark.deploy.SparkSubmit",
        "--properties-file",
        str(properties),
        "--class",
        "org.apache.spark.sql.connect.service.SparkConnectServer",
        "spark-internal",
    ]


def jvm_options(launch: Launch) -> tuple[str, ...]:
    """What every JVM over the home is started with, beside its heap."""
    return (
        *launch.java.options,
        *_ROOM,
        *(() if any(map(_COLLECTORS.fullmatch, launch.settings.java_options)) else (_COLLECTOR,)),
        *launch.settings.java_options,
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={launch.places.scratch}",
        f"-Dderby.system.home={launch.places.metastore}",
        f"-Dlog4j2.configurationFile={_log_configuration(launch.places)}",
    )


def _log_configuration(places: Places) -> Path:
    return places.home / "log4j2.properties"


def spark_properties(places: Places, *, port: int) -> dict[str, str]:
    """What the server needs; the token travels in the environment, where `ps` does not show it."""
    return {
        **lake_properties(places),
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.connect.grpc.maxInboundMessageSize": str(MESSAGE_BYTES),
        "spark.connect.session.manager.defaultSessionTimeout": "24h",
        "spark.sql.connect.serverStacktrace.enabled": "false",
    }


def lake_properties(places: Places) -> dict[str, str]:
    """What every Spark over the home needs, as a server or inside of a process."""
    metastore = places.metastore / "db"
    return {
        "spark.app.name": "lakeprep",
        "spark.master": "local[*]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.local.dir": str(places.scratch),
        "spark.scheduler.mode": "FAIR",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={metastore};create=true",
        "spark.sql.warehouse.dir": places.warehouse.as_uri(),
        "spark.sql.sources.default": "delta",
        # Delta's VACUUM lists files in as many tasks: with Spark's 10,000 it took two minutes for one small table.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
        "spark.sql.legacy.createHiveTableByDefault": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.streaming.numRecentProgressUpdates": "10000",
        "spark.databricks.delta.snapshotPartitions": "1",
        # By default every commit also notes all files of a small table, which nothing reads, and proves the note by
        # reading the whole log anew wherever the clock is not in UTC: a tenth of an update's time.
        "spark.databricks.delta.allFilesInCrc.enabled": "false",
        # One update compiles more than the 100 classes that Spark would keep, and the next one needs them again.
        "spark.sql.codegen.cache.maxEntries": "4000",
        **_LOCAL_FILES,
    }


def write_configuration(launch: Launch, *, port: int) -> Path:
    """Write the server's settings into the home and give the properties file."""
    properties = {**spark_properties(launch.places, port=port), **launch.properties}
    lines = [f"{key} {value}" for key, value in properties.items()]
    # In this format a backslash begins an escape.
    text = "\n".join(lines).replace("\\", "\\\\") + "\n"
    write_log_configuration(launch.places)
    path = launch.places.home / "spark.properties"
    path.write_text(text, encoding="utf-8")
    return path


def write_log_configuration(places: Places) -> None:
    """Let the JVM write its warnings to standard error."""
    _log_configuration(places).write_text(_LOGGING, encoding="utf-8")


def environment(launch: Launch, *, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment without settings of another Spark or Java."""
    kept = {name: value for name, value in environ.items() if not is_foreign(name)}
    return {
        **with_repository(kept),
        "SPARK_HOME": str(launch.spark_home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def is_foreign(name: str) -> bool:
    """Whether a variable is a setting of another Spark or Java, or one of ours that a JVM has no use for."""
    return name.startswith(_OTHERS)


def with_repository(environ: Mapping[str, str]) -> dict[str, str]:
    """Let Python processes import helpers: the supervisor's, and the server's workers that run Python functions."""
    paths = [str(REPO_ROOT), environ.get("PYTHONPATH", "")]
    return {**environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
