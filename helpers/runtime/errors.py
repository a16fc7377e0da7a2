"""What can go wrong between a learner and Spark; each message names the culprit and the next step."""

from __future__ import annotations

from helpers.errors import LakeprepError


class BadSetting(LakeprepError):
    """A `LAKEPREP_*` variable holds something that cannot be used."""


class JavaUnusable(LakeprepError):
    """What was named as Java is not one, or is too old for Spark."""


class JarsUnavailable(LakeprepError):
    """Delta's JARs could not be fetched."""


class JarDamaged(LakeprepError):
    """A fetched JAR is not the file that Lakeprep was tested with."""


class HomeUnusable(LakeprepError):
    """The home cannot be written: no permission, or the disk is full."""


class NotEnoughMemory(LakeprepError):
    """The machine has less free memory than the Spark server needs."""


class PortBusy(LakeprepError):
    """Another program listens on the port that `LAKEPREP_PORT` names."""


class PortTaken(PortBusy):
    """Another program took the port between the look and the start."""


class HomeInUse(LakeprepError):
    """Another process has a Spark over this home; two of them would damage its metastore."""


class NotShared(LakeprepError):
    """The shared server was asked for where `LAKEPREP_SPARK=classic` says that each process has its own Spark."""


class ServerNotStarted(LakeprepError):
    """The Spark server ended, or stayed silent, before it was ready."""


class ServerDied(LakeprepError):
    """The Spark server that this session used has ended."""


class ServerUnreachable(LakeprepError):
    """Nobody answers where `SPARK_REMOTE` points."""


class SessionAlreadyOpen(LakeprepError):
    """This process already holds another Spark session."""


class SessionEnded(LakeprepError):
    """The session that was asked for by id has been closed on the server."""
