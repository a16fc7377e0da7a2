"""Calls that read files: `read_files(path, option => value)` and the older `cloud_files(path, format, map(…))`."""

from dataclasses import dataclass

from helpers.sql.cursor import Cursor
from helpers.sql.lexemes import Lexeme
from helpers.sql.literals import literal
from helpers.sql.statements import FileSource

FILE_FUNCTIONS = ("read_files", "cloud_files")


@dataclass(frozen=True)
class _Option:
    name: str
    value: str
    lexeme: Lexeme


def file_source(cursor: Cursor, function: str, *, placeholder: str, streaming: bool, at: Lexeme) -> FileSource:
    """Read the arguments of a call whose opening parenthesis is taken, up to and with the closing one."""
    legacy = function == "cloud_files"
    path, options = _cloud_files(cursor) if legacy else _read_files(cursor)
    values = _unique(cursor, options)
    found = next((key for key in values if key.lower() == "format"), None)
    return FileSource(
        placeholder=placeholder,
        path=path,
        format=values.pop(found) if found else None,
        options=values,
        streaming=streaming or legacy,
        legacy=legacy,
        position=cursor.piece.position(at.start),
    )


def _read_files(cursor: Cursor) -> tuple[str, list[_Option]]:
    path, options = None, []
    if not _named(cursor):
        path = literal(cursor, what="the path of read_files")
    while path is None or cursor.accept_symbol(","):
        option = _option(cursor)
        if option.name.lower() != "path":
            options.append(option)
        elif path is None:
            path = option.value
        else:
            raise cursor.error("read_files has its path twice", at=option.lexeme)
        if path is None and not cursor.accept_symbol(","):
            raise cursor.error("read_files needs a path: read_files('…', format => 'json')")
    cursor.expect_symbol(")")
    return path, options


def _named(cursor: Cursor) -> bool:
    return cursor.look().is_name and cursor.look(1).is_symbol("=>")


def _option(cursor: Cursor) -> _Option:
    if not _named(cursor):
        raise cursor.error(f"options of read_files are written `name => value`, found {cursor.found()}")
    lexeme = cursor.next()
    cursor.expect_symbol("=>")
    return _Option(lexeme.text, literal(cursor, what=f"the value of `{lexeme.text}`"), lexeme)


def _cloud_files(cursor: Cursor) -> tuple[str, list[_Option]]:
    path = literal(cursor, what="the path of cloud_files")
    cursor.expect_symbol(",")
    lexeme = cursor.look()
    options = [_Option("format", literal(cursor, what="the format of cloud_files"), lexeme)]
    if cursor.accept_symbol(","):
        cursor.expect("MAP")
        cursor.expect_symbol("(")
        options += _map(cursor)
    cursor.expect_symbol(")")
    return path, options


def _map(cursor: Cursor) -> list[_Option]:
    options: list[_Option] = []
    while not cursor.accept_symbol(")"):
        if options:
            cursor.expect_symbol(",")
        lexeme = cursor.look()
        name = literal(cursor, what="an option's name in map")
        cursor.expect_symbol(",")
        options.append(_Option(name, literal(cursor, what=f"the value of `{name}`"), lexeme))
    return options


def _unique(cursor: Cursor, options: list[_Option]) -> dict[str, str]:
    seen: set[str] = set()
    for option in options:
        if option.name.lower() in seen:
            raise cursor.error(f"the option `{option.name}` is given twice", at=option.lexeme)
        seen.add(option.name.lower())
    return {option.name: option.value for option in options}
