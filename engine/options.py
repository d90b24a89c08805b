"""Types of options, and the one place that checks them.

    units: Count                                a whole number of at least 1
    rate: Annotated[float, within(0, 1, "[)")]  a number of [0, 1)
    norm: Annotated[str, choice("pre post")]    one of these words
    hidden: Optional[Count] = None              a count, or None
    quantiles: list[Probability]                a list, each of its elements checked
    use_bias: bool = True                       true or false, but no other value that is truthy

A dataclass declares its options in this way. `check_options`, which the base class of every open
set calls in `__post_init__`, checks each of them and converts NumPy's numbers to Python's. An
invalid value raises `OptionError`, which names the option.

A check is a function of an option's name and value that returns the value or raises. `Rule` makes
one from a sentence and a test; any function of this form can be used in `Annotated`.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Annotated, Any

import numpy as np

from initlab.engine.errors import OptionError, OptionErrors
from initlab.engine.registry import advice

Check = Callable[[str, Any], Any]
"""(option, value) -> the value to use. Raises OptionError for an invalid value."""


def is_number(value: object) -> bool:
    """Return whether `value` is a number that a float can hold: Python's, or NumPy's of up to 64
    bits, but no boolean, NaN or infinity.
    """
    value = value.item() if isinstance(value, np.number) else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return not is_huge(value) and math.isfinite(value)


def is_huge(value: object) -> bool:
    """Return whether `value` is a whole number beyond the range of floats."""
    return isinstance(value, int) and value.bit_length() > sys.float_info.max_exp


def shown(value: object) -> str:
    """Return a value for a message: its `repr`, or the length of a whole number beyond all floats."""
    if isinstance(value, int) and is_huge(value):
        return f"one of {int(value.bit_length() * math.log10(2)) + 1} digits"
    return repr(value)


@dataclasses.dataclass(frozen=True)
class Rule:
    """A check by a test of the value; `wanted` follows "must" in the message.

    `schema` says in JSON Schema what of the test can be said there: every value that fits is valid.
    """

    wanted: str
    fits: Callable[[Any], bool]
    schema: Mapping[str, object] | None = dataclasses.field(default=None, compare=False)

    def __call__(self, option: str, value: Any) -> Any:
        """Return the value. Raises OptionError if it is invalid."""
        value = value.item() if isinstance(value, np.number) else value
        if is_huge(value):
            raise OptionError(option, f"must be a finite number, got {shown(value)}")
        if not self.fits(value):
            raise OptionError(option, f"must {self.wanted}, got {value!r}")
        return value

    def or_null(self, note: str = " or null") -> Rule:
        """Return the rule that also allows None. `note` is appended to its sentence."""
        schema = None if self.schema is None else {"anyOf": [self.schema, {"type": "null"}]}
        return Rule(self.wanted + note, lambda value: value is None or self.fits(value), schema)


NUMBER = {"type": "number"}
finite = Rule("be a finite number", is_number, NUMBER)
"""Any number but NaN and infinities."""
positive = Rule(
    "be a positive number",
    lambda value: is_number(value) and value > 0,
    {**NUMBER, "exclusiveMinimum": 0},
)
not_negative = Rule(
    "be a number of at least 0",
    lambda value: is_number(value) and value >= 0,
    {**NUMBER, "minimum": 0},
)
truth = Rule("be true or false", lambda value: isinstance(value, bool), {"type": "boolean"})
text = Rule(
    "be a text that is not empty",
    lambda value: isinstance(value, str) and value != "",
    {"type": "string", "minLength": 1},
)
mapping = Rule("be a mapping", lambda value: isinstance(value, dict), {"type": "object"})


def whole(least: int | None = 1, most: int | None = None, note: str | None = None) -> Rule:
    """Return the rule for a whole number from `least` to `most`, each of which may be absent.
    `note` states the range in other words.
    """
    if note is None:
        note = "" if least is None else f" of at least {least}"
    return Rule(
        f"be a whole number{note}",
        lambda value: (
            isinstance(value, int)
            and not isinstance(value, bool)
            and (least is None or least <= value)
            and (most is None or value <= most)
        ),
        {"type": "integer"}
        | ({} if least is None else {"minimum": least})
        | ({} if most is None else {"maximum": most}),
    )


def within(low: float, high: float, ends: str = "[]") -> Rule:
    """Return the rule for a number between two bounds. `ends` says for each bound whether it is
    allowed: "[)".
    """

    def fits(value: Any) -> bool:
        return (
            is_number(value)
            and (low <= value if ends[0] == "[" else low < value)
            and (value <= high if ends[1] == "]" else value < high)
        )

    least = "minimum" if ends[0] == "[" else "exclusiveMinimum"
    most = "maximum" if ends[1] == "]" else "exclusiveMaximum"
    said = f"lie in {ends[0]}{low:g}, {high:g}{ends[1]}"
    return Rule(said, fits, {**NUMBER, least: low, most: high})


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
    """A check that a value is one of `names`, a collection that may grow later."""

    names: Collection[str]

    def __call__(self, option: str, value: Any) -> str:
        """Return the value. Raises OptionError with the nearest name if it is none of them."""
        if not isinstance(value, str) or value not in self.names:
            said = f"cannot be {value!r} - {advice(str(value), self.names)}"
            raise OptionError(option, said, unknown=True)
        return value


def choice(known: str | Collection[str]) -> Choice:
    """Return the rule for one of the known names. `known` is a text of words, or a collection,
    which may grow later.
    """
    return Choice(known.split() if isinstance(known, str) else known)


@dataclasses.dataclass(frozen=True, eq=False)
class Told:
    """What an option may be, in words and in JSON Schema, where its type and checks do not say it. It
    checks nothing.
    """

    wanted: str
    schema: Mapping[str, object] | None = None


TOLD = "told"


def told(wanted: str, schema: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Return the metadata of a field whose type says too little, and is part of a printed signature."""
    return {TOLD: Told(wanted, schema)}


