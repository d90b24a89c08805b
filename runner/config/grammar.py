"""The grammar of the command line's words: Hydra's, with ranges and edits of lists of our own.

Hydra 1.3.8 computes some ranges wrongly: it counts in binary fractions, so that
`range(0.1,0.4,0.1)` has four values, and it sorts a range by its bounds, not by its values. Here a
range counts in the decimal fractions that were typed.

    key=append(a, b)       the list at the key with more at its end; key+=a and key+=[a, b] are the same
    key=prepend(a, b)      … at its front
    key=insert(1, a, b)    … before the element 1; a negative place counts from the end
    key=remove_at(1)       the list without the element 1
    key=remove_value(a)    the list without an element

Hydra 1.4 has `extend_list`, which is `append`. `config.list_edits` applies them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from inspect import Parameter, Signature
from typing import Any, TypeAlias

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep

from initlab.engine.registry import advice

Exact: TypeAlias = int | Fraction


@dataclass
class Range(RangeSweep):
    """The numbers start, start + step, … before stop: whole numbers if all three are, else floats.

    `start`, `stop` and `step` are exact: a number typed as 0.1 is one tenth.
    """

    start: Any = 0
    stop: Any = 0
    step: Any = 1

    def __len__(self) -> int:
        steps = Fraction(self.stop - self.start) / Fraction(self.step)
        return max(0, math.ceil(steps))

    def __iter__(self) -> Iterator[int | float]:
        whole = all(isinstance(part, int) for part in (self.start, self.stop, self.step))
        for number in range(len(self)):
            value = self.start + number * self.step
            yield value if whole else float(value)

    def range(self) -> Any:
        """Return the values; Hydra asks for them."""
        return iter(self)

    def sorted(self, reverse: bool) -> Range:
        """Return the range of the same values, the smallest first, or with `reverse` the largest."""
        if len(self) == 0 or (self.step < 0) == reverse:
            return replace(self, shuffle=False)
        first = self.start + (len(self) - 1) * self.step
        return replace(
            self, start=first, stop=self.start - self.step, step=-self.step, shuffle=False
        )

    def nearest(self, value: float) -> int | float:
        """Return the value of the range that is nearest to a number."""
        number = round((Fraction(value) - self.start) / self.step)
        found = self.start + min(max(number, 0), len(self) - 1) * self.step
        return found if isinstance(found, int) else float(found)


class ListEdit(str):
    """A change of a list, as the text of a word: `append('a')`. `at` is the place of an element, or None
    if the edit needs none.
    """

    name: str
    at: int | None
    values: list[Any]

    def __new__(cls, name: str, at: int | None, values: list[Any]) -> ListEdit:
        """Return the edit."""
        parts = [*([] if at is None else [str(at)]), *map(literal, values)]
        made = super().__new__(cls, f"{name}({','.join(parts)})")
        made.name, made.at, made.values = name, at, values
        return made

    def applied(self, before: list[Any]) -> list[Any]:
        """Return the list after the edit. Raises ValueError if it has no such element."""
        after = list(before)
        if self.name == "remove_value":
            [value] = self.values
            if value not in after:
                raise ValueError(f"no element {value!r} - {advice(str(value), map(str, after))}")
            after.remove(value)
            return after
        at = {"append": len(after), "prepend": 0}.get(self.name, self.at)
        assert at is not None
        last = len(after) - (self.name == "remove_at")
        if not -len(after) <= at <= last:
            has = f"the places are 0 to {last}" if after else "the list is empty"
            raise ValueError(f"no place {at} - {has}")
        if self.name == "remove_at":
            del after[at]
        else:
            at += len(after) * (at < 0)
            after[at:at] = self.values
        return after


def quoted(text: str) -> str:
    """Return text in single quotes. A backslash is literal unless it stands before a quote."""
    escaped = re.sub(r"(\\*)'", lambda found: found[1] * 2 + "\\'", text)
    escaped += "\\" * (len(escaped) - len(escaped.rstrip("\\")))
    return f"'{escaped}'"


def literal(value: object, text: Callable[[str], str] = quoted) -> str:
    """Return a value as Hydra's grammar reads it; `text` writes what is no number, list or mapping."""
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int() | float():
            return repr(value)
        case list():
            return f"[{','.join(literal(item, text) for item in value)}]"
        case dict():  # Hydra's grammar has no quoted keys.
            items = (f"{key}:{literal(item, text)}" for key, item in value.items())
            return "{" + ",".join(items) + "}"
    return text(str(value))


