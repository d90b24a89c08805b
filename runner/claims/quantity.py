"""What a claim is about: an expression over the results of runs.

    layers.*.rms_ratio.log_mean              one number of each run: the mean logarithm over the layers that have such a ratio
    parameters['0.weight'].std               one parameter's column; a name with a star stands for all that match
    layers[1:-1].grad_ratio.mean             a part of the rows
    figures.loss - 2.302585                  arithmetic
    slope(log layers[-1].output_change, log width)     the slope over runs that differ in `width`, one line a seed
    slope(log layers.*.rms, index)           the slope over the rows of one run

    expression := term (('+' | '-') term)*          term := factor (('*' | '/') factor)*
    factor     := number | '-' factor | '(' expression ')' | function '(' expression, … ')' | function factor | path
    path       := name ('.' (name | '*') | '[' (number | from:to | 'name') ']')*

A path starts at a section of a run's `stats.json`, or is a key of its config: `width` is short for
`vars.width`. A name behind the last column reduces its values to one: those of `REDUCTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from initlab.engine.registry import advice
from initlab.runner.errors import QuantityError

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<quoted>'[^']*'|\"[^\"]*\")|(?P<sign>[-+*/().,:\[\]]))"
)
COLUMN = 3
"""Steps of a path to a column: a section, which of its rows, the column."""
INDEX = "index"
SLOPE = "slope"


def _log(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.log(x)


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log": _log,
    "exp": np.exp,
    "sqrt": lambda x: np.sqrt(x, out=np.full(np.shape(x), np.nan), where=np.asarray(x) >= 0),
    "square": np.square,
    "abs": np.abs,
}
"""Functions of one number."""
SAMPLES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda x: x,
    "log_mean": _log,
    "mean_square": np.square,
}
"""Reductions that are a mean of something of each value, so that each value may count as a sample
of its own.
"""
REDUCTIONS: dict[str, Callable[[np.ndarray], float]] = {
    **{name: lambda x, f=f: float(np.mean(f(x))) for name, f in SAMPLES.items()},  # type: ignore[misc]
    "std": lambda x: float(np.std(x)),
    "variance": lambda x: float(np.var(x)),
    "median": lambda x: float(np.median(x)),
    "min": lambda x: float(np.min(x)),
    "max": lambda x: float(np.max(x)),
    "sum": lambda x: float(np.sum(x)),
}
"""What makes one number of several."""


@dataclass(frozen=True)
class Sample:
    """Numbers and where each comes from (`layer body.3.fc`); `single` where the expression names
    one by itself.
    """

    values: np.ndarray
    names: tuple[str, ...]
    single: bool

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Sample:
        """The function of every number."""
        return Sample(function(self.values), self.names, self.single)


@dataclass(frozen=True)
class Number:
    """A number that is written out."""

    value: float


@dataclass(frozen=True)
class Path:
    """Steps from a section on: names, numbers, slices, `*`. `text` is how it is written."""

    steps: tuple[str | int | slice, ...]
    text: str


@dataclass(frozen=True)
class Call:
    """A function of expressions."""

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
    """One pass over the tokens of a text."""

    text: str
    tokens: list[tuple[str, str]] = field(default_factory=list)
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
            self.tokens.append((kind, match[kind]))

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        """The token that comes next; ('end', '') at the end."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ("end", "")

    def take(self, *wanted: str) -> str | None:
        """Go past the next token if it is one of these signs."""
        kind, text = self.peek()
        if kind != "sign" or text not in wanted:
            return None
        self.at += 1
        return text

    def need(self, wanted: str) -> None:
        """The same of a sign that must come."""
        if self.take(wanted) is None:
            found = self.peek()[1] or "its end"
            raise QuantityError(f"'{self.text}' needs '{wanted}' where it has {found!r}")

    def whole(self) -> Node:
        """The expression that the whole text is."""
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
        if kind != "name":
            raise QuantityError(
                f"'{self.text}' needs a number, a function or a path where it has {text or 'its end'!r}"
            )
        following = self.peek(1)
        if following == ("sign", "("):
            return self._call(text)
        if text in FUNCTIONS and following[0] in ("name", "number"):
            self.at += 1
            return Call(text, (self.factor(),))
        return self._path()

    def _call(self, name: str) -> Node:
        known = [*FUNCTIONS, *REDUCTIONS, SLOPE]
        if name not in known:
            raise QuantityError(f"no function '{name}' - {advice(name, known)}")
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

    def _path(self) -> Path:
        first = self.at
        steps: list[str | int | slice] = [self.peek()[1]]
        self.at += 1
        while True:
            if self.take("."):
                kind, text = self.peek()
                if kind != "name" and text != "*":
                    raise QuantityError(
                        f"'{self.text}' needs a name or * after a dot, it has {text or 'its end'!r}"
                    )
                self.at += 1
                steps.append(text)
            elif self.take("["):
                steps.append(self._selection())
                self.need("]")
            else:
                break
        return Path(tuple(steps), "".join(text for _, text in self.tokens[first : self.at]))

    def _selection(self) -> str | int | slice:
        kind, text = self.peek()
        if kind == "quoted":
            self.at += 1
            return text[1:-1]
        start = self._whole_number()
        if self.take(":"):
            return slice(start, self._whole_number())
        if start is None:
            raise QuantityError(
                f"'{self.text}' needs a number, from:to or a name in quotes in [ ], it has "
                f"{text or 'its end'!r}"
            )
        return start

    def _whole_number(self) -> int | None:
        sign = -1 if self.take("-") else 1
        kind, text = self.peek()
        if kind != "number" or not text.isdigit():
            return None
        self.at += 1
        return sign * int(text)


def parse(text: str) -> Node:
    """The expression that a text is. QuantityError where it is none."""
    return Parser(text).whole()


def paths(node: Node) -> Iterator[Path]:
    """All paths in an expression."""
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
    """All slopes in an expression."""
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
    """(a reduction of `SAMPLES`, what it reduces) where that is all an expression is."""
    match node:
        case Call(function=name, arguments=(inner,)) if name in SAMPLES:
            return name, inner
        case Path(steps=(*steps, str(last)), text=text) if last in SAMPLES and len(steps) == COLUMN:
            return last, Path(tuple(steps), text.removesuffix(f".{last}"))
    return None
