"""The options of cloudFiles."""

from __future__ import annotations

import pytest

from helpers.autoloader import UnsupportedOption, read_files_options
from helpers.autoloader.options import CloudOptions, check_options


def check(*, explicit_schema: bool = False, **options: str) -> CloudOptions:
    prefixed = {f"cloudFiles.{name}": value for name, value in options.items()}
    return check_options({"cloudFiles.format": "json", **prefixed}, explicit_schema=explicit_schema)


def test_defaults_are_those_of_databricks() -> None:
    options = check()
    assert (options.infer_column_types, options.max_files_per_trigger, options.evolves) == (False, 1000, True)
    assert options.schema_hints is None


def test_an_explicit_schema_does_not_evolve() -> None:
    assert not check(explicit_schema=True).evolves


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


@pytest.mark.parametrize("name", ["cloudFiles.includeExistingFiles", "cloudFiles.useNotifications", "modifiedAfter",
                                  "rescuedDataColumn", "multiLine"])
def test_an_option_that_only_databricks_has_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedOption, match=f"'{name}' is not supported here yet"):
        check_options({"cloudFiles.format": "json", name: "true"}, explicit_schema=False)


def test_a_csv_option_is_no_json_option() -> None:
    with pytest.raises(UnsupportedOption, match="header"):
        check_options({"cloudFiles.format": "json", "header": "true"}, explicit_schema=False)
    csv = check_options({"cloudFiles.format": "csv", "header": "true"}, explicit_schema=False)
    assert csv.reader == {"header": "true"}


@pytest.mark.parametrize("format", ["parquet", "avro", "nonsense"])
def test_other_formats_are_refused_by_name(format: str) -> None:
    with pytest.raises(UnsupportedOption, match=format):
        check_options({"cloudFiles.format": format}, explicit_schema=False)


def test_a_missing_format_is_said() -> None:
    with pytest.raises(UnsupportedOption, match=r"cloudFiles\.format"):
        check_options({}, explicit_schema=False)


@pytest.mark.parametrize("mode", ["rescue", "failOnNewColumns", "addNewColumnsWithTypeWidening", "none", "sometimes"])
def test_other_evolution_modes_are_refused_when_the_schema_is_inferred(mode: str) -> None:
    with pytest.raises(UnsupportedOption, match=mode):
        check(schemaEvolutionMode=mode)


def test_adding_columns_to_an_explicit_schema_is_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedOption, match="schemaHints"):
        check(explicit_schema=True, schemaEvolutionMode="addNewColumns")


def test_hints_for_an_explicit_schema_are_refused() -> None:
    with pytest.raises(UnsupportedOption, match="schemaHints"):
        check(explicit_schema=True, schemaHints="a INT")


@pytest.mark.parametrize(("name", "value"), [("inferColumnTypes", "yes"), ("maxFilesPerTrigger", "0"),
                                             ("maxFilesPerTrigger", "many"), ("validateOptions", "false")])
def test_a_value_that_makes_no_sense_is_refused_with_its_option(name: str, value: str) -> None:
    with pytest.raises(UnsupportedOption, match=name):
        check(**{name: value})


def test_read_files_infers_types_and_takes_names_without_the_prefix() -> None:
    assert read_files_options({"schemahints": "a INT", "header": "true"}) == {
        "cloudFiles.inferColumnTypes": "true", "cloudFiles.schemaHints": "a INT", "header": "true"}
    assert read_files_options({"inferColumnTypes": "false"}) == {"cloudFiles.inferColumnTypes": "false"}
