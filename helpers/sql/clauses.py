"""The parts of CREATE statements between the name and the query: columns, expectations, table clauses."""

from dataclasses import dataclass, field
from typing import Any

from helpers.sql.cursor import Cursor
from helpers.sql.lexemes import Lexeme, subquery
from helpers.sql.literals import literal
from helpers.sql.statements import Column, Expectation

_ACTIONS = {("DROP", "ROW"): "drop", ("FAIL", "UPDATE"): "fail"}
_UNSUPPORTED_IN_COLUMN = ("DEFAULT", "GENERATED", "CONSTRAINT", "PRIMARY", "FOREIGN", "REFERENCES", "MASK")
_OPENING = {")": "(", ">": "<"}
_ENDS_TYPE = ("NOT", "COMMENT", *_UNSUPPORTED_IN_COLUMN)
_UNSUPPORTED_CLAUSES = (
    ("SCHEDULE",),
    ("TRIGGER", "ON", "UPDATE"),
    ("REFRESH", "POLICY"),
    ("WITH", "ROW", "FILTER"),
    ("ROW", "FILTER"),
    ("DEFAULT", "COLLATION"),
    ("FLOW",),
    ("REPLACE", "WHERE"),
    ("AUTO", "CDC"),
)
#: Two ways to lay out a table's files.
_LAYOUTS = frozenset({"PARTITIONED BY", "CLUSTER BY"})


@dataclass
class Clauses:
    """What was declared so far; filled clause by clause."""

    columns: list[Column] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    cluster_by_auto: bool = False
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    location: str | None = None

    def fields(self, *names: str) -> dict[str, Any]:
        """The values of these fields (all by default) as a statement takes them."""
        values = vars(self) | {"columns": tuple(self.columns), "expectations": tuple(self.expectations)}
        return {name: values[name] for name in names or values}


def read_specification(cursor: Cursor, clauses: Clauses) -> None:
    """Read `(column type …, CONSTRAINT name EXPECT (condition) …)` where it comes next."""
    if not cursor.accept_symbol("("):
        return
    while True:
        if cursor.sees("CONSTRAINT"):
            _constraint(cursor, clauses)
        elif cursor.look().word in ("PRIMARY", "FOREIGN") and cursor.look(1).word == "KEY":
            raise _unsupported(cursor, f"{cursor.look().word} KEY")
        else:
            _column(cursor, clauses)
        # Legacy sources put no comma between the last column or constraint and the next constraint.
        if not cursor.accept_symbol(",") and not cursor.sees("CONSTRAINT"):
            break
    cursor.expect_symbol(")")


def _unsupported(cursor: Cursor, what: str) -> Exception:
    return cursor.error(f"{what} is not supported yet: remove it, or run this on Databricks")


def _constraint(cursor: Cursor, clauses: Clauses) -> None:
    cursor.expect("CONSTRAINT")
    at = cursor.look()
    name = cursor.identifier("the expectation's name after CONSTRAINT")
    if any(known.name == name for known in clauses.expectations):
        raise cursor.error(f"the expectation `{name}` is declared twice: give each its own name", at=at)
    if cursor.look().word in ("PRIMARY", "FOREIGN", "CHECK"):
        raise _unsupported(cursor, f"{cursor.look().word} as a table constraint")
    cursor.expect("EXPECT")
    condition = _condition(cursor, name)
    clauses.expectations.append(Expectation(name, condition, _action(cursor)))


def _condition(cursor: Cursor, name: str) -> str:
    opening = cursor.expect_symbol("(")
    depth, first, start = 1, cursor.look(), cursor.at
    while depth:
        if cursor.done:
            raise cursor.error(f"the condition of `{name}` is never closed: add `)`", at=opening)
        lexeme = cursor.next()
        depth += lexeme.is_symbol("(") - lexeme.is_symbol(")")
    query = subquery(cursor.lexemes[start:cursor.at])
    if query is not None:
        raise cursor.error(f"the condition of `{name}` may not contain a subquery", at=query)
    if first is lexeme:
        raise cursor.error(f"the condition of `{name}` is empty", at=first)
    return cursor.text_between(first.start, cursor.look(-2).end)


def _action(cursor: Cursor) -> str:
    if not cursor.accept("ON", "VIOLATION"):
        return "warn"
    for words, action in _ACTIONS.items():
        if cursor.accept(*words):
            return action
    raise cursor.error(
        f"unknown action {cursor.found()} after ON VIOLATION: write DROP ROW or FAIL UPDATE; "
        "to only count violations, leave ON VIOLATION out"
    )


