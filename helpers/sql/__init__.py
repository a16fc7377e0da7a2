"""Databricks SQL that open-source Spark cannot parse: split, recognise, rewrite; pure, without Spark."""

from helpers.sql.calls import Calls, StateSource, find_calls
from helpers.sql.copy_into import CopyInto, parse_copy_into
from helpers.sql.errors import PipelineSyntaxError
from helpers.sql.parse import parse_pipeline, parse_query
from helpers.sql.statements import (
    Action,
    AutoCdc,
    Column,
    ColumnChoice,
    CreateFlow,
    CreateMaterializedView,
    CreateStreamingTable,
    CreateView,
    Expectation,
    FileSource,
    Input,
    Position,
    Query,
    SetConf,
    Statement,
    TableDefinition,
)

__all__ = [
    "Action",
    "AutoCdc",
    "Calls",
    "Column",
    "ColumnChoice",
    "CopyInto",
    "CreateFlow",
    "CreateMaterializedView",
    "CreateStreamingTable",
    "CreateView",
    "Expectation",
    "FileSource",
    "Input",
    "PipelineSyntaxError",
    "Position",
    "Query",
    "SetConf",
    "StateSource",
    "Statement",
    "TableDefinition",
    "find_calls",
    "parse_copy_into",
    "parse_pipeline",
    "parse_query",
]
