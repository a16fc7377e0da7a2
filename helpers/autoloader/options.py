"""The options of `cloudFiles`: what is supported, its defaults, and a clear word about everything else."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from helpers.autoloader.errors import UnsupportedOption
from helpers.autoloader.records import RESCUED

PREFIX = "cloudFiles."
FORMATS = ("json", "csv")
MODES = ("addNewColumns", "rescue", "failOnNewColumns", "none")
_OURS = ("format", "schemaLocation", "inferColumnTypes", "schemaHints", "schemaEvolutionMode", "maxFilesPerTrigger",
         "validateOptions")
_COMMON = ("pathGlobFilter", "recursiveFileLookup", "rescuedDataColumn")
_READER = {
    "json": ("dateFormat", "timestampFormat"),
    "csv": ("header", "sep", "delimiter", "quote", "escape", "nullValue", "dateFormat", "timestampFormat"),
}
# On Databricks, not here: named so that the message can say which of the two it is.
_ONLY_DATABRICKS = (
    "allowOverwrites", "backfillInterval", "cleanSource", "cleanSource.retentionDuration",
    "cleanSource.moveDestination", "includeExistingFiles", "maxBytesPerTrigger", "maxFileAge", "partitionColumns",
    "useStrictGlobber", "useNotifications", "useManagedFileEvents", "useIncrementalListing", "resourceTag",
    "readerCaseSensitive", "badRecordsPath", "modifiedAfter", "modifiedBefore", "multiLine",
    "encoding", "charset", "mode", "columnNameOfCorruptRecord", "lineSep", "comment", "ignoreCorruptFiles",
    "ignoreMissingFiles", "singleVariantColumn", "mergeSchema", "samplingRatio", "inferSchema", "inferTimestamp",
    "locale", "emptyValue", "skipRows", "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace", "primitivesAsString",
    "prefersDecimal", "allowSingleQuotes", "allowComments", "allowUnquotedFieldNames", "dropFieldIfAllNull",
    "preferDate", "enforceSchema", "maxColumns", "maxCharsPerColumn", "nanValue", "positiveInf", "negativeInf",
)


@dataclass(frozen=True)
class CloudOptions:
    """Checked options; `reader` holds what goes to Spark's own reader as it stands.

    `rescued_column` is None where nothing is rescued.
    """

    format: str
    schema_location: str | None
    infer_column_types: bool
    schema_hints: str | None
    mode: str
    rescued_column: str | None
    max_files_per_trigger: int
    header: bool
    recursive: bool
    reader: Mapping[str, str]

    @property
    def guarded(self) -> bool:
        """Whether each file is looked at for fields that the schema does not have."""
        return self.rescued_column is not None or self.mode != "none"


def check_options(options: Mapping[str, str], *, explicit_schema: bool, format: str | None = None) -> CloudOptions:
    """Options with the `cloudFiles.` prefix (generic ones without) as `CloudOptions`.

    Raises UnsupportedOption with the option's name, and the right spelling where it is close.
    """
    ours, reader = _split(options)
    chosen = _format(format or ours.get("format"))
    allowed = {name.lower(): name for name in (*_COMMON, *_READER[chosen])}
    for name in reader:
        if name.lower() not in allowed:
            raise _unsupported(name, allowed.values())
    reader = {allowed[name.lower()]: value for name, value in reader.items()}
    if _boolean("validateOptions", ours.get("validateOptions", "true")) is False:
        raise UnsupportedOption("cloudFiles.validateOptions=false is not supported here: options are always checked.")
    mode = _mode(ours.get("schemaEvolutionMode"), explicit_schema)
    return CloudOptions(
        format=chosen, schema_location=ours.get("schemaLocation"),
        infer_column_types=_boolean("inferColumnTypes", ours.get("inferColumnTypes", "false")),
        schema_hints=_hints(ours.get("schemaHints"), explicit_schema),
        mode=mode, rescued_column=_rescued_column(reader.pop("rescuedDataColumn", None), mode, explicit_schema),
        max_files_per_trigger=_count("maxFilesPerTrigger", ours.get("maxFilesPerTrigger", "1000")),
        header=_boolean("header", reader.get("header", str(not explicit_schema))),
        recursive=_boolean("recursiveFileLookup", reader.pop("recursiveFileLookup", "false")), reader=reader,
    )


def read_files_options(options: Mapping[str, str]) -> dict[str, str]:
    """The named arguments of `STREAM read_files(…)` as cloudFiles options; types are inferred unless told otherwise."""
    known = {name.lower(): name for name in _OURS}
    named = {PREFIX + known[name.lower()] if name.lower() in known else name: str(value)
             for name, value in options.items()}
    return {PREFIX + "inferColumnTypes": "true", **named}


def _split(options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    known = {name.lower(): name for name in _OURS}
    ours, reader = {}, {}
    for name, value in options.items():
        if not name.lower().startswith(PREFIX.lower()):
            reader[name] = str(value)
            continue
        bare = name[len(PREFIX):]
        if bare.lower() not in known:
            raise _unsupported(name, (PREFIX + each for each in _OURS))
        ours[known[bare.lower()]] = str(value)
    return ours, reader


def _unsupported(name: str, supported: Iterable[str]) -> UnsupportedOption:
    supported = sorted(supported)
    bare = name.lower().removeprefix(PREFIX.lower())
    if bare in {each.lower() for each in _ONLY_DATABRICKS}:
        return UnsupportedOption(f"The option '{name}' is not supported here yet, only on Databricks. Remove it. "
                                 f"Supported are: {', '.join(supported)}.")
    by_lower = {each.lower(): each for each in (*supported, *(PREFIX + each for each in _OURS))}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1) or difflib.get_close_matches(
        PREFIX.lower() + bare, by_lower, n=1, cutoff=0.8)
    advice = f"Did you mean '{by_lower[near[0]]}'?" if near else f"Supported are: {', '.join(supported)}."
    return UnsupportedOption(f"Auto Loader has no option '{name}'. {advice}")


def _format(name: str | None) -> str:
    if name is None:
        raise UnsupportedOption("The option 'cloudFiles.format' is missing. Set it to 'json' or 'csv'.")
    if name.lower() not in FORMATS:
        raise UnsupportedOption(f"cloudFiles.format='{name}' is not supported here. Use {' or '.join(FORMATS)}.")
    return name.lower()


def _mode(given: str | None, explicit_schema: bool) -> str:
    mode = given or ("none" if explicit_schema else "addNewColumns")
    if mode.lower() == "addnewcolumnswithtypewidening":
        raise UnsupportedOption(f"cloudFiles.schemaEvolutionMode='{given}' is not supported here, only on Databricks. "
                                "Use addNewColumns, and give a wider type with cloudFiles.schemaHints.")
    chosen = {each.lower(): each for each in MODES}.get(mode.lower())
    if chosen is None:
        raise UnsupportedOption(f"cloudFiles.schemaEvolutionMode has no value '{given}'. Use one of: "
                                f"{', '.join(MODES)}.")
    if chosen == "addNewColumns" and explicit_schema:
        raise UnsupportedOption("cloudFiles.schemaEvolutionMode='addNewColumns' does not go with a schema of your own. "
                                "Leave the schema out and give the types you know with cloudFiles.schemaHints.")
    return chosen


def _rescued_column(given: str | None, mode: str, explicit_schema: bool) -> str | None:
    if given is not None and not given.strip():
        raise UnsupportedOption("The option 'rescuedDataColumn' is empty. Give the column a name, or remove it.")
    if explicit_schema and mode == "rescue" and not given:
        raise UnsupportedOption("cloudFiles.schemaEvolutionMode='rescue' with a schema of your own needs a column to "
                                "rescue into. Set the option 'rescuedDataColumn', to _rescued_data for example.")
    return given or (None if explicit_schema or mode == "none" else RESCUED)


def _hints(hints: str | None, explicit_schema: bool) -> str | None:
    if hints and explicit_schema:
        raise UnsupportedOption("cloudFiles.schemaHints is only for an inferred schema. Remove it, or the schema.")
    return hints


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise UnsupportedOption(f"The option '{name}' is '{value}'. Use true or false.")
    return value.lower() == "true"


def _count(name: str, value: str) -> int:
    if not value.isdigit() or int(value) < 1:
        raise UnsupportedOption(f"The option 'cloudFiles.{name}' is '{value}'. Use a whole number above 0.")
    return int(value)
