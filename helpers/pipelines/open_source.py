"""Spark's own ``pyspark.pipelines``, under a name of its own: in a lesson, that import gives Databricks' decorators.

Whoever puts ours in its place imports this module first. What is defined with the functions here runs with Spark's
``spark-pipelines``, and not in a pipeline of ours.
"""

from __future__ import annotations

from typing import Any

import pyspark.pipelines as _original

from helpers.pipelines import dp

if _original is dp:  # a lesson on Databricks, whose own module does not run in a notebook
    raise ImportError("open-source pyspark.pipelines is not on Databricks. Import it where Spark is your own.")

__all__ = list(_original.__all__)


def __getattr__(name: str) -> Any:
    return getattr(_original, name)


def __dir__() -> list[str]:
    return __all__
