"""Declarative pipelines: Databricks' definitions, run by our own engine on plain Spark and Delta."""

from helpers.pipelines.errors import PipelineError
from helpers.pipelines.report import DatasetReport, ExpectationCount, UpdateReport
from helpers.pipelines.settings import PipelineSettings, load_settings
from helpers.pipelines.update import Request, run_update

__all__ = ["DatasetReport", "ExpectationCount", "PipelineError", "PipelineSettings", "Request", "UpdateReport",
           "load_settings", "run_update"]
