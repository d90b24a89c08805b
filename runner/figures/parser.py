"""What both languages of expressions share, those of claims and of conditions: tokens, errors with
their column, and limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from initlab.runner.errors import ExpressionError
from initlab.runner.figures.path import LONGEST_NUMBER, Path, scan

SPACE = re.compile(r"\s*")
MOST_LEVELS = 100
"""How deep an expression may be. Its parser and its evaluation call themselves for each level."""


@dataclass
class Parser:
    """A recursive-descent parser; every error names the column, from 1.

    Each token of `TOKEN` is one of its groups: number, text, sign or word.
    """

    TOKEN: ClassVar[re.Pattern[str]]

    text: str
    at: int = 0
    level: int = 0
    """How deep the expression is here."""

    def peek(self) -> re.Match[str] | None:
        """Return the next token; None at the end or if no token can be read."""
        return self.TOKEN.match(self.text, self.at)

    def fail(self, said: str, at: int | None = None) -> NoReturn:
        """Raise ExpressionError, at the next token or at a place."""
        raise ExpressionError(self.text, said, self.here() if at is None else at)

    def here(self) -> int:
        """Return the place of the next token."""
        space = SPACE.match(self.text, self.at)
        return self.at if space is None else space.end()

    def found(self) -> str:
        """Return the next token as text for a message."""
        token = self.peek()
        rest = self.text[self.at :].strip()
        return repr(token[0].strip()) if token else repr(rest[:1]) if rest else "its end"

    def take(self, *wanted: str) -> str | None:
        """Skip the next token if it is one of these signs or words; return it."""
        token = self.peek()
        if token is None or token.lastgroup not in ("sign", "word"):
            return None
        text = token[token.lastgroup]
        if text not in wanted:
            return None
        self.at = token.end()
        return text

    def need(self, wanted: str) -> None:
        """Skip the next token. Raises ExpressionError unless it is the wanted sign."""
        if self.take(wanted) is None:
            self.fail(f"needs '{wanted}' where it has {self.found()}")

    def deeper(self, what: str) -> None:
        """Go one level down. Raises ExpressionError if there are too many of `what`."""
        self.level += 1
        if self.level > MOST_LEVELS:
            self.fail(f"has more than {MOST_LEVELS} {what}, which is the limit")

    def digits(self, token: re.Match[str]) -> str:
        """Skip a number; return its text. Raises ExpressionError if it is too long."""
        if len(token["number"]) > LONGEST_NUMBER:
            self.fail(f"has a number of more than {LONGEST_NUMBER} characters, which is the limit")
        self.at = token.end()
        return token["number"]

    def path(self, begin: int) -> Path:
        """Skip the path that begins there, and return it."""
        try:
            found, self.at = scan(self.text, begin)
        except ExpressionError as error:
            self.fail(error.problem, begin)
        return found
