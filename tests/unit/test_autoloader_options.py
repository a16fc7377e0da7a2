"""The options of cloudFiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.autoloader import EmptyLandingFolder, UnsupportedOption, read_files, stream_read_files
from helpers.autoloader.options import CloudOptions, check_options, read_files_options


def check(*, explicit_schema: bool = False, **options: str) -> CloudOptions:
    prefixed = {f"cloudFiles.{name}": value for name, value in options.items()}
    return check_options({"cloudFiles.format": "json", **prefixed}, explicit_schema=explicit_schema)


def test_defaults_are_those_of_databricks() -> None:
    options = check()
    assert (options.infer_column_types, options.max_files_per_trigger) == (False, 1000)
    assert (options.mode, options.rescued_column, options.schema_hints) == ("addNewColumns", "_rescued_data", None)


def test_an_explicit_schema_does_not_evolve() -> None:
    options = check(explicit_schema=True)
    assert (options.mode, options.rescued_column, options.guarded) == ("none", None, False)


def test_hints_do_not_change_the_default_mode() -> None:
    assert check(schemaHints="a INT").mode == "addNewColumns"


@pytest.mark.parametrize(("mode", "column"), [("addNewColumns", "_rescued_data"), ("rescue", "_rescued_data"),
                                              ("failOnNewColumns", "_rescued_data"), ("none", None)])
def test_an_inferred_schema_takes_every_mode_and_rescues_in_all_but_none(mode: str, column: str | None) -> None:
    options = check(schemaEvolutionMode=mode.upper())
    assert (options.mode, options.rescued_column) == (mode, column)
    renamed = check_options({"cloudFiles.format": "json", "cloudFiles.schemaEvolutionMode": mode,
                             "rescuedDataColumn": "lost"}, explicit_schema=False)
    assert (renamed.rescued_column, renamed.guarded) == ("lost", True)


def test_an_explicit_schema_rescues_only_into_a_column_that_is_named() -> None:
    assert check(explicit_schema=True, schemaEvolutionMode="failOnNewColumns").rescued_column is None
    with pytest.raises(UnsupportedOption, match="'rescuedDataColumn'"):
        check(explicit_schema=True, schemaEvolutionMode="rescue")
    options = {"cloudFiles.format": "json", "rescuedDataColumn": "lost"}
    assert check_options(options, explicit_schema=True).rescued_column == "lost"
    with pytest.raises(UnsupportedOption, match="'rescuedDataColumn' is empty"):
        check_options({**options, "rescuedDataColumn": ""}, explicit_schema=True)


def test_option_names_ignore_case() -> None:
    options = {"CLOUDFILES.FORMAT": "JSON", "cloudfiles.infercolumntypes": "TRUE"}
    assert check_options(options, explicit_schema=False).infer_column_types


@pytest.mark.parametrize(("name", "right"), [
    ("cloudFiles.schemaLocaton", "cloudFiles.schemaLocation"),
    ("cloudFiles.inferColumnType", "cloudFiles.inferColumnTypes"),
    ("schemaLocation", "cloudFiles.schemaLocation"),
    ("pathGlobFiler", "pathGlobFilter"),
])
def test_a_misspelled_option_is_named_with_the_right_spelling(name: str, right: str) -> None:
    with pytest.raises(UnsupportedOption, match=f"'{name}'.*Did you mean '{right}'"):
        check_options({"cloudFiles.format": "json", name: "x"}, explicit_schema=False)


@pytest.mark.parametrize(("name", "right"), [
    ("cloudFiles.pathGlobFilter", "pathGlobFilter"), ("cloudFiles.rescueddatacolumn", "rescuedDataColumn"),
    ("CLOUDFILES.modifiedAfter", "modifiedAfter"), ("cloudFiles.multiLine", "multiLine"),
])
@pytest.mark.parametrize("validate", ["true", "false"])
def test_a_generic_option_takes_no_prefix(name: str, right: str, validate: str) -> None:
    options = {"cloudFiles.format": "json", name: "x", "cloudFiles.validateOptions": validate}
    with pytest.raises(UnsupportedOption, match=rf"'{name}'.*takes no prefix.*option\('{right}'"):
        check_options(options, explicit_schema=False)


@pytest.mark.parametrize("name", ["cloudFiles.useNotifications", "badRecordsPath", "cloudFiles.backfillInterval",
                                  "cloudFiles.useIncrementalListing", "mode"])
def test_an_option_that_only_databricks_has_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedOption, match=f"'{name}' is not supported here yet"):
        check_options({"cloudFiles.format": "json", name: "true"}, explicit_schema=False)

    with pytest.raises(UnsupportedOption, match=f"'{name}' is not supported here yet"):
        check_options({"cloudFiles.format": "json", name: "true", "cloudFiles.validateOptions": "false"},
                      explicit_schema=False)


@pytest.mark.parametrize("mode", ["DROPMALFORMED", "failFast"])
def test_a_mode_that_loses_or_stops_at_records_is_refused_by_name(mode: str) -> None:
    for options in ({"mode": mode}, {"mode": mode, "rescuedDataColumn": "lost"}):
        with pytest.raises(UnsupportedOption, match="'mode' is not supported here yet"):
            check_options({"cloudFiles.format": "json", **options}, explicit_schema=True)


def test_an_unsupported_option_may_say_what_is_done_here() -> None:
    assert check(cleanSource="OFF", useStrictGlobber="TRUE").max_files_per_trigger == 1000
    only = {"useIncrementalListing": ("false", "auto"), "useNotifications": ("false", "true"),
            "useManagedFileEvents": ("false", "true"), "cleanSource": ("off", "DELETE"),
            "useStrictGlobber": ("true", "false")}
    for name, (done, other) in only.items():
        assert check(**{name: done}) == check()
        with pytest.raises(UnsupportedOption, match=rf"'cloudFiles\.{name}' is not supported here yet"):
            check(**{name: other})
    options = {"cloudFiles.format": "json", "readerCaseSensitive": "true", "mode": "PERMISSIVE"}
    assert check_options(options, explicit_schema=False).reader == {}
    with pytest.raises(UnsupportedOption, match="'readerCaseSensitive' is not supported here yet"):
        check_options({**options, "readerCaseSensitive": "false"}, explicit_schema=False)
    assert check_options(read_files_options({"useStrictGlobber": "true"}), explicit_schema=False, format="csv",
                         streaming=False).reader == {}


def test_without_validation_what_is_no_option_anywhere_is_left_out() -> None:
    options = {"cloudFiles.format": "json", "cloudFiles.validateOptions": "false", "typo": "1", "cloudFiles.typo": "1"}
    assert check_options(options, explicit_schema=False).reader == {}


@pytest.mark.parametrize(("text", "size"), [("100", 100), ("10k", 10240), ("1 MB", 1 << 20), ("2g", 2 << 30)])
def test_a_micro_batch_is_limited_by_bytes_or_by_files(text: str, size: int) -> None:
    options = check(maxBytesPerTrigger=text)
    assert (options.max_bytes_per_trigger, options.max_files_per_trigger) == (size, None)
    with pytest.raises(UnsupportedOption, match=r"maxFilesPerTrigger and cloudFiles\.maxBytesPerTrigger together"):
        check(maxBytesPerTrigger=text, maxFilesPerTrigger="1")


def test_times_are_utc_unless_they_say_another_zone() -> None:
    options = {"cloudFiles.format": "json", "modifiedAfter": "1970-01-01T01:00:00",
               "modifiedBefore": "1970-01-01T01:00:00+01:00"}
    checked = check_options(options, explicit_schema=False)
    assert (checked.modified_after, checked.modified_before) == (3600, 0)


def test_a_csv_option_is_no_json_option() -> None:
    with pytest.raises(UnsupportedOption, match="header"):
        check_options({"cloudFiles.format": "json", "header": "true"}, explicit_schema=False)
    csv = check_options({"cloudFiles.format": "csv", "header": "true"}, explicit_schema=False)
    assert csv.reader == {"header": "true"}


@pytest.mark.parametrize(("format", "advice"), [("avro", "spark-avro"), ("delta", "parquet"), ("nonsense", "json")])
def test_other_formats_are_refused_by_name(format: str, advice: str) -> None:
    with pytest.raises(UnsupportedOption, match=f"{format}.*{advice}"):
        check_options({"cloudFiles.format": format}, explicit_schema=False)


@pytest.mark.parametrize("format", ["text", "binaryfile"])
def test_a_format_whose_columns_are_always_the_same_neither_evolves_nor_rescues(format: str) -> None:
    options = check_options({"cloudFiles.format": format}, explicit_schema=False)
    assert (options.mode, options.rescued_column, options.guarded) == ("none", None, False)


def test_a_missing_format_is_said() -> None:
    with pytest.raises(UnsupportedOption, match=r"cloudFiles\.format"):
        check_options({}, explicit_schema=False)


def test_a_mode_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnsupportedOption, match=r"'sometimes'.*rescue"):
        check(schemaEvolutionMode="sometimes")


@pytest.mark.parametrize("explicit_schema", [True, False])
def test_type_widening_is_refused_with_another_way(explicit_schema: bool) -> None:
    with pytest.raises(UnsupportedOption, match=r"'addNewColumnsWithTypeWidening'.*only on Databricks.*schemaHints"):
        check(explicit_schema=explicit_schema, schemaEvolutionMode="addNewColumnsWithTypeWidening")


def test_adding_columns_to_an_explicit_schema_is_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedOption, match="schemaHints"):
        check(explicit_schema=True, schemaEvolutionMode="addNewColumns")


def test_hints_for_an_explicit_schema_are_refused() -> None:
    with pytest.raises(UnsupportedOption, match="schemaHints"):
        check(explicit_schema=True, schemaHints="a INT")


@pytest.mark.parametrize("format", ["text", "binaryFile"])
def test_hints_for_a_format_whose_columns_are_always_the_same_are_refused(format: str) -> None:
    for hinted in ({"cloudFiles.schemaHints": "a INT"}, read_files_options({"schemaHints": "a INT"})):
        with pytest.raises(UnsupportedOption, match=rf"schemaHints.*{format}.*cast"):
            check_options(hinted, explicit_schema=False, format=format)


@pytest.mark.parametrize(("name", "value"), [("inferColumnTypes", "yes"), ("maxFilesPerTrigger", "0"),
                                             ("maxFilesPerTrigger", "many"), ("validateOptions", "no"),
                                             ("maxBytesPerTrigger", "much"), ("includeExistingFiles", "1"),
                                             ("allowOverwrites", "1")])
def test_a_value_that_makes_no_sense_is_refused_with_its_option(name: str, value: str) -> None:
    with pytest.raises(UnsupportedOption, match=name):
        check(**{name: value})


def test_read_files_infers_types_and_takes_names_without_the_prefix() -> None:
    assert read_files_options({"schemahints": "a INT", "header": "true"}) == {
        "cloudFiles.inferColumnTypes": "true", "cloudFiles.schemaHints": "a INT", "header": "true"}
    assert read_files_options({"inferColumnTypes": "false"}) == {"cloudFiles.inferColumnTypes": "false"}


def test_read_files_refuses_a_prefix_and_cloud_files_needs_it(tmp_path: Path) -> None:
    for read in (read_files, stream_read_files):
        for name in ("cloudFiles.schemaHints", "CLOUDFILES.maxFilesPerTrigger"):
            right = name.partition(".")[2]
            with pytest.raises(UnsupportedOption, match=rf"read_files has no option '{name}'.*Write {right} =>"):
                read(None, str(tmp_path), format="json", options={name: "1"})
    with pytest.raises(UnsupportedOption, match=r"'schemaHints'.*Did you mean 'cloudFiles\.schemaHints'"):
        stream_read_files(None, str(tmp_path), format="json", options={"schemaHints": "a INT"}, prefixed=True)


def test_a_format_that_no_file_tells_is_asked_for(tmp_path: Path) -> None:
    for read in (read_files, stream_read_files):
        with pytest.raises(EmptyLandingFolder, match="Land a file first, or give it, with format => 'json'"):
            read(None, str(tmp_path), options={})
