"""The quantity of a claim: an expression over the results of runs.

    layers.*.rms_ratio.log_mean              one number of each run: the mean logarithm over the layers
                                             that have such a ratio
    parameters['0.weight'].std               one column of one parameter
    layers[1:-1].grad_ratio.mean             a slice of the rows
    figures.loss - 2.302585                  arithmetic
    slope(log layers[-1].output_change, log width)     the slope over runs that differ in `width`, one
                                                       line for each seed
    slope(log layers.*.rms, index)           the slope over the rows of one run

    expression := term (('+' | '-') term)*          term := factor (('*' | '/') factor)*
    factor     := number | '-' factor | '(' expression ')' | path
                | function '(' expression, … ')' | function factor

Paths are those of `runner.figures.path`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from initlab.engine.registry import advice
from initlab.runner.errors import QuantityError
from initlab.runner.figures.path import Path, scan
from initlab.runner.figures.samples import REDUCTIONS, SAMPLES, log

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)|(?P<path>[A-Za-z_])|(?P<sign>[-+*/(),]))"
)
COLUMN = 3
"""Steps of a path to a column: a section, which of its rows, the column."""
INDEX = "index"
SLOPE = "slope"


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log": log,
    "exp": np.exp,
    "sqrt": lambda x: np.sqrt(x, out=np.full(np.shape(x), np.nan), where=np.asarray(x) >= 0),
    "square": np.square,
    "abs": np.abs,
}
"""Functions of one number."""


@dataclass(frozen=True)
class Number:
    """A number literal."""

    value: float


@dataclass(frozen=True)
class Call:
    """A function applied to expressions."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Binary:
    """Two expressions joined by + - * /."""

    sign: str
    left: Node
    right: Node


Node = Number | Path | Call | Binary


@dataclass
class Parser:
    """A recursive-descent parser over the tokens of a text."""

    text: str
    tokens: list[tuple[str, str]] = field(default_factory=list)
    paths: dict[int, Path] = field(default_factory=dict)
    """Index of a token -> the path it is."""
    at: int = 0

    def __post_init__(self) -> None:
        end = 0
        text = self.text.rstrip()
        while end < len(text):
            match = TOKEN.match(text, end)
            if match is None:
                raise QuantityError(f"'{self.text}' cannot be read from '{text[end:].strip()}' on")
            end = match.end()
            kind = str(match.lastgroup)
            token = match[kind]
            if kind == "path":
                path, end = scan(text, match.start(kind))
                token = str(path)
                self.paths[len(self.tokens)] = path
            self.tokens.append((kind, token))

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        """Return the next token, or ('end', '') at the end."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ("end", "")

    def take(self, *wanted: str) -> str | None:
        """Skip the next token if it is one of these signs; return whether it was."""
        kind, text = self.peek()
        if kind != "sign" or text not in wanted:
            return None
        self.at += 1
        return text

    def need(self, wanted: str) -> None:
        """Skip the next token. Raises QuantityError unless it is the wanted sign."""
        if self.take(wanted) is None:
            found = self.peek()[1] or "its end"
            raise QuantityError(f"'{self.text}' needs '{wanted}' where it has {found!r}")

    def whole(self) -> Node:
        """Return the expression of the whole text. Raises QuantityError if something follows it."""
        node = self.expression()
        if self.peek()[0] != "end":
            raise QuantityError(f"'{self.text}' cannot be read from '{self.peek()[1]}' on")
        return node

    def expression(self) -> Node:
        return self._joined(self.term, "+", "-")

    def term(self) -> Node:
        return self._joined(self.factor, "*", "/")

    def _joined(self, part: Callable[[], Node], *signs: str) -> Node:
        node = part()
        while (sign := self.take(*signs)) is not None:
            node = Binary(sign, node, part())
        return node

    def factor(self) -> Node:
        kind, text = self.peek()
        if self.take("-"):
            return Binary("-", Number(0.0), self.factor())
        if self.take("("):
            node = self.expression()
            self.need(")")
            return node
        if kind == "number":
            self.at += 1
            return Number(float(text))
        if kind != "path":
            raise QuantityError(
                f"'{self.text}' needs a number, a function or a path where it has {text or 'its end'!r}"
            )
        following = self.peek(1)
        if following == ("sign", "("):
            return self._call(text)
        self.at += 1
        if text in FUNCTIONS and following[0] in ("path", "number"):
            return Call(text, (self.factor(),))
        return self.paths[self.at - 1]

    def _call(self, name: str) -> Node:
        known = [*FUNCTIONS, *REDUCTIONS, SLOPE]
        if name not in known:
            raise QuantityError(f"no function '{name}' - {advice(name, known)}", unknown=True)
        self.at += 2
        arguments = [self.expression()]
        while self.take(","):
            arguments.append(self.expression())
        self.need(")")
        count = 2 if name == SLOPE else 1
        if len(arguments) != count:
            raise QuantityError(
                f"{name} takes {count} argument{'s' * (count > 1)}, '{self.text}' gives it {len(arguments)}"
            )
        return Call(name, tuple(arguments))


def parse(text: str) -> Node:
    """Parse a text. Raises QuantityError if it is no expression."""
    return Parser(text).whole()


def paths(node: Node) -> Iterator[Path]:
    """Return all paths in an expression."""
    match node:
        case Path():
            yield node
        case Call(arguments=parts):
            for part in parts:
                yield from paths(part)
        case Binary(left=left, right=right):
            yield from paths(left)
            yield from paths(right)
        case Number():
            return


def slopes(node: Node) -> Iterator[Call]:
    """Return all slopes in an expression."""
    match node:
        case Call(function=name, arguments=parts):
            if name == SLOPE:
                yield node
            for part in parts:
                yield from slopes(part)
        case Binary(left=left, right=right):
            yield from slopes(left)
            yield from slopes(right)
        case Number() | Path():
            return


def outermost(node: Node) -> tuple[str, Node] | None:
    """Return (a reduction of `SAMPLES`, the reduced node) if the expression is one, else None."""
    match node:
        case Call(function=name, arguments=(inner,)) if name in SAMPLES:
            return name, inner
        case Path(steps=(*steps, str(last))) if last in SAMPLES and len(steps) == COLUMN:
            return last, node.below(COLUMN)
    return None
