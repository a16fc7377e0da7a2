"""What a user may set in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from helpers.runtime.errors import BadSetting

_HEAP = re.compile(r"([1-9]\d*)([mMgG])")
_MEGABYTES = {"m": 1, "g": 1024}


@dataclass(frozen=True)
class Settings:
    """How the local Spark is run.

    `heap_mb` in MiB; `java_options` are more of the JVM's own; `idle_seconds` is how long the server stays without a
    living client; `spark` is "connect" for the server that all processes share, "classic" for a Spark inside of the
    process that asks for it.
    """

    java: str | None = None
    heap_mb: int = 2048
    port: int | None = None
    ivy_settings: str | None = None
    idle_seconds: float = 3600.0
    warm_up: bool = True
    spark: Literal["connect", "classic"] = "connect"
    java_options: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read `LAKEPREP_JAVA`, `_JAVA_OPTIONS`, `_HEAP`, `_PORT`, `_IVY_SETTINGS`, `_IDLE_SECONDS`, `_WARM_UP`
        and `_SPARK`.
        """

        def value(name: str) -> str | None:
            return environ.get(name, "").strip() or None

        return cls(
            java=value("LAKEPREP_JAVA"),
            heap_mb=_heap(value("LAKEPREP_HEAP") or "2g"),
            port=_port(value("LAKEPREP_PORT")),
            ivy_settings=value("LAKEPREP_IVY_SETTINGS"),
            idle_seconds=_seconds(value("LAKEPREP_IDLE_SECONDS") or "3600"),
            warm_up=value("LAKEPREP_WARM_UP") != "0",
            spark=_kind(value("LAKEPREP_SPARK") or "connect"),
            java_options=tuple((value("LAKEPREP_JAVA_OPTIONS") or "").split()),
        )


def _kind(text: str) -> Literal["connect", "classic"]:
    if text not in ("connect", "classic"):
        raise BadSetting(f"LAKEPREP_SPARK is {text!r}: give connect (the shared server) or classic, or unset it.")
    return cast('Literal["connect", "classic"]', text)


def _heap(text: str) -> int:
    found = _HEAP.fullmatch(text)
    megabytes = int(found[1]) * _MEGABYTES[found[2].lower()] if found else 0
    if megabytes < 512:
        raise BadSetting(f"LAKEPREP_HEAP is {text!r}: give the Spark server 512m or more, for example 2g.")
    return megabytes


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1024 <= int(text) <= 65535):
        raise BadSetting(f"LAKEPREP_PORT is {text!r}: give a port from 1024 to 65535, or unset it to have one chosen.")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise BadSetting(f"LAKEPREP_IDLE_SECONDS is {text!r}: give a number of seconds above 0.")
    return seconds
