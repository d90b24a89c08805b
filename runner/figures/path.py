"""Paths: the names of a run's figures. A path is a section or a key of the config, and steps from
there.

figures.loss                a name after a dot
layers[-1].rms              an entry by its index; the last is -1
layers[1:-1].rms            entries by their indices, from and up to
layers[body.11.fc].rms      an entry by its `path`; in quotes if that has a bracket or looks like a number
parameters['0.weight'].std
layers.*.rms                all entries; a star in a name matches anything: layers['body.*.fc']
layers.*.rms.max            a reduction at the end makes one number from several

path  :=  name ('.' (name | '*') | '[' (number | from:to | name | 'name' | "name") ']')*
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeVar

from initlab.runner.errors import ExpressionError

T = TypeVar("T")
WORD = re.compile(r"\w+")
"""A name after a dot in an expression, where `-` and `+` are signs."""
WIDE = re.compile(r"""[^.\[\]'"]+""")
"""A name after a dot where a path stands alone."""
DOT = re.compile(r"\s*\.\s*")
OPENING = re.compile(r"\s*\[")
BRACKET = re.compile(
    r"""\s*\[\s*(?: '(?P<single>[^']*)' | "(?P<double>[^"]*)" | (?P<bare>[^\]\['"]*[^\]\['"\s]) )\s*\]""",
    re.X,
)
NUMBER = re.compile(r"-?\d+")
FROM_TO = re.compile(r"(-?\d+)?\s*:\s*(-?\d+)?")
LONGEST_NUMBER = 400
"""Characters that a number in an expression may have."""
WILD = "*?["
"""Characters that make a name a pattern, as in file names."""


@dataclass(frozen=True)
class Part:
    """A part of a list: the entries from `start` up to `stop`, as in a slice.

    A slice has no hash before Python 3.12, and a path needs one.
    """

    start: int | None = None
    stop: int | None = None

    def of(self, entries: list[T]) -> list[T]:
        """Return the entries of the part."""
        return entries[self.start : self.stop]

    def __str__(self) -> str:
        return ":".join("" if end is None else str(end) for end in (self.start, self.stop))


Step = str | int | Part


@dataclass(frozen=True)
class Path:
    """The steps of a path: names and patterns, indices, parts of a list.

    `text` is how it was written; paths with the same steps are equal. A name with both kinds of
    quotes cannot be written.
    """

    steps: tuple[Step, ...]
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.text or written(self.steps)

    def below(self, count: int) -> Path:
        """Return the path of the first `count` steps."""
        return Path(self.steps[:count])


def written(steps: tuple[Step, ...]) -> str:
    """Return the path of these steps in the shortest form that is read the same everywhere."""
    return "".join(_step_text(step) for step in steps).removeprefix(".")


def _step_text(step: Step) -> str:
    match step:
        case int() | Part():
            return f"[{step}]"
    if step == "*" or WORD.fullmatch(step):
        return f".{step}"
    return f'["{step}"]' if "'" in step else f"['{step}']"


def is_pattern(step: Step) -> bool:
    """Return whether a step may find several entries."""
    return isinstance(step, Part) or (isinstance(step, str) and bool(set(step) & set(WILD)))


def scan(text: str, at: int, name: re.Pattern[str] = WORD) -> tuple[Path, int]:
    """Return (the path that starts at `at` of a text, the place where it ends).

    Raises QuantityError if no path starts there or a step is incomplete.
    """
    first = name.match(text, at)
    if first is None:
        raise ExpressionError(text, f"needs a name at column {at + 1}")
    steps: list[Step] = [first[0]]
    pieces = [first[0]]
    end = first.end()
    while True:
        if dot := DOT.match(text, end):
            following = re.compile(rf"\*|{name.pattern}", name.flags).match(text, dot.end())
            if following is None:
                has = _has(text[dot.end() : dot.end() + 1])
                raise ExpressionError(text, f"needs a name or * after a dot, it has {has}")
            steps.append(following[0])
            pieces.append(f".{following[0]}")
            end = following.end()
        elif opening := OPENING.match(text, end):
            bracket = BRACKET.match(text, end)
            if bracket is None:
                has = _has(text[opening.end() :])
                raise ExpressionError(
                    text, f"needs a number, from:to or a name in [ ], it has {has}"
                )
            bare = bracket["bare"] or ""
            if len(bare) > LONGEST_NUMBER and (NUMBER.fullmatch(bare) or FROM_TO.fullmatch(bare)):
                said = f"has a number of more than {LONGEST_NUMBER} characters, which is the limit"
                raise ExpressionError(text, said, opening.end())
            steps.append(_selection(bracket))
            pieces.append(bracket[0].strip())
            end = bracket.end()
        else:
            return Path(tuple(steps), "".join(pieces)), end


def _has(rest: str) -> str:
    return repr(rest) if rest else "its end"


def _selection(bracket: re.Match[str]) -> Step:
    bare = bracket["bare"]
    if bare is None:
        return str(bracket["double"] if bracket["single"] is None else bracket["single"])
    if NUMBER.fullmatch(bare):
        return int(bare)
    part = FROM_TO.fullmatch(bare)
    if part is None:
        return str(bare)
    return Part(*(None if end is None else int(end) for end in part.groups()))


def parse_path(text: str) -> Path:
    """Return the path of a whole text. Raises QuantityError if it is no path."""
    path, end = scan(text.strip(), 0, WIDE)
    if end != len(text.strip()):
        raise ExpressionError(text, f"cannot be read from '{text.strip()[end:]}' on")
    return path


def parse_paths(text: str) -> list[Path]:
    """Return the paths of a list: `init.kind, figures.loss`. Raises QuantityError if one is no path."""
    return [path for _, path in _scan_list(text, ("",))]


def parse_signed(text: str) -> list[tuple[str, Path]]:
    """Return the paths of a list with the sign before each, `-` or nothing. Raises QuantityError."""
    return _scan_list(text, ("-", ""))


def _scan_list(text: str, signs: tuple[str, ...]) -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    at = 0
    while True:
        at = _after_space(text, at)
        sign = next(sign for sign in signs if text.startswith(sign, at))
        path, end = scan(text, at + len(sign))
        found.append((sign, path))
        at = _after_space(text, end)
        if at == len(text):
            return found
        if text[at] != ",":
            raise ExpressionError(text, f"needs a comma or its end, it has {text[at]!r}", at)
        at += 1


def _after_space(text: str, at: int) -> int:
    return len(text) - len(text[at:].lstrip())
