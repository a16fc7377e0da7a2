"""Spark's own Connect session, with readers and a `sql` that know Auto Loader; no part of pyspark is patched."""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pyspark.errors import PySparkException
from pyspark.sql.connect.client import DefaultChannelBuilder, SparkConnectClient
from pyspark.sql.connect.readwriter import DataFrameReader
from pyspark.sql.connect.session import SparkSession

from helpers.runtime.launch import MESSAGE_BYTES
from helpers.runtime.readers import ToldReader
from helpers.runtime.retries import ShortPolicy
from helpers.runtime.state import ServerInfo
from helpers.runtime.statements import LakeStatements, silence_dumps

if TYPE_CHECKING:
    from helpers.autoloader import CloudStreamReader

# One name for all of a learner's processes: a session is found by its user and its id.
_USER = "lakeprep"
_CONNECT_MODE = "SPARK_CONNECT_MODE_ENABLED"


class _Client(SparkConnectClient):
    """Spark's client, which looks for overwritten files before a stream starts, and whose error says why one stopped.

    Spark's own error names only the write that failed.
    """

    sees_overwrites = True

    def execute_command(self, command: Any, *given: Any, **named: Any) -> Any:
        if command.WhichOneof("command_type") in ("create_dataframe_view", "write_stream_operation_start"):
            from helpers.autoloader import before_command

            before_command(command, self.__dict__.setdefault("_overwriting_views", {}))
        return super().execute_command(command, *given, **named)

    def _handle_error(self, error: Exception) -> NoReturn:
        try:
            super()._handle_error(error)
        except PySparkException as told:
            from helpers.autoloader import unknown_field_message

            told._message = unknown_field_message(told) or told._message
            raise


class _BatchReader(ToldReader, DataFrameReader):
    """Spark Connect's DataFrameReader."""


class LakeSession(LakeStatements, SparkSession):
    """The `spark` of a lesson on a laptop.

    `server` is the local server it is attached to, or None when `SPARK_REMOTE` named another; `remote` names that one.
    """

    def __init__(
        self,
        connection: DefaultChannelBuilder,
        *,
        server: ServerInfo | None = None,
        remote: str | None = None,
        client_file: Path | None = None,
    ) -> None:
        super().__init__(connection, userId=_USER if server else None)
        # The session makes its client itself and asks no one which; ours differs in one method.
        self._client.__class__ = _Client
        self.server, self.remote, self._client_file = server, remote, client_file
        if server is not None:
            self._client.set_retry_policies([ShortPolicy(server)])

    @classmethod
    def local(
        cls, server: ServerInfo, *, session_id: str | None = None, client_file: Path | None = None
    ) -> LakeSession:
        """Attach to a local server that is known to run."""
        url = server.remote + (f";session_id={session_id}" if session_id else "")
        options = [
            ("grpc.max_send_message_length", MESSAGE_BYTES),
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            # gRPC would ask a company's proxy for localhost.
            ("grpc.enable_http_proxy", 0),
        ]
        return cls(DefaultChannelBuilder(url, options), server=server, client_file=client_file)._open()

    @classmethod
    def at(cls, remote: str, *, session_id: str | None = None) -> LakeSession:
        """Attach to the server that `SPARK_REMOTE` names."""
        address, _, parameters = remote.partition(";")
        parameters = ";".join(filter(None, [parameters, session_id and f"session_id={session_id}"]))
        url = f"{address.rstrip('/')}/" + (f";{parameters}" if parameters else "")
        return cls(DefaultChannelBuilder(url), remote=remote)._open()

    @property
    def read(self) -> DataFrameReader:
        return _BatchReader(self)

    @property
    def readStream(self) -> CloudStreamReader:  # type: ignore[override]
        from helpers.autoloader import CloudStreamReader

        return CloudStreamReader(self)

    def stop(self) -> None:
        """Close the session on the server, with its streams and views; quick when the server has died."""
        atexit.unregister(self.stop)
        if self.server is not None and not self.server.alive:
            self.release_session_on_close = False
        super().stop()
        if self._client_file is not None:
            self._client_file.unlink(missing_ok=True)
        os.environ.pop(_CONNECT_MODE, None)

    def _open(self) -> LakeSession:
        # pyspark's functions and `SparkSession.active()` ask this variable which of their two worlds they are in.
        os.environ[_CONNECT_MODE] = "1"
        SparkSession._set_default_and_active_session(self)
        # An interpreter with an open session hangs when it ends.
        atexit.register(self.stop)
        threading.Thread(target=self._stop_after_main_thread, name="lakeprep-session", daemon=True).start()
        silence_dumps()
        return self

    def _stop_after_main_thread(self) -> None:
        """End what `atexit` would come too late for: a streaming listener's thread keeps the interpreter waiting."""
        main = threading.main_thread()
        while not self.is_stopped:
            main.join(2.0)
            if not main.is_alive():
                self.stop()
