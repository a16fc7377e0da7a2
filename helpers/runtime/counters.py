"""What Spark itself counts: bytes shuffled and spilled, which its metrics system sends to the supervisor every second.

Spark's own Graphite sink is the sender (https://spark.apache.org/docs/latest/monitoring.html#metrics): lines of
`name value time` over a connection on the loopback address. Each name begins with a token; other lines are left out.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress

#: Spark's counter, and what it is called here; all in bytes since the server started.
NAMES = {
    "shuffleBytesWritten": "shuffle_written",
    "shuffleTotalBytesRead": "shuffle_read",
    "diskBytesSpilled": "spilled",
}
_SINK = "spark.metrics.conf.*.sink.graphite"
_LONGEST_LINE = 1000


class Counters:
    """Listens for one server's counters until `close`; where nothing can listen, nothing is counted."""

    def __init__(self) -> None:
        self._token, self._counted, self._socket = secrets.token_hex(16), dict[str, int](), None
        with suppress(OSError):
            self._socket = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    @property
    def properties(self) -> dict[str, str]:
        """Give the settings with which a Spark server sends its counters here."""
        if self._socket is None:
            return {}
        return {
            f"{_SINK}.class": "org.apache.spark.metrics.sink.GraphiteSink",
            f"{_SINK}.host": "127.0.0.1",
            f"{_SINK}.port": str(self._socket.getsockname()[1]),
            f"{_SINK}.period": "1",
            f"{_SINK}.unit": "seconds",
            f"{_SINK}.prefix": self._token,
            f"{_SINK}.regex": f"executor[.]({'|'.join(NAMES)})$",
        }

    def read(self) -> Mapping[str, int]:
        """Give the bytes so far, by the names here; those that have not come yet are missing."""
        return dict(self._counted)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=self._receive, args=(connection,), daemon=True).start()

    def _receive(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            while line := lines.readline(_LONGEST_LINE):
                self._take(line.decode("ascii", "replace"))

    def _take(self, line: str) -> None:
        words = line.split()
        if len(words) != 3 or not words[1].isdecimal():
            return
        token, _, rest = words[0].partition(".")
        name = NAMES.get(rest.removesuffix(".count").rpartition(".")[2])
        if name is not None and hmac.compare_digest(token.encode(), self._token.encode()):
            self._counted[name] = int(words[1])
