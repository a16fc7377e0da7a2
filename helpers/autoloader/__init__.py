"""Auto Loader on plain Spark: `cloudFiles`, with inference, evolution and the rescued data column."""

from helpers.autoloader.errors import (
    AutoLoaderError,
    DamagedSchemaFile,
    EmptyLandingFolder,
    InvalidSchemaHint,
    LandingFolderNotFound,
    MissingSchemaLocation,
    UnsupportedOption,
    UnsupportedPath,
    is_unknown_field_error,
    unknown_field_message,
)
from helpers.autoloader.options import read_files_options
from helpers.autoloader.reader import CloudStreamReader
from helpers.autoloader.streams import managed_schema_location, stream_files

__all__ = [
    "AutoLoaderError", "CloudStreamReader", "DamagedSchemaFile", "EmptyLandingFolder", "InvalidSchemaHint",
    "LandingFolderNotFound", "MissingSchemaLocation", "UnsupportedOption", "UnsupportedPath", "is_unknown_field_error",
    "managed_schema_location", "read_files_options", "stream_files",
    "unknown_field_message",
]