Count = Annotated[int, whole(1)]
Finite = Annotated[float, finite]
Positive = Annotated[float, positive]
NotNegative = Annotated[float, not_negative]
Text = Annotated[str, text]


def options_of(cls: type) -> dict[str, dataclasses.Field[Any]]:
    """Return {name: field} of the options that a class takes from a config: its dataclass fields
    that `__init__` accepts.
    """
    if not dataclasses.is_dataclass(cls):
        return {}
    return {f.name: f for f in dataclasses.fields(cls) if f.init}


IN_CONFIG = "default in a config"
LATER = "added after runs were identified without it"
"""The metadata of an option that does not identify a run while it has its default."""


def default_in_config(value: Any) -> dict[str, Any]:
    """Return the metadata of a field whose default in a config is another than in Python."""
    return {IN_CONFIG: value}


def config_defaults(cls: type) -> dict[str, Any]:
    """Return {option: its default in a config} of the options whose default there is another."""
    return {
        name: option.metadata[IN_CONFIG]
        for name, option in options_of(cls).items()
        if IN_CONFIG in option.metadata
    }


def check_options(made: Any) -> None:
    """Check every option of a dataclass object, and convert NumPy's numbers to Python's.

    Raises OptionError for the first invalid option.
    """
    cls: Any = type(made)
    for name, check in checks_of(cls).items():
        value = getattr(made, name)
        checked = check(name, value)
        if checked is not value:
            setattr(made, name, checked)


def check_given(cls: type, options: dict[str, Any]) -> None:
    """Check the given ones of a dataclass's options. OptionErrors with each that cannot be."""
    found: list[OptionError] = []
    for name, check in checks_of(cls).items():
        if name in options:
            try:
                check(name, options[name])
            except OptionError as error:
                found += error.errors
    OptionErrors.raise_any(found)


@cache
def checks_of(cls: type) -> dict[str, Check]:
    """Return {option: check} of the fields of a dataclass whose types declare checks.

    It is empty for a class that is no dataclass, or whose types cannot be resolved.
    """
    if not dataclasses.is_dataclass(cls):
        return {}
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except NameError:  # a type that is local to a function, or imported for type checkers only
        return {}
    found = {field.name: _check_of(hints[field.name]) for field in dataclasses.fields(cls)}
    return {name: check for name, check in found.items() if check is not None}


def _check_of(hint: Any) -> Check | None:
    """Return the check for a type, or None if it has none."""
    if hint is bool:
        return truth
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _all_of([*filter(callable, parts[1:]), _check_of(parts[0])])
    if origin in (typing.Union, types.UnionType) and type(None) in parts and len(parts) == 2:
        [inner] = [_check_of(part) for part in parts if part is not type(None)]
        return None if inner is None else _or_none(inner)
    if origin is list:
        inner = _check_of(parts[0])
        return None if inner is None else _each(inner)
    return None


def _all_of(checks: list[Check | None]) -> Check | None:
    wanted = [check for check in checks if check is not None]
    if len(wanted) < 2:
        return wanted[0] if wanted else None

    def check(option: str, value: Any) -> Any:
        for each in wanted:
            value = each(option, value)
        return value

    return check


def _or_none(inner: Check) -> Check:
    if isinstance(inner, Rule):
        return inner.or_null()
    return lambda option, value: None if value is None else inner(option, value)


def _each(inner: Check) -> Check:
    def check(option: str, value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise OptionError(option, f"must be a list, got {value!r}")
        return each(inner, option, value)

    return check


def each(check: Check, option: str, values: Iterable[Any]) -> list[Any]:
    """Return the checked values of a list. Raises OptionErrors with each that cannot be."""
    made: list[Any] = []
    wrong: list[OptionError] = []
    for number, value in enumerate(values):
        try:
            made.append(check(f"{option}[{number}]", value))
        except OptionError as error:
            wrong += error.errors
    OptionErrors.raise_any(wrong)
    return made