def _edit(name: str) -> Callable[..., ListEdit]:
    """Return the function of the grammar that makes such an edit."""

    def make(*args: Any) -> ListEdit:
        values = [Override._convert_value(value) for value in args]
        at = None
        if name in ("insert", "remove_at"):
            at = values.pop(0) if values else None
            if isinstance(at, bool) or not isinstance(at, int):
                raise ValueError(f"{name} needs the place of an element first, a whole number")
        wanted = {"remove_at": 0, "remove_value": 1}.get(name)
        if wanted is None and not values:
            raise ValueError(f"{name} needs at least one element")
        if wanted is not None and len(values) != wanted:
            raise ValueError(f"{name} takes one argument: {EXAMPLES[name]}")
        return ListEdit(name, at, values)

    return make


EXAMPLES = {
    "append": "append(a,b)",
    "prepend": "prepend(a,b)",
    "insert": "insert(1,a,b)",
    "remove_at": "remove_at(1)",
    "remove_value": "remove_value(a)",
}
"""Function that edits a list -> how it is written."""
ANY_ARGUMENTS = Signature([Parameter("args", Parameter.VAR_POSITIONAL, annotation=Any)])
PLUS = re.compile(r"(\w[\w.]*)\+=(.*)", re.DOTALL)
"""`key+=value`."""


def _exact(number: float) -> Exact:
    """Return a number of a word exactly. Raises ValueError if it is not finite."""
    if isinstance(number, int):
        return int(number)
    if not math.isfinite(number):
        raise ValueError(f"a range needs finite numbers, got {number}")
    return Fraction(repr(number))


def _range(start: float, stop: float | None = None, step: float = 1) -> Range:
    if step == 0:
        raise ValueError("a range needs a step that is not 0")
    if stop is None:
        start, stop = 0, start
    return Range(start=_exact(start), stop=_exact(stop), step=_exact(step))


def _sort(hydras: Callable[..., Any]) -> Callable[..., Any]:
    def sort(*args: Any, sweep: Any = None, list: Any = None, reverse: bool = False) -> Any:
        given = args[0] if len(args) == 1 else sweep
        if isinstance(given, Range):
            return given.sorted(reverse)
        made = hydras(*args, sweep=sweep, list=list, reverse=reverse)
        return replace(made, shuffle=False) if isinstance(made, ChoiceSweep) else made

    return sort


def _cast(hydras: Callable[..., Any], to: Callable[[Any], Any]) -> Callable[..., Any]:
    def cast(*args: Any, value: Any = None) -> Any:
        given = args[0] if len(args) == 1 else value
        if not isinstance(given, Range):
            return hydras(*args, value=value)
        bounds = (to(part) for part in (given.start, given.stop, given.step))
        return replace(_range(*bounds), tags=given.tags, shuffle=given.shuffle)

    return cast


@cache
def _parser() -> OverridesParser:
    functions = create_functions()
    theirs = functions.functions
    edits = {name: _edit(name) for name in EXAMPLES} | {"extend_list": _edit("append")}
    functions.definitions |= dict.fromkeys(edits, ANY_ARGUMENTS)
    functions.functions = {
        **theirs,
        "range": _range,
        "sort": _sort(theirs["sort"]),
        "int": _cast(theirs["int"], int),
        "float": _cast(theirs["float"], float),
        **edits,
    }
    return OverridesParser(functions)


def parse(word: str) -> Override:
    """Return a word as parsed. Raises HydraException if it is no word."""
    return _parser().parse_override(word)


def with_functions(word: str) -> str:
    """Return `key+=value` as the word `key=append(…)`, and any other word as it is. Several values, each
    for a run, give several edits. Raises HydraException if the value is none.
    """
    found = PLUS.fullmatch(word)
    if found is None:
        return word
    added = parse(f"{found[1]}={found[2]}")
    value = added.value()
    values = list(added.sweep_iterator()) if added.is_sweep_override() else [value]
    edits = [_edit("append")(*(one if isinstance(one, list) else [one])) for one in values]
    return f"{found[1]}={','.join(edits)}"
