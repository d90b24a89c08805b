"""The space of a sweep: its jobs as lists of words.

The `sweep` node of a config holds blocks `{grid, cases, exclude}`. A block combines every case with
every point of its grid. A sweep is the block at its top, followed by those of `union`. A swept word
of the command line replaces what the blocks say about its key.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from initlab.engine.registry import advice
from initlab.runner.config.hydra_internals import parse_word
from initlab.runner.errors import Problem

NOT_SWEPT = ("task", "resume", "dry_run", "sweep", "report", "expect", "control")
"""Keys that apply to the command as a whole."""
PARTS = ("grid", "cases", "exclude")
SPENT = tuple(f"sweep.{part}" for part in (*PARTS, "union"))
"""Keys that only define the jobs: no job's config has them."""


@dataclass(frozen=True)
class Block:
    """Axes (key, words), cases (several words each), and exclusions from their product."""

    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    cases: tuple[tuple[tuple[str, str], ...], ...] = ()
    exclude: tuple[Exclusion, ...] = ()

    def jobs(self, given: set[str]) -> Iterator[list[str]]:
        """Yield the words of each job, except for keys in `given`, which the command line sets."""
        axes = [words for key, words in self.axes if key not in given]
        for case in self.cases or ((),):
            of_case = [word for key, word in case if key not in given]
            for point in itertools.product(*axes):
                yield [*of_case, *point]

    def count(self, given: set[str]) -> int:
        """Return the number of jobs."""
        return max(1, len(self.cases)) * math.prod(
            len(words) for key, words in self.axes if key not in given
        )


@dataclass
class Exclusion:
    """Excludes the jobs that have, at each key of `conditions`, one of its values.

    `place` is where the exclusion stands in the config.
    """

    place: str
    conditions: dict[str, list[Any]]
    matched: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Space:
    """All jobs of a sweep: blocks, and the words of the command line, one or several for each key."""

    blocks: tuple[Block, ...]
    words: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def given(self) -> set[str]:
        """The keys that the command line sets."""
        return {key for key, _ in self.words}

    def jobs(self) -> Iterator[tuple[list[str], Block]]:
        """Yield the words of each job and its block; the last key varies fastest."""
        given = self.given
        for block in self.blocks:
            for words in block.jobs(given):
                for point in itertools.product(*(words for _, words in self.words)):
                    yield [*point, *words], block

    def count(self) -> int:
        """Return the number of jobs, including duplicates and excluded ones."""
        return sum(block.count(self.given) for block in self.blocks) * math.prod(
            len(words) for _, words in self.words
        )


def key_of(word: str) -> str:
    """Return the key of a word: `init.sigma` for `+init.sigma=0.1`."""
    return word.lstrip("+~").split("=", 1)[0]


def parse_space(
    overrides: list[Override], node: dict[str, Any], params: dict[str, Any], problems: list[Problem]
) -> Space:
    """Return the space of a sweep; append the problems with it.

    `node` is the config's `sweep`, `params` is `hydra.sweeper.params`.
    """
    blocks = [_block({part: node.get(part) for part in PARTS}, "sweep", problems)]
    union = node.get("union") or []
    if not isinstance(union, list):
        problems.append(
            Problem(
                "sweep.union", f"must be a list of blocks {{grid, cases, exclude}}, got {union!r}"
            )
        )
        union = []
    for number, block in enumerate(union):
        blocks.append(_block(block, f"sweep.union[{number}]", problems))
    if len(blocks) > 1 and not blocks[0].axes and not blocks[0].cases:
        whole = blocks.pop(
            0
        ).exclude  # an empty block is one job, which nobody asked for beside a union
        blocks = [Block(block.axes, block.cases, (*whole, *block.exclude)) for block in blocks]
    axes = [_axis(key, value, "hydra.sweeper.params", problems) for key, value in params.items()]
    words = [axis for axis in axes if axis is not None]
    for override in overrides:
        problem = sweep_problem(override)
        key = override.get_key_element()
        if problem is not None:
            problems.append(problem)
        elif not key_of(key).startswith(SPENT):
            words = [
                axis for axis in words if axis[0] != key_of(key) or not override.is_sweep_override()
            ]
            values = (
                [f"{key}={value}" for value in override.sweep_string_iterator()]
                if override.is_sweep_override()
                else []
            )
            words.append((key_of(key), tuple(values or [str(override.input_line)])))
    return Space(tuple(blocks), tuple(words))


def sweep_problem(override: Override) -> Problem | None:
    """Return the problem with a swept word, or None."""
    key = override.get_key_element().lstrip("+~")
    if not override.is_sweep_override():
        return None
    if key.partition(".")[0] in NOT_SWEPT:
        return Problem(key, "cannot be swept over - give one value")
    if not override.is_discrete_sweep():
        what = (
            "is no list of values - use a,b or choice(a,b) or range(start,stop), or search it with "
            "hydra/sweeper=optuna"
        )
        return Problem(key, f"'{override.input_line}' {what}")
    if not list(override.sweep_string_iterator()):
        return Problem(key, f"'{override.input_line}' holds no value")
    return None


