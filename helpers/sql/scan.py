"""One walk over a query's lexemes; it looks only at what reads tables, at `*` and at `_metadata`."""

from collections.abc import Iterator

from helpers.sql.blocks import METADATA, Block, Edit, is_star
from helpers.sql.cursor import Cursor
from helpers.sql.lexemes import Lexeme
from helpers.sql.relations import ENDS_FROM, read_relation
from helpers.sql.statements import FileSource, Input

_STARTS_STATEMENT = ("OR", "STREAMING", "MATERIALIZED", "TEMPORARY", "PRIVATE", "LIVE", "FLOW")
_DEEPEST = 60


class Scan:
    """Collects inputs, file sources and edits while its methods read parts of the query, one calling the other.

    `ctes` are the common table expressions that a part can see, in lower case.
    """

    def __init__(self, cursor: Cursor, placeholders: Iterator[str]) -> None:
        self.cursor = cursor
        self.placeholders = placeholders
        self.inputs: list[Input] = []
        self.files: list[FileSource] = []
        self.edits: list[Edit] = []
        self.notes: list[str] = []
        self.blocks: list[Block] = []
        self.live_names: set[str] = set()
        self.depth = 0

    def query(self, ctes: frozenset[str]) -> bool:
        """Read up to the closing parenthesis; tell whether it names a `_metadata` that none of its own files has."""
        ctes = self._common_tables(ctes)
        block = self._block()
        if self.cursor.accept("TABLE"):
            read_relation(self, block, ctes)
        blocks = self.steps(block, ctes)
        return any(block.names_metadata and not block.reads_files for block in blocks)

    def nested(self, ctes: frozenset[str]) -> bool:
        """Read a subquery whose opening parenthesis is taken; tell the same as `query`."""
        self.deeper()
        free = self.query(ctes)
        self.closed()
        return free

    def deeper(self) -> None:
        """Enter parentheses; what is nested without end is refused rather than left to Python's stack."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.cursor.error(f"parentheses are nested more than {_DEEPEST} deep")

    def closed(self) -> None:
        """Leave parentheses."""
        self.cursor.expect_symbol(")")
        self.depth -= 1

    def starts_query(self) -> bool:
        """Whether a query comes next, and not a column that is named like its first word."""
        first, second = self.cursor.look(), self.cursor.look(1)
        goes_on = second.is_name or second.is_symbol("(")
        return first.word in ("SELECT", "WITH", "VALUES") or (first.word in ("FROM", "TABLE") and goes_on)

    def steps(self, block: Block, ctes: frozenset[str]) -> list[Block]:
        """Read SELECTs, joined by set operators, up to the closing parenthesis; return a block for each."""
        blocks = [block]
        while not self.cursor.done and not self.cursor.sees_symbol(")"):
            lexeme = self.cursor.next()
            if self._is_set_operator(lexeme):
                blocks.append(self._block())
            elif lexeme.kind == "symbol":
                self._symbol(lexeme, blocks[-1], ctes)
            else:
                self._word(lexeme, blocks[-1], ctes)
        return blocks

    def expression(self, block: Block, ctes: frozenset[str]) -> None:
        """Read what stands in an expression's or a call's parentheses, the opening one being taken.

        FROM belongs to a function here (EXTRACT(YEAR FROM d)), unless a subquery starts.
        """
        cursor = self.cursor
        if self.starts_query():
            block.names_metadata |= self.nested(ctes)
            return
        self.deeper()
        while not cursor.done and not cursor.sees_symbol(")"):
            lexeme = cursor.next()
            if lexeme.is_symbol("("):
                self.expression(block, ctes)
            else:
                self._column(lexeme, block)
        self.closed()

    def _block(self) -> Block:
        self.blocks.append(Block())
        return self.blocks[-1]

    def _common_tables(self, ctes: frozenset[str]) -> frozenset[str]:
        cursor = self.cursor
        if not cursor.accept("WITH"):
            return ctes
        recursive = cursor.accept("RECURSIVE")
        while True:
            name = cursor.identifier("the name of a common table expression").lower()
            self._skip_to_as()
            cursor.expect_symbol("(")
            self.nested(ctes | {name} if recursive else ctes)
            ctes |= {name}
            if not cursor.accept_symbol(","):
                return ctes

    def _skip_to_as(self) -> None:
        """Pass a column list and MAX RECURSION LEVEL."""
        cursor = self.cursor
        while not cursor.accept("AS"):
            if cursor.done or cursor.sees("SELECT"):
                raise cursor.error(f"expected AS ( after the name of a common table expression, found {cursor.found()}")
            cursor.next()

    def _is_set_operator(self, lexeme: Lexeme) -> bool:
        if lexeme.word == "EXCEPT":
            return not self.cursor.look(-2).is_symbol("*")
        return lexeme.word in ("UNION", "INTERSECT", "MINUS") and not self._is_only_a_name()

    def _is_only_a_name(self) -> bool:
        """Whether the word just taken is a column after a dot or an alias after AS."""
        before = self.cursor.look(-2)
        return before.is_symbol(".") or before.word == "AS"

    def _column(self, lexeme: Lexeme, block: Block) -> None:
        if lexeme.is_symbol("*") and is_star(self.cursor, self.cursor.at - 1):
            block.stars.append(self.cursor.at - 1)
        elif lexeme.is_name and lexeme.text.lower() == METADATA:
            block.names_metadata = True

    def _symbol(self, lexeme: Lexeme, block: Block, ctes: frozenset[str]) -> None:
        if lexeme.text == "(":
            self.expression(block, ctes)
        elif lexeme.text == "," and block.in_from:
            read_relation(self, block, ctes)
        elif lexeme.text == "|>":
            block.in_from, block.pipe = False, self.cursor.at - 1
        else:
            self._column(lexeme, block)

    def _word(self, lexeme: Lexeme, block: Block, ctes: frozenset[str]) -> None:
        cursor = self.cursor
        if self._is_only_a_name() or not lexeme.word:
            self._column(lexeme, block)
        elif (lexeme.word == "FROM" and cursor.look(-2).word != "DISTINCT") or lexeme.word == "JOIN":
            read_relation(self, block, ctes)
        elif lexeme.word in ENDS_FROM or (lexeme.word == "LATERAL" and cursor.sees("VIEW")):
            block.in_from = False
        elif lexeme.word == "PIVOT" and cursor.sees_symbol("("):
            raise cursor.error("PIVOT is not supported in a pipeline: use CASE WHEN in aggregates", at=lexeme)
        elif lexeme.word == "CREATE" and cursor.look().word in _STARTS_STATEMENT:
            raise cursor.error("a `;` is missing before this CREATE", at=lexeme)
        else:
            self._column(lexeme, block)
