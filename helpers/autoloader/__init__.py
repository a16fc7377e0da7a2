"""Auto Loader on plain Spark: `cloudFiles` with inference, evolution and rescued data, `read_files` and COPY INTO."""

from helpers.autoloader.copy_files import EmptyCopySource
from helpers.autoloader.copy_frames import FilesDisagree
from helpers.autoloader.copy_into import copy_into
from helpers.autoloader.copy_log import DamagedCopyLog
from helpers.autoloader.copy_target import CopyTargetError
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
from helpers.autoloader.overwrites import before_command
from helpers.autoloader.read_files import read_files, stream_read_files
from helpers.autoloader.reader import CloudStreamReader
from helpers.autoloader.statements import run_copy_into, with_frames
from helpers.autoloader.stream_state import NoStreamState, cloud_files_state
from helpers.autoloader.streams import managed_schema_location, stream_files

__all__ = [
    "AutoLoaderError", "CloudStreamReader", "CopyTargetError", "DamagedCopyLog", "DamagedSchemaFile",
    "EmptyCopySource", "EmptyLandingFolder", "FilesDisagree", "InvalidSchemaHint", "LandingFolderNotFound",
    "MissingSchemaLocation", "NoStreamState", "UnsupportedOption", "UnsupportedPath", "before_command",
    "cloud_files_state", "copy_into", "is_unknown_field_error", "managed_schema_location", "read_files",
    "run_copy_into", "stream_files", "stream_read_files", "unknown_field_message", "with_frames",
]
