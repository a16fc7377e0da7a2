"""Where Spark comes from: Databricks' own session, `SPARK_REMOTE`, or the local server; and where things are kept.

Importing this room needs the standard library only; pyspark and psutil are imported where they are used.
"""

from helpers.runtime.places import REPO_ROOT, Places
from helpers.runtime.server import ServerStatus, ensure_server, server_status, stop_server
from helpers.runtime.session import attach, detach, on_databricks
from helpers.runtime.settings import Settings
from helpers.runtime.state import ServerInfo

__all__ = [
    "REPO_ROOT",
    "Places",
    "ServerInfo",
    "ServerStatus",
    "Settings",
    "attach",
    "detach",
    "ensure_server",
    "on_databricks",
    "server_status",
    "stop_server",
]