def _column(cursor: Cursor, clauses: Clauses) -> None:
    at = cursor.look()
    name = cursor.identifier("a column or CONSTRAINT")
    if any(known.name.lower() == name.lower() for known in clauses.columns):
        raise cursor.error(f"the column `{name}` is declared twice", at=at)
    type_text = _type(cursor)
    not_null, comment = False, None
    while not _ends_item(cursor):
        if cursor.accept("NOT"):
            cursor.expect("NULL")
            not_null = True
        elif cursor.accept("COMMENT"):
            comment = cursor.string("a column's comment")
        elif cursor.look().word in _UNSUPPORTED_IN_COLUMN:
            raise _unsupported(cursor, f"{cursor.look().word} of the column `{name}`")
        else:
            raise cursor.error(f"expected NOT NULL, COMMENT, `,` or `)` after `{name}`, found {cursor.found()}")
    clauses.columns.append(Column(name=name, type=type_text, not_null=not_null, comment=comment))


def _ends_item(cursor: Cursor) -> bool:
    constrained = cursor.sees("CONSTRAINT") and cursor.look(2).word == "EXPECT"
    return cursor.done or cursor.sees_symbol(",") or cursor.sees_symbol(")") or constrained


def _type(cursor: Cursor) -> str | None:
    """Take a type as written, such as DECIMAL(10, 2) or STRUCT<a: INT, b: ARRAY<STRING>>."""
    start, brackets = cursor.look(), ""
    while not cursor.done and (brackets or not (_ends_item(cursor) or cursor.look().word in _ENDS_TYPE)):
        for character in _brackets(cursor.next()):
            if character in "(<":
                brackets += character
            elif brackets[-1:] == _OPENING[character]:
                brackets = brackets[:-1]
            else:
                raise cursor.error("this type's brackets do not match", at=start)
    if brackets:
        raise cursor.error("this type's brackets do not match", at=start)
    return cursor.text_between(start.start, cursor.look(-1).end) if cursor.look() is not start else None


def _brackets(lexeme: Lexeme) -> str:
    """The brackets of one lexeme: `<>` is one lexeme and two brackets."""
    return lexeme.text if lexeme.kind == "symbol" and set(lexeme.text) <= set("()<>") else ""


def read_clauses(cursor: Cursor, clauses: Clauses, *, kind: str) -> None:
    """Read table clauses in any order, up to AS, a streaming table's FLOW or the end; each may stand once."""
    seen: set[str] = set()
    while not cursor.done and not cursor.sees("AS") and not (kind == "streaming table" and cursor.sees("FLOW")):
        at = cursor.look()
        clause = _clause(cursor, clauses, kind)
        if clause in seen:
            raise cursor.error(f"{clause} is given twice", at=at)
        seen.add(clause)
        if seen >= _LAYOUTS:
            raise cursor.error("PARTITIONED BY and CLUSTER BY exclude each other: keep one of them", at=at)


def _clause(cursor: Cursor, clauses: Clauses, kind: str) -> str:
    for words in _UNSUPPORTED_CLAUSES:
        if cursor.sees(*words):
            raise _unsupported(cursor, f"{' '.join(words)} on a {kind}")
    if cursor.accept("COMMENT"):
        clauses.comment = cursor.string("the comment")
        return "COMMENT"
    if cursor.accept("TBLPROPERTIES"):
        _properties(cursor, clauses.properties)
        return "TBLPROPERTIES"
    if kind == "temporary view":
        raise cursor.error(f"a temporary view takes COMMENT, TBLPROPERTIES and AS, found {cursor.found()}")
    return _table_clause(cursor, clauses, kind)


def _table_clause(cursor: Cursor, clauses: Clauses, kind: str) -> str:
    if cursor.accept("PARTITIONED", "BY"):
        clauses.partition_by = _names(cursor, "PARTITIONED BY")
        return "PARTITIONED BY"
    if cursor.accept("CLUSTER", "BY"):
        clauses.cluster_by_auto = cursor.accept("AUTO")
        if not clauses.cluster_by_auto and not cursor.accept("NONE"):
            clauses.cluster_by = _names(cursor, "CLUSTER BY")
        return "CLUSTER BY"
    if cursor.accept("LOCATION"):
        clauses.location = cursor.string("the location")
        return "LOCATION"
    if cursor.accept("USING"):
        cursor.expect("DELTA")
        return "USING"
    raise cursor.error(f"expected AS, the end or a clause of a {kind} (such as COMMENT), found {cursor.found()}")


def _names(cursor: Cursor, clause: str) -> tuple[str, ...]:
    cursor.expect_symbol("(")
    names = []
    while not cursor.accept_symbol(")"):
        if names:
            cursor.expect_symbol(",")
        names.append(cursor.name(f"a column in {clause}").text)
    if not names:
        raise cursor.error(f"{clause} names no column", at=cursor.look(-1))
    return tuple(names)


def _properties(cursor: Cursor, properties: dict[str, str]) -> None:
    cursor.expect_symbol("(")
    while not cursor.accept_symbol(")"):
        if properties:
            cursor.expect_symbol(",")
        at = cursor.look()
        quoted = at.kind == "string"
        key = cursor.string("a property's name") if quoted else ".".join(cursor.name("a property's name").parts)
        if key in properties:
            raise cursor.error(f"the property `{key}` is given twice", at=at)
        cursor.accept_symbol("=")
        properties[key] = literal(cursor, what=f"the value of `{key}`")
