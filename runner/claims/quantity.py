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
from dataclasses import dataclass

import numpy as np

from initlab.engine.registry import advice
from initlab.runner.errors import QuantityError
from initlab.runner.figures import parser
from initlab.runner.figures.path import Path
from initlab.runner.figures.samples import REDUCTIONS, SAMPLES, log

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)|(?P<word>[A-Za-z_])|(?P<sign>[-+*/(),]))"
)
COLUMN = 3
"""Steps of a path to a column: a section, which of its rows, the column."""
OPERATIONS = "operations, functions and parentheses"
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
class Parser(parser.Parser):
    """The parser of quantities."""

    TOKEN = TOKEN

    def whole(self) -> Node:
        """Return the expression of the whole text. Raises ExpressionError if something follows it."""
        node = self.expression()
        self._end()
        return node

    def _end(self) -> None:
        if rest := self.text[self.at :].strip():
            self.fail(f"cannot be read from '{rest}' on")

    def expression(self) -> Node:
        return self._joined(self.term, "+", "-")

    def term(self) -> Node:
        return self._joined(self.factor, "*", "/")

    def _joined(self, part: Callable[[], Node], *signs: str) -> Node:
        node = part()
        while (sign := self.take(*signs)) is not None:
            self.deeper(OPERATIONS)
            node = Binary(sign, node, part())
        return node

    def factor(self) -> Node:
        token = self.peek()
        if self.take("-"):
            self.deeper(OPERATIONS)
            return Binary("-", Number(0.0), self.factor())
        if self.take("("):
            self.deeper(OPERATIONS)
            node = self.expression()
            self.need(")")
            return node
        if token is not None and token["number"] is not None:
            return Number(float(self.digits(token)))
        if token is None or token["word"] is None:
            if token is None and self.text[self.at :].strip():
                self._end()
            self.fail(f"needs a number, a function or a path where it has {self.found()}")
        path = self.path(token.start("word"))
        if self.take("("):
            return self._call(str(path), token.start("word"))
        following = self.peek()
        if str(path) in FUNCTIONS and following is not None and following["sign"] is None:
            self.deeper(OPERATIONS)
            return Call(str(path), (self.factor(),))
        return path

    def _call(self, name: str, begin: int) -> Node:
        known = [*FUNCTIONS, *REDUCTIONS, SLOPE]
        if name not in known:
            raise QuantityError(f"no function '{name}' - {advice(name, known)}", unknown=True)
        self.deeper(OPERATIONS)
        arguments = [self.expression()]
        while self.take(","):
            arguments.append(self.expression())
        self.need(")")
        count = 2 if name == SLOPE else 1
        if len(arguments) != count:
            said = f"{name} takes {count} argument{'s' * (count > 1)}, it is given {len(arguments)}"
            self.fail(said, begin)
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


def unknown_reduction(node: Node) -> str | None:
    """Return the last step of a path to a column if it stands for a reduction and is none."""
    match node:
        case Path(steps=(*steps, str(last))) if len(steps) == COLUMN and last not in REDUCTIONS:
            return last
    return None
