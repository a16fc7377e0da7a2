"""The options of `cloudFiles`: what is supported, its defaults, and a clear word about everything else."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from helpers.autoloader.errors import UnsupportedOption
from helpers.autoloader.formats import AVRO, spelled
from helpers.autoloader.records import RESCUED

PREFIX = "cloudFiles."
MODES = ("addNewColumns", "rescue", "failOnNewColumns", "none")
_OURS = ("format", "schemaLocation", "inferColumnTypes", "schemaHints", "schemaEvolutionMode", "maxFilesPerTrigger",
         "maxBytesPerTrigger", "includeExistingFiles", "allowOverwrites", "partitionColumns", "validateOptions")
# What these do is not there, but the one value that describes what is done here can be written out.
_ONLY_VALUE = {"cleanSource": "off", "useNotifications": "false", "useManagedFileEvents": "false",
               "useIncrementalListing": "false", "useStrictGlobber": "true"}
_ONLY_READER_VALUE = {"readerCaseSensitive": "true", "mode": "permissive"}
_COMMON = ("pathGlobFilter", "recursiveFileLookup", "rescuedDataColumn", "modifiedAfter", "modifiedBefore")
_READER = {
    "json": ("dateFormat", "timestampFormat", "multiLine"),
    "csv": ("header", "sep", "delimiter", "quote", "escape", "nullValue", "dateFormat", "timestampFormat", "multiLine"),
    "parquet": (),
    "orc": (),
    "xml": ("rowTag", "dateFormat", "timestampFormat"),
    "text": ("encoding", "lineSep", "wholeText"),
    "binaryFile": (),
}
#: Their columns are always the same, so nothing is inferred, evolves or is rescued.
FIXED_FORMATS = ("text", "binaryFile")
# On Databricks, not here: named so that the message can say which of the two it is.
_ONLY_DATABRICKS = (
    "backfillInterval", "cleanSource", "cleanSource.retentionDuration",
    "cleanSource.moveDestination", "maxFileAge", "useStrictGlobber", "useNotifications", "useManagedFileEvents",
    "useIncrementalListing", "resourceTag", "readerCaseSensitive", "badRecordsPath",
    "encoding", "charset", "mode", "columnNameOfCorruptRecord", "lineSep", "comment", "ignoreCorruptFiles",
    "ignoreMissingFiles", "singleVariantColumn", "mergeSchema", "samplingRatio", "inferSchema", "inferTimestamp",
    "locale", "emptyValue", "skipRows", "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace", "primitivesAsString",
    "prefersDecimal", "allowSingleQuotes", "allowComments", "allowUnquotedFieldNames", "dropFieldIfAllNull",
    "preferDate", "enforceSchema", "maxColumns", "maxCharsPerColumn", "nanValue", "positiveInf", "negativeInf",
)
_GENERIC = {name.lower(): name for names in (_COMMON, *_READER.values()) for name in names}
_LOWER = frozenset(name.lower() for name in _ONLY_DATABRICKS)


@dataclass(frozen=True)
class CloudOptions:
    """Checked options; `reader` holds what goes to Spark's own reader as it stands.

    `rescued_column` is None where nothing is rescued, `partition_columns` where the folders say which there are.
    Times are seconds since 1970. A batch (not `streaming`) has no limits and never stops.
    """

    format: str
    schema_location: str | None
    infer_column_types: bool
    schema_hints: str | None
    mode: str
    rescued_column: str | None
    max_files_per_trigger: int | None
    max_bytes_per_trigger: int | None
    header: bool
    recursive: bool
    include_existing: bool
    allow_overwrites: bool
    partition_columns: tuple[str, ...] | None
    modified_after: float | None
    modified_before: float | None
    reader: Mapping[str, str]
    streaming: bool = True

    @property
    def multi_line(self) -> bool:
        """Whether a record may go over several lines."""
        return boolean("multiLine", self.reader.get("multiLine", "false"))

    @property
    def guarded(self) -> bool:
        """Whether each file is looked at for fields that the schema does not have."""
        return self.rescued_column is not None or self.mode != "none"


def check_options(
    options: Mapping[str, str], *, explicit_schema: bool, format: str | None = None, streaming: bool = True
) -> CloudOptions:
    """Options with the `cloudFiles.` prefix (generic ones without) as `CloudOptions`.

    Raises UnsupportedOption with the option's name, and the right spelling where it is close.
    """
    validate = _validates(options)
    ours, reader = _split(options, validate=validate)
    chosen = _format(format or ours.get("format"))
    reader = _reader(reader, chosen, validate=validate)
    if chosen == "xml" and "rowTag" not in reader:
        raise UnsupportedOption("The option 'rowTag' is missing: it names the XML element that becomes a row.")
    fixed = explicit_schema or chosen in FIXED_FORMATS
    mode = _mode(ours.get("schemaEvolutionMode"), fixed)
    files, size = _limits(ours) if streaming else (None, None)
    return CloudOptions(
        format=chosen, schema_location=ours.get("schemaLocation"),
        infer_column_types=boolean("inferColumnTypes", ours.get("inferColumnTypes", "false")),
        schema_hints=_hints(ours.get("schemaHints"), chosen, explicit_schema),
        mode=mode, rescued_column=_rescued_column(reader.pop("rescuedDataColumn", None), mode, fixed),
        max_files_per_trigger=files, max_bytes_per_trigger=size,
        header=boolean("header", reader.get("header", str(not explicit_schema))),
        recursive=boolean("recursiveFileLookup", reader.pop("recursiveFileLookup", "false")),
        include_existing=boolean("includeExistingFiles", ours.get("includeExistingFiles", "true")),
        allow_overwrites=boolean("allowOverwrites", ours.get("allowOverwrites", "false")),
        partition_columns=_names(ours.get("partitionColumns")),
        modified_after=moment("modifiedAfter", reader.pop("modifiedAfter", None)),
        modified_before=moment("modifiedBefore", reader.pop("modifiedBefore", None)),
        reader=reader, streaming=streaming,
    )


def read_files_options(options: Mapping[str, str]) -> dict[str, str]:
    """The named arguments of `read_files(…)` as cloudFiles options; types are inferred unless told otherwise."""
    for name in options:
        if name.lower().startswith(PREFIX.lower()):
            raise UnsupportedOption(f"read_files has no option '{name}': its options have no prefix. "
                                    f"Write {name[len(PREFIX):]} => … .")
    known = {name.lower(): name for name in (*_OURS, *_ONLY_VALUE)}
    named = {PREFIX + known[name.lower()] if name.lower() in known else name: str(value)
             for name, value in options.items()}
    return {PREFIX + "inferColumnTypes": "true", **named}


def _validates(options: Mapping[str, str]) -> bool:
    name = f"{PREFIX}validateOptions"
    return boolean(name, next((str(value) for each, value in options.items() if each.lower() == name.lower()), "true"))


def _split(options: Mapping[str, str], *, validate: bool) -> tuple[dict[str, str], dict[str, str]]:
    known = {name.lower(): name for name in _OURS}
    only = {name.lower(): value for name, value in _ONLY_VALUE.items()}
    ours, reader = {}, {}
    for name, value in options.items():
        bare = name[len(PREFIX):]
        if not name.lower().startswith(PREFIX.lower()):
            reader[name] = str(value)
        elif bare.lower() in known:
            ours[known[bare.lower()]] = str(value)
        elif bare.lower() in _GENERIC:
            raise UnsupportedOption(f"Auto Loader has no option '{name}': {_GENERIC[bare.lower()]} takes no prefix. "
                                    f"Write option('{_GENERIC[bare.lower()]}', …).")
        elif only.get(bare.lower()) != str(value).lower() and (validate or bare.lower() in _LOWER):
            raise _unsupported(name, (PREFIX + each for each in _OURS))
    return ours, reader


def _reader(given: Mapping[str, str], format: str, *, validate: bool) -> dict[str, str]:
    """The options without a prefix; unless they are validated, what is no option anywhere is left out."""
    allowed = {name.lower(): name for name in (*_COMMON, *_READER[format])}
    only = {name.lower(): value for name, value in _ONLY_READER_VALUE.items()}
    for name, value in given.items():
        if only.get(name.lower()) == value.lower():
            continue
        if name.lower() not in allowed and (validate or name.lower() in _LOWER):
            raise _unsupported(name, allowed.values())
    return {allowed[name.lower()]: value for name, value in given.items() if name.lower() in allowed}


def _limits(ours: Mapping[str, str]) -> tuple[int | None, int | None]:
    """The files and the bytes of a micro-batch: Spark takes one of the two limits."""
    size = ours.get("maxBytesPerTrigger")
    if size is None:
        return count_of("cloudFiles.maxFilesPerTrigger", ours.get("maxFilesPerTrigger", "1000")), None
    if "maxFilesPerTrigger" in ours:
        raise UnsupportedOption("cloudFiles.maxFilesPerTrigger and cloudFiles.maxBytesPerTrigger together are not "
                                "supported here, only on Databricks. Keep one of them.")
    return None, size_of("cloudFiles.maxBytesPerTrigger", size)


def size_of(name: str, text: str) -> int:
    """A size such as 10g or 500mb in bytes."""
    found = re.fullmatch(r"(\d+)\s*([kmgt]?)b?", text.strip().lower())
    if not found or int(found[1]) < 1:
        raise UnsupportedOption(f"The option '{name}' is '{text}'. Write a size such as 10g or 500mb.")
    return int(found[1]) * 1024 ** " kmgt".index(found[2] or " ")


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _unsupported(name: str, supported: Iterable[str]) -> UnsupportedOption:
    supported = sorted(supported)
    bare = name.lower().removeprefix(PREFIX.lower())
    if bare in _LOWER:
        return UnsupportedOption(f"The option '{name}' is not supported here yet, only on Databricks. Remove it. "
                                 f"Supported are: {', '.join(supported)}.")
    by_lower = {each.lower(): each for each in (*supported, *(PREFIX + each for each in _OURS))}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1) or difflib.get_close_matches(
        PREFIX.lower() + bare, by_lower, n=1, cutoff=0.8)
    advice = f"Did you mean '{by_lower[near[0]]}'?" if near else f"Supported are: {', '.join(supported)}."
    return UnsupportedOption(f"Auto Loader has no option '{name}'. {advice}")


def _format(name: str | None) -> str:
    if name is None:
        raise UnsupportedOption("The option 'cloudFiles.format' is missing. Set it to 'json' or 'csv' for example.")
    if name.lower() == "avro":
        raise UnsupportedOption(f"cloudFiles.format: {AVRO}")
    if spelled(name) not in _READER:
        raise UnsupportedOption(f"cloudFiles.format='{name}' is not supported here. Use one of: {', '.join(_READER)}.")
    return spelled(name)


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


def _hints(hints: str | None, format: str, explicit_schema: bool) -> str | None:
    if hints and format in FIXED_FORMATS:
        raise UnsupportedOption(f"cloudFiles.schemaHints is not supported here for {format}, whose columns are always "
                                "the same. Remove it, and cast the columns in a select.")
    if hints and explicit_schema:
        raise UnsupportedOption("cloudFiles.schemaHints is only for an inferred schema. Remove it, or the schema.")
    return hints


def moment(name: str, value: str | None) -> float | None:
    """A time such as 2026-11-24T08:00:00 (UTC, unless it says another zone) in seconds since 1970."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise UnsupportedOption(f"The option '{name}' is '{value}'. Write a time as 2026-11-24T08:00:00.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def boolean(name: str, value: str) -> bool:
    """What `true` or `false` says."""
    if value.lower() not in ("true", "false"):
        raise UnsupportedOption(f"The option '{name}' is '{value}'. Use true or false.")
    return value.lower() == "true"


def count_of(name: str, value: str) -> int:
    """A whole number above 0."""
    if not value.isdigit() or int(value) < 1:
        raise UnsupportedOption(f"The option '{name}' is '{value}'. Use a whole number above 0.")
    return int(value)
