"""How long a client believes in a server that does not answer."""

from __future__ import annotations

import grpc
from pyspark.sql.connect.client.retries import DefaultPolicy, RetryPolicyState

from helpers.runtime.errors import ServerDied
from helpers.runtime.state import ServerInfo

_NEXT = "Run the set-up cell again (or restart the kernel): a new server starts, and your tables are kept."


class ShortPolicy(DefaultPolicy):
    """Retry like Spark's own client, but for 8 seconds at most, and not at all once the server's process is gone.

    A query that runs for long is not cut: only calls that fail are counted.
    """

    def __init__(self, server: ServerInfo) -> None:
        super().__init__(max_retries=6, initial_backoff=50, max_backoff=2000, jitter=0)
        self.server = server

    def can_retry(self, e: BaseException) -> bool:
        """Raise ServerDied, which Spark's client passes on as it is, instead of an answer about a dead server."""
        if isinstance(e, grpc.RpcError) and not self._still_there(e):
            raise self.died("has ended") from None
        return super().can_retry(e)

    def to_state(self) -> RetryPolicyState:
        return _ShortState(self)

    def died(self, what: str) -> ServerDied:
        who = f"The Spark server (process {self.server.jvm_pid})"
        return ServerDied(f"{who} {what}. {_NEXT} Its log is {self.server.log}.")

    def _still_there(self, error: grpc.RpcError) -> bool:
        # A process that was killed a moment ago closes its sockets before it is gone.
        broken = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED)
        if broken and self.server.jvm.wait(0.5):
            return False
        return self.server.jvm.alive


class _ShortState(RetryPolicyState):
    def next_attempt(self, exception: BaseException | None = None) -> int | None:
        milliseconds = super().next_attempt(exception)
        if milliseconds is None:
            assert isinstance(self.policy, ShortPolicy)
            raise self.policy.died("does not answer") from None
        return milliseconds
