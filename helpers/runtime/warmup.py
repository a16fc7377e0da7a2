"""Make the server's first attach, Delta write and stream, the slow ones, before a learner does:
`python -m helpers.runtime.warmup ROOT`. It leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from helpers.errors import LakeprepError
from helpers.runtime.lake_session import LakeSession
from helpers.runtime.places import Places
from helpers.runtime.state import read_info


def main(root: str) -> int:
    os.nice(10)
    places = Places(Path(root))
    info = read_info(places)
    if info is None:
        return 1
    folder = Path(tempfile.mkdtemp(prefix="warm-up-", dir=places.scratch))
    try:
        spark = LakeSession.local(info)
        try:
            touch(spark, folder)
        finally:
            spark.stop()
    except LakeprepError:
        return 1  # The server was stopped meanwhile.
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def touch(spark: LakeSession, folder: Path) -> None:
    """Use once what every lesson uses: the catalog, JSON, a Delta table, a stream."""
    spark.sql("SHOW SCHEMAS").collect()
    source, table = folder / "source", folder / "table"
    source.mkdir()
    (source / "one.json").write_text('{"id": 1, "name": "a"}\n', encoding="utf-8")
    spark.read.json(str(source)).write.format("delta").save(str(table))
    spark.read.format("delta").load(str(table)).groupBy("name").count().collect()
    # Not `readStream`, which is the Auto Loader's: this must not depend on it.
    stream = super(LakeSession, spark).readStream.schema("id INT, name STRING").json(str(source))
    writer = stream.writeStream.format("delta").option("checkpointLocation", str(folder / "checkpoint"))
    writer.trigger(availableNow=True).start(str(table)).awaitTermination()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
