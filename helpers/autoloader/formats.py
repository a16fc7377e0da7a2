"""The file formats, and the options that Spark's own reader takes for each."""

from __future__ import annotations

FORMATS = ("json", "csv", "parquet", "orc", "text", "binaryFile", "xml")
AVRO = ("avro is not supported here: it needs the Spark package spark-avro, which is not installed. Use another "
        "format, or run this on Databricks.")

_TIMES = ("dateFormat", "timestampFormat", "timestampNTZFormat")
_RECORDS = ("charset", "columnNameOfCorruptRecord", "encoding", "inferSchema", "locale", "mergeSchema", "mode",
            "samplingRatio", *_TIMES)
READER_OPTIONS: dict[str, tuple[str, ...]] = {
    "csv": (
        *_RECORDS, "charToEscapeQuoteEscaping", "comment", "delimiter", "emptyValue", "enforceSchema", "escape",
        "header", "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace", "lineSep", "maxCharsPerColumn", "maxColumns",
        "multiLine", "nanValue", "negativeInf", "nullValue", "positiveInf", "preferDate", "quote", "sep",
        "unescapedQuoteHandling",
    ),
    "json": (
        *_RECORDS, "allowBackslashEscapingAnyCharacter", "allowComments", "allowNonNumericNumbers",
        "allowNumericLeadingZeros", "allowSingleQuotes", "allowUnquotedControlChars", "allowUnquotedFieldNames",
        "dropFieldIfAllNull", "inferTimestamp", "lineSep", "multiLine", "prefersDecimal", "primitivesAsString",
        "timeZone",
    ),
    "parquet": ("datetimeRebaseMode", "int96RebaseMode", "mergeSchema"),
    "orc": ("mergeSchema",),
    "text": ("encoding", "lineSep", "wholeText"),
    "binaryFile": (),
    "xml": (
        *_RECORDS, "arrayElementName", "attributePrefix", "excludeAttribute", "ignoreNamespace",
        "ignoreSurroundingSpaces", "nullValue", "rowTag", "rowValidationXSDPath", "valueTag", "wildcardColName",
    ),
}


def spelled(name: str) -> str:
    """The format's own spelling, whatever the case; the name as it is where there is no such format."""
    return next((each for each in FORMATS if each.lower() == name.lower()), name)
