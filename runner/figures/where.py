"""Conditions on the configs and figures of runs, evaluated without `eval`.

    init.kind == 'he' and figures.loss < 2.4
    seed in [0, 1, 2] and not (layers[-1].rms > 10 or layers.*.rms.min == 0)
    'baseline' in tags

    condition  := both ('or' both)*
    both       := one ('and' one)*
    one        := 'not' one | '(' condition ')' | value sign value
                | path ['not'] 'in' '[' literal, … ']' | literal ['not'] 'in' path
    sign       := '==' | '!=' | '<' | '<=' | '>' | '>='
    value      := literal | path           literal := number | 'text' | "text" | true | false | null

A comparison with a figure that a run does not have, or of values of two kinds, is neither true nor
false, and neither is its negation with `not`: such a run does not match. If that is so for every
run, it is an error, because the name or the value is wrong. `null` is a figure that was not
measured: it equals only `null`, and is neither greater nor less than anything.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from initlab.engine.registry import advice
from initlab.runner.errors import QuantityError
from initlab.runner.figures import parser
from initlab.runner.figures.lookup import Run, find, plain, telling
from initlab.runner.figures.path import Path

Value = bool | int | float | str | None
TOKEN = re.compile(
    r"""\s*(?: (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
             | (?P<text>'[^']*'|"[^"]*")
             | (?P<sign>==|!=|<=|>=|[<>()\[\],])
             | (?P<word>[^\W\d]\w*) )""",
    re.X,
)
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
EQUALITIES = ("==", "!=")
CONSTANTS = {"true": True, "false": False, "null": None}
CONSTANTS |= {"True": True, "False": False, "None": None}
KEYWORDS = ("and", "or", "not", "in")
OF_OTHERS = {"=": "==", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "<>": "!="}
"""Operators of other languages -> those of this one."""
OPERATOR = re.compile(r"[=<>!&|]+")
WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True)
class Literal:
    """A literal value."""

    value: Value

    def __str__(self) -> str:
        return _literal(self.value)


@dataclass(frozen=True)
class Comparison:
    """Two values and a sign of `SIGNS`; at least one value is a path."""

    left: Literal | Path
    sign: str
    right: Literal | Path

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True)
class Membership:
    """A test whether a figure is one of several values."""

    path: Path
    values: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.path} in [{', '.join(map(_literal, self.values))}]"


@dataclass(frozen=True)
class Contains:
    """A test whether a list of the config, like `tags`, holds a value."""

    value: Literal
    path: Path

    def __str__(self) -> str:
        return f"{self.value} in {self.path}"


@dataclass(frozen=True)
class Not:
    """The negation of a condition."""

    part: Condition

    def __str__(self) -> str:
        return f"not {_grouped(self.part, And, Or)}"


@dataclass(frozen=True)
class And:
    """Several conditions, all of which must hold."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(_grouped(part, And, Or) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """Several conditions, of which one must hold."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(_grouped(part, Or) for part in self.parts)


Condition = Comparison | Membership | Contains | Not | And | Or


def _grouped(part: Condition, *kinds: type) -> str:
    return f"({part})" if isinstance(part, kinds) else str(part)


def _literal(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value}"' if "'" in value else f"'{value}'"
    return repr(value) if isinstance(value, float) else json.dumps(value)


@dataclass
class Parser(parser.Parser):
    """The parser of conditions."""

    TOKEN = TOKEN

    def need(self, wanted: str) -> None:
        """Skip the next token. Raises ExpressionError unless it is the wanted sign."""
        if self.take(wanted) is None:
            self._wrong_sign()
            self.fail(f"needs '{wanted}' where it has {self.found()}")

    def whole(self) -> Condition:
        """Return the condition of the whole text."""
        condition = self.condition()
        if self.text[self.at :].strip():
            self._wrong_sign()
            self.fail(f"needs and, or, or its end where it has {self.found()}")
        return condition

    def _wrong_sign(self) -> None:
        """Raise ExpressionError if an operator of another language is next."""
        operator = OPERATOR.match(self.text, self.here())
        if operator is not None and operator[0] in OF_OTHERS:
            self.fail(f"there is no '{operator[0]}' - write {OF_OTHERS[operator[0]]}")

    def condition(self) -> Condition:
        """Return conditions joined by `or`."""
        return self._joined(self.both, "or", Or)

    def both(self) -> Condition:
        """Return conditions joined by `and`."""
        return self._joined(self.one, "and", And)

    def _joined(
        self, part: Callable[[], Condition], word: str, kind: type[And] | type[Or]
    ) -> Condition:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def one(self) -> Condition:
        """Return a comparison, a negation, or a condition in parentheses."""
        if self.take("not"):
            return Not(self._inner(self.one))
        if self.take("("):
            inside = self._inner(self.condition)
            self.need(")")
            return inside
        begin = self.at
        left = self.value()
        if self.take("in"):
            return self._inside(left, begin)
        if self.take("not"):
            self.need("in")
            return Not(self._inside(left, begin))
        self._wrong_sign()
        sign = self.take(*SIGNS)
        if sign is None:
            self.fail(f"needs one of {' '.join(SIGNS)} in where it has {self.found()}")
        right = self.value()
        if isinstance(left, Literal) and isinstance(right, Literal):
            self.fail("compares no figure of a run: two values are written out", begin)
        if self.take(*SIGNS):
            self.fail("compares three values - write two comparisons, joined by and", begin)
        return Comparison(left, sign, right)

    def _inner(self, part: Callable[[], Condition]) -> Condition:
        self.deeper("parentheses and negations within one another")
        inside = part()
        self.level -= 1
        return inside

    def _inside(self, left: Literal | Path, begin: int) -> Membership | Contains:
        """Return what follows `in`: `seed in [0, 1]` or `'wide' in tags`."""
        if isinstance(left, Path):
            return Membership(left, self._values())
        token = self.peek()
        if token is None or token.lastgroup != "word" or token["word"] in (*CONSTANTS, *KEYWORDS):
            if token is not None and token["sign"] == "[":
                self.fail("needs the name of a figure before 'in'", begin)
            self.fail(f"needs the name of a list, like tags, where it has {self.found()}")
        return Contains(left, self.path(token.start("word")))

    def _values(self) -> tuple[Value, ...]:
        self.need("[")
        values: list[Value] = []
        while not self.take("]"):
            if values:
                self.need(",")
            begin = self.at
            value = self.value()
            if isinstance(value, Path):
                self.fail(
                    f"needs a number or a text in quotes in the list, {value} is a path", begin
                )
            values.append(value.value)
        return tuple(values)

    def value(self) -> Literal | Path:
        """Return a literal or a path."""
        token = self.peek()
        if token is None or token.lastgroup == "sign" or token[token.lastgroup or 0] in KEYWORDS:
            self._wrong_sign()
            self.fail(f"needs a number, a text in quotes or a path where it has {self.found()}")
        if token.lastgroup == "word" and token["word"] not in CONSTANTS:
            return self.path(token.start("word"))
        if token["number"] is not None:
            digits = self.digits(token)
            return Literal(int(digits) if WHOLE.fullmatch(digits) else float(digits))
        self.at = token.end()
        if token["text"] is not None:
            return Literal(token["text"][1:-1])
        return Literal(CONSTANTS[token["word"]])


def _compared(part: Condition) -> Iterator[tuple[Path, Value]]:
    """Yield each path and value that are held equal or unequal."""
    if isinstance(part, Comparison) and part.sign in ("==", "!="):
        sides = (part.left, part.right), (part.right, part.left)
        for one, other in sides:
            if isinstance(one, Path) and isinstance(other, Literal):
                yield one, other.value
    elif isinstance(part, Membership):
        yield from ((part.path, value) for value in part.values)
    elif isinstance(part, Not):
        yield from _compared(part.part)
    elif isinstance(part, And | Or):
        for inner in part.parts:
            yield from _compared(inner)


def parse_where(text: str) -> Where:
    """Parse a condition. Raises QuantityError with the column of a syntax error."""
    return Where(text, Parser(text).whole())


@dataclass
class Asked:
    """The comparisons that at least one run could answer, and the errors of those it could not."""

    answered: set[str] = field(default_factory=set)
    refused: dict[str, tuple[Run, QuantityError]] = field(default_factory=dict)

    def refuse(self, comparison: str, run: Run, error: QuantityError) -> None:
        """Keep the error of a comparison that tells most, of these the first."""
        kept = self.refused.get(comparison)
        if kept is None or telling(*kept) < telling(run, error):
            self.refused[comparison] = run, error

    def check(self) -> None:
        """Raise QuantityError for a comparison that no run could answer."""
        for comparison, (_, error) in self.refused.items():
            if comparison not in self.answered:
                raise error


@dataclass(frozen=True)
class Where:
    """A condition; `text` is how it was written."""

    text: str
    condition: Condition

    def __str__(self) -> str:
        return str(self.condition)

    def check_names(self, known: Mapping[str, Sequence[str]]) -> None:
        """Raise QuantityError, with the nearest name, for a path that is compared with a text that it
        never is; `known` has what the path can be, like `state`.
        """
        for path, value in _compared(self.condition):
            names = known.get(str(path))
            if names is not None and value not in names and value is not None:
                raise QuantityError(
                    f"'{self.text}': no {path} is called {value!r} - {advice(str(value), names)}"
                )

    def matches(self, run: Run) -> bool:
        """Return whether the condition holds for a run; false if the run lacks a figure."""
        return _holds(self.condition, run, Asked()) is True

    def sort_out(self, runs: Sequence[Run]) -> tuple[list[int], list[int]]:
        """Return the numbers of the runs for which the condition holds, and of those that cannot tell,
        because they lack a figure.

        Raises QuantityError, with the nearest name, for a figure that no run has, and for a
        comparison of values that are of two kinds in every run.
        """
        asked = Asked()
        answers = [_holds(self.condition, run, asked) for run in runs]
        asked.check()
        chosen = [at for at, answer in enumerate(answers) if answer is True]
        return chosen, [at for at, answer in enumerate(answers) if answer is None]


def _holds(condition: Condition, run: Run, asked: Asked) -> bool | None:
    """Return whether a condition holds, or None if the run cannot tell.

    All comparisons are evaluated, so that every name is looked up.
    """
    match condition:
        case Not(part):
            inner = _holds(part, run, asked)
            return None if inner is None else not inner
        case And(parts):
            found = [_holds(part, run, asked) for part in parts]
            return False if False in found else None if None in found else True
        case Or(parts):
            found = [_holds(part, run, asked) for part in parts]
            return True if True in found else None if None in found else False
    try:
        answer = _answer(condition, run)
    except QuantityError as error:
        asked.refuse(str(condition), run, error)
        return None
    asked.answered.add(str(condition))
    return answer


def _answer(comparison: Comparison | Membership | Contains, run: Run) -> bool | None:
    if isinstance(comparison, Contains):
        return _holds_value(comparison, run)
    if isinstance(comparison, Comparison):
        left, right = (
            _value(side, run, comparison) for side in (comparison.left, comparison.right)
        )
        return _compare(comparison, comparison.sign, left, right)
    value = plain(comparison.path, run)
    answers = [value == one for one in comparison.values if _kind(one) == _kind(value)]
    if comparison.values and not answers and value is not None:
        raise _differ(comparison, value, comparison.values[0])
    return any(answers)


def _holds_value(comparison: Contains, run: Run) -> bool:
    found = find(comparison.path, run)
    if len(found.values) != 1 or not isinstance(found.values[0][1], list):
        raise QuantityError(
            f"'{comparison}': '{comparison.path}' is no list - a list of values is written [a, b]"
        )
    wanted = comparison.value.value
    return any(one == wanted and _kind(one) == _kind(wanted) for one in found.values[0][1])


def _value(side: Literal | Path, run: Run, comparison: Comparison) -> object:
    if isinstance(side, Literal):
        return side.value
    try:
        return plain(side, run)
    except QuantityError as error:
        paths = isinstance(comparison.left, Path) and isinstance(comparison.right, Path)
        if error.unknown and paths and len(side.steps) == 1:
            raise QuantityError(f"{error} A text needs quotes: '{side}'.", unknown=True) from None
        raise


def _compare(comparison: Comparison, sign: str, left: object, right: object) -> bool | None:
    if left is None or right is None:
        return SIGNS[sign](left, right) if sign in EQUALITIES else None
    if _kind(left) != _kind(right):
        raise _differ(comparison, left, right)
    return SIGNS[sign](left, right)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return "a text" if isinstance(value, str) else "a number"


def _differ(comparison: Comparison | Membership, left: Any, right: Any) -> QuantityError:
    said = f"{_literal(left)} is {_kind(left)}, {_literal(right)} is {_kind(right)}"
    return QuantityError(f"'{comparison}' holds for no run: {said}")
