"""The one door to Spark: Databricks' own session, the server of `SPARK_REMOTE`, the local server, or one of our own.

`LAKEPREP_SPARK=classic` asks for the last: a classic session inside of this process, with a JVM of its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from helpers.runtime.errors import BadSetting, ServerDied, ServerUnreachable, SessionAlreadyOpen, SessionEnded
from helpers.runtime.places import Places
from helpers.runtime.server import ensure_server
from helpers.runtime.settings import Settings
from helpers.runtime.state import register_client

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from helpers.runtime.classic_session import ClassicSession
    from helpers.runtime.lake_session import LakeSession


def on_databricks(environ: Mapping[str, str] = os.environ) -> bool:
    return bool(environ.get("DATABRICKS_RUNTIME_VERSION"))


def attach(
    places: Places,
    *,
    session_id: str | None = None,
    report: Callable[[str], None] = print,
    environ: Mapping[str, str] = os.environ,
) -> SparkSession:
    """Give this process its Spark session; a second call gives the same one.

    `session_id` (a UUID) joins the session that another client opened, with its views and streams; SessionEnded when
    that was closed. A process has one session: SessionAlreadyOpen when it holds another one.
    """
    if on_databricks(environ):
        return _ambient()
    remote = environ.get("SPARK_REMOTE", "").strip() or None
    if Settings.from_environment(environ).spark == "classic":
        return _classic(places, remote, session_id, report=report, environ=environ)
    opened = _opened(places, remote, session_id)
    if opened is not None:
        return opened
    from helpers.runtime.lake_session import LakeSession

    if remote is not None:
        _check_reachable(remote)
        return _checked(LakeSession.at(remote, session_id=session_id))
    server = ensure_server(places, report=report, environ=environ)
    return _checked(LakeSession.local(server, session_id=session_id, client_file=register_client(places)))


def detach(spark: SparkSession) -> None:
    """Close a session that `attach` opened, with what it left running; Databricks' own stays open."""
    if not on_databricks():
        spark.stop()


def _ambient() -> SparkSession:
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()


def _classic(
    places: Places,
    remote: str | None,
    session_id: str | None,
    *,
    report: Callable[[str], None],
    environ: Mapping[str, str],
) -> ClassicSession:
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    from helpers.runtime.classic_session import ClassicSession, SparkSession

    if remote is not None or session_id is not None:
        what = "SPARK_REMOTE names a server" if remote is not None else "a session of a server is to be joined"
        raise BadSetting(f"LAKEPREP_SPARK=classic gives a Spark inside of this process, but {what}. Unset one of them.")
    current = ConnectSession._get_default_session() or SparkSession._instantiatedSession
    if current is None:
        return ClassicSession.over(places, report=report, environ=environ)
    if not isinstance(current, ClassicSession):
        raise SessionAlreadyOpen(_other("which is not the classic one that LAKEPREP_SPARK asks for"))
    if not current.alive:
        current.stop()
        raise ServerDied(f"Spark's JVM has ended; its log is {places.server_log}. Run this again: a new one starts.")
    if current.places != places:
        raise SessionAlreadyOpen(_other(f"the one over {current.places.root}"))
    return current


def _opened(places: Places, remote: str | None, session_id: str | None) -> LakeSession | None:
    """Give this process's session when it is the wanted one; one whose server has died is closed."""
    from pyspark.sql import SparkSession as ClassicSession

    from helpers.runtime.lake_session import LakeSession, SparkSession

    current: Any = SparkSession._get_default_session()
    if current is None:
        if ClassicSession._instantiatedSession is not None:
            raise SessionAlreadyOpen(_other("one that Lakeprep did not open"))
        return None
    if not isinstance(current, LakeSession):
        raise SessionAlreadyOpen(_other("one that Lakeprep did not open"))
    if current.server is not None and not current.server.alive:
        current.stop()
        return None
    same_place = current.remote == remote and (current.server is None or current.server.log == places.server_log)
    if same_place and session_id in (None, current.session_id):
        return current
    raise SessionAlreadyOpen(_other(f"session {current.session_id} at {current.remote or current.server.log.parent}"))


def _other(what: str) -> str:
    return f"This process already has a Spark session, {what}. Call `spark.stop()` first, or use another process."


def _checked(spark: LakeSession) -> LakeSession:
    """Ask the server one thing, so that a closed session or a wrong token shows here and not in the first query."""
    from pyspark.errors import PySparkException

    try:
        spark.conf.get("spark.sql.session.timeZone")
    except PySparkException as error:
        session_id = spark.session_id
        spark.stop()
        if "INVALID_HANDLE" in str(error):
            raise SessionEnded(f"Session {session_id} has been closed on the server. Attach without its id.") from None
        raise
    except BaseException:
        spark.stop()
        raise
    return spark


def _check_reachable(remote: str) -> None:
    """Look before pyspark does: its client would try for minutes."""
    # What follows the address may hold a token.
    named = remote.split(";")[0].rstrip("/")
    parts = urlsplit(remote)
    if parts.scheme != "sc" or not parts.hostname:
        raise BadSetting(f"SPARK_REMOTE is {named!r}: give sc://HOST:PORT, or unset it to use the local server.")
    try:
        socket.create_connection((parts.hostname, parts.port or 15002), 8.0).close()
    except OSError as error:
        raise ServerUnreachable(
            f"Nobody answers at SPARK_REMOTE={named} ({error.strerror or error}). "
            "Start that server, correct the address, or unset SPARK_REMOTE to use the local server."
        ) from None
