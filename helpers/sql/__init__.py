"""Pipeline SQL that open-source Spark cannot parse: split, recognise, rewrite; pure, without Spark."""

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
    "Column",
    "ColumnChoice",
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
    "Statement",
    "TableDefinition",
    "parse_pipeline",
    "parse_query",
]