def _block(node: Any, place: str, problems: list[Problem]) -> Block:
    """Parse one block of the config."""
    if not isinstance(node, dict):
        problems.append(Problem(place, f"must be a block {{grid, cases, exclude}}, got {node!r}"))
        return Block()
    for key in node:
        if key not in PARTS:
            problems.append(Problem(f"{place}.{key}", f"no such key - {advice(str(key), PARTS)}"))
    grid = _mapping(node.get("grid") or {}, f"{place}.grid", problems)
    axes = [_axis(key, value, f"{place}.grid", problems) for key, value in grid.items()]
    cases, exclude = (
        _list(node.get(part) or [], f"{place}.{part}", problems) for part in ("cases", "exclude")
    )
    return Block(
        tuple(axis for axis in axes if axis is not None),
        tuple(
            _case(case, f"{place}.cases[{number}]", problems) for number, case in enumerate(cases)
        ),
        tuple(
            _exclusion(entry, f"{place}.exclude[{number}]", problems)
            for number, entry in enumerate(exclude)
        ),
    )


def _mapping(value: Any, place: str, problems: list[Problem]) -> dict[str, Any]:
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    problems.append(Problem(place, f"must be a mapping of keys to values, got {value!r}"))
    return {}


def _list(value: Any, place: str, problems: list[Problem]) -> list[Any]:
    if isinstance(value, list):
        return value
    problems.append(Problem(place, f"must be a list, got {value!r}"))
    return []


def _axis(
    key: str, value: Any, place: str, problems: list[Problem]
) -> tuple[str, tuple[str, ...]] | None:
    """Return one key and its words.

    `value` is a list of values, a sweep in Hydra's grammar (`range(0,3)`, `a,b`), or a single
    value.
    """
    if not _sweepable(key, f"{place}.{key}", problems):
        return None
    if isinstance(value, list):
        words = _words(key, value, f"{place}.{key}", problems)
    elif isinstance(value, str):
        parsed = _parsed(f"{key}={value}")
        if parsed is not None and parsed.is_sweep_override():
            problem = sweep_problem(parsed)
            if problem is not None:
                problems.append(Problem(f"{place}.{key}", problem.message))
                return None
            words = tuple(
                f"{parsed.get_key_element()}={item}" for item in parsed.sweep_string_iterator()
            )
        else:
            words = _words(key, [value], f"{place}.{key}", problems)
    else:
        words = _words(key, [value], f"{place}.{key}", problems)
    if value == []:
        problems.append(
            Problem(f"{place}.{key}", "holds no value - give a list, or range(start,stop)")
        )
        return None
    return key_of(key), words


def _case(node: Any, place: str, problems: list[Problem]) -> tuple[tuple[str, str], ...]:
    """Parse a case: values of several keys that belong together."""
    return tuple(
        (key_of(key), word)
        for key, value in _mapping(node, place, problems).items()
        if _sweepable(key, f"{place}.{key}", problems)
        for word in _words(key, [value], f"{place}.{key}", problems)
    )


def _exclusion(node: Any, place: str, problems: list[Problem]) -> Exclusion:
    conditions = _mapping(node, place, problems)
    if not conditions:
        problems.append(
            Problem(place, "names no key - give what the runs to leave out have in common")
        )
    return Exclusion(
        place,
        {key: value if isinstance(value, list) else [value] for key, value in conditions.items()},
    )


def _sweepable(key: str, place: str, problems: list[Problem]) -> bool:
    head = key_of(key).partition(".")[0].partition("/")[0]
    if head in NOT_SWEPT or head == "hydra":
        problems.append(Problem(place, "cannot be swept over - set it for the whole sweep"))
        return False
    return True


def _words(key: str, values: list[Any], place: str, problems: list[Problem]) -> tuple[str, ...]:
    """Return the words that set `key` to each value; append a problem for a value no word can
    express.
    """
    words = []
    for value in values:
        word = word_of(key, value)
        parsed = _parsed(word)
        if parsed is None or parsed.is_sweep_override() or parsed.value() != value:
            problems.append(
                Problem(
                    place,
                    f"{value!r} cannot be written as a word of the command line - set its parts one by one",
                )
            )
        else:
            words.append(word)
    return tuple(words)


def word_of(key: str, value: Any) -> str:
    """Return the word that sets `key` to exactly this value, quoted if Hydra would misread it."""
    return f"{key}={_text(value)}"


def _text(value: Any) -> str:
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int() | float():
            return repr(value)
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case dict():
            return (
                "{" + ",".join(f"{key}:{_text(item)}" for key, item in value.items()) + "}"
            )  # the grammar has no quoted keys
    text = str(value)
    parsed = _parsed(f"key=[{text}]")  # what stands for itself in a list does so alone too
    return (
        text
        if parsed is not None and not parsed.is_sweep_override() and parsed.value() == [text]
        else _quoted(text)
    )


def _quoted(text: str) -> str:
    """Put text in single quotes. A backslash is literal unless it stands before a quote."""
    escaped = re.sub(r"(\\*)'", lambda found: found[1] * 2 + "\\'", text)
    escaped += "\\" * (len(escaped) - len(escaped.rstrip("\\")))
    return f"'{escaped}'"


def _parsed(word: str) -> Override | None:
    try:
        return parse_word(word)
    except HydraException:
        return None
