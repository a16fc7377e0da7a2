"""What a pipeline's SQL can do wrong."""

from helpers.errors import LakeprepError


class PipelineSyntaxError(LakeprepError):
    """One mistake in a pipeline source; line and column count from 1 in the file as the author wrote it."""

    def __init__(self, message: str, *, source: str, line: int, column: int) -> None:
        super().__init__(f"{source}:{line}:{column}: {message}")
        self.message, self.source, self.line, self.column = message, source, line, column
