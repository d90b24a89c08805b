"""The space of a sweep: its jobs as lists of words.

The `sweep` node of a config holds blocks `{grid, cases, exclude}`. A block combines every case with
every point of its grid. A sweep is the block at its top, followed by those of `union`. A swept word
of the command line replaces what the blocks say about its key.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hydra.core.override_parser.types import Glob, Override

from initlab.runner.config.explain import options_of
from initlab.runner.config.grammar import ListEdit, Range
from initlab.runner.config.wording import parsed, word_of
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.json_values import JSON

NOT_SWEPT = (
    "task",
    "resume",
    "dry_run",
    "sweep",
    "report",
    "show",
    "fold",
    "diagnose",
    "expect",
    "control",
    "tags",
    "note",
    "timeout",
)
"""Keys that apply to the command as a whole."""
PARTS = ("grid", "cases", "exclude")
MOST_VALUES = 1_000_000
"""Values of one range at most: each becomes a word in memory."""
MOST_JOBS = 1_000_000
"""Jobs of a sweep at most: each is composed and checked before the first begins."""
Axis = tuple[str, tuple[str, ...]]
"""A key, and the words that give it its values."""
SPENT = tuple(f"sweep.{part}" for part in (*PARTS, "union"))
"""Keys that only define the jobs: no job's config has them."""


@dataclass(frozen=True)
class Block:
    """Axes (key, words), cases (several words each), and exclusions from their product."""

    axes: tuple[Axis, ...] = ()
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
    conditions: dict[str, list[object]]
    matched: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Space:
    """All jobs of a sweep: blocks, and the words of the command line, one or several for each key.

    `problems` are those with parts that were left out.
    """

    blocks: tuple[Block, ...]
    words: tuple[Axis, ...]
    problems: tuple[Problem, ...] = ()

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
    overrides: list[Override], node: Mapping[str, object], params: Mapping[str, JSON]
) -> Space:
    """Return the space of a sweep.

    `node` is the config's `sweep`, `params` is `hydra.sweeper.params`.
    """
    reader = Reader()
    blocks = reader.blocks(node)
    words = reader.words(overrides, params)
    return Space(tuple(blocks), tuple(words), tuple(reader.problems.found))


class Reader:
    """Reads what a sweep varies. Invalid parts are left out and recorded in `problems`."""

    def __init__(self) -> None:
        self.problems = Problems()

    def blocks(self, node: Mapping[str, object]) -> list[Block]:
        """Return the block at the top of the config's `sweep` and those of `union`."""
        top = self.block("sweep", {part: node.get(part) for part in PARTS})
        union: list[object] = []
        with self.problems.under("sweep.union"):
            union = _list(node.get("union") or [], "a list of blocks {grid, cases, exclude}")
        blocks = [self.block(f"sweep.union[{number}]", block) for number, block in enumerate(union)]
        if not blocks or top.axes or top.cases:
            return [top, *blocks]
        # The top block is empty. It would add one job that the declaration does not ask for.
        return [Block(block.axes, block.cases, (*top.exclude, *block.exclude)) for block in blocks]

    def block(self, place: str, node: object) -> Block:
        """Return the valid parts of the block at `place` of the config."""
        problems = self.problems
        if not isinstance(node, dict):
            problems.add(place, f"must be a block {{grid, cases, exclude}}, got {node!r}")
            return Block()
        for key in node:
            if key not in PARTS:
                problems.unknown(f"{place}.{key}", "no such key", key, PARTS)
        grid: dict[str, object] = {}
        with problems.under(f"{place}.grid"):
            grid = _mapping(node.get("grid") or {})
        cases = problems.sound(self._entries(f"{place}.cases", node.get("cases")), _case)
        exclude = self._entries(f"{place}.exclude", node.get("exclude"))
        conditions = problems.sound(exclude, _conditions)
        return Block(
            self.axes(f"{place}.grid", grid),
            tuple(cases.values()),
            tuple(Exclusion(entry, found) for entry, found in conditions.items()),
        )

    def axes(self, place: str, grid: Mapping[str, object]) -> tuple[Axis, ...]:
        """Return the valid axes of a mapping of keys to values."""
        given = {f"{place}.{key}": (key, value) for key, value in grid.items()}
        return tuple(self.problems.sound(given, lambda axis: _axis(*axis)).values())

    def words(self, overrides: list[Override], params: Mapping[str, object]) -> list[Axis]:
        """Return the axes of Hydra's own parameters, followed by those of the command line."""
        typed = {key_of(override.get_key_element()) for override in overrides}
        rest = {key: value for key, value in params.items() if key_of(str(key)) not in typed}
        words = [*self.axes("hydra.sweeper.params", rest)]
        with self.problems.under():
            check_once(overrides)
        for override in overrides:
            key = override.get_key_element()
            if self.problems.concern(key_of(key)) and any(
                key_of(key) == known for known, _ in words
            ):
                continue  # which of the two is meant is not known
            with self.problems.under(key.lstrip("+~")):
                check_swept(override)
                if key_of(key).startswith(SPENT):
                    continue
                values: list[str] = []
                if override.is_sweep_override():
                    values = [f"{key}={value}" for value in values_of(override)]
                words.append((key_of(key), tuple(values or [str(override.input_line)])))
        return words

    def _entries(self, place: str, value: object) -> dict[str, object]:
        """Return the entries of a list by their places."""
        with self.problems.under(place):
            return {f"{place}[{i}]": entry for i, entry in enumerate(_list(value or []))}
        return {}


def check_once(overrides: Sequence[Override]) -> None:
    """Raise ConfigError for each key that two words set, of which one is swept or searched."""
    problems = Problems()
    said: dict[str, Override] = {}
    for override in overrides:
        key = key_of(override.get_key_element())
        other = said.setdefault(key, override)
        same = other.input_line == override.input_line
        if not same and (other.is_sweep_override() or override.is_sweep_override()):
            problems.add(
                key,
                f"'{other.input_line}' and '{override.input_line}' set one key - leave one out",
            )
    problems.raise_any()


def check_swept(override: Override) -> None:
    """Raise ConfigError if a word cannot be swept over."""
    key = override.get_key_element().lstrip("+~")
    if not override.is_sweep_override():
        return
    if key.partition(".")[0] in NOT_SWEPT:
        raise ConfigError.of("", "cannot be swept over - give one value")
    if not override.is_discrete_sweep():
        said = (
            "is no list of values - use a,b or choice(a,b) or range(start,stop), or search it with "
            "hydra/sweeper=optuna"
        )
        raise ConfigError([Problem("", f"'{override.input_line}' {said}", search=True)])
    if not values_of(override):
        raise ConfigError.of("", f"'{override.input_line}' holds no value")


def values_of(override: Override) -> list[str]:
    """Return the values of a swept word, as text for words. Raises ConfigError if there are too
    many, and for a pattern of names if the key chooses no option.
    """
    value = override.value()
    if isinstance(value, Range):
        if len(value) > MOST_VALUES:
            said = f"'{override.input_line}' has {len(value):,} values, more than {MOST_VALUES:,}"
            raise ConfigError.of("", f"{said} - take larger steps")
        return list(override.sweep_string_iterator())
    if isinstance(value, Glob):
        known = sorted(options_of(override.key_or_group))
        if not known:
            said = (
                f"'{override.input_line}' chooses options by their names, but the key is no group"
            )
            raise ConfigError.of("", f"{said} - give values: a,b or range(start,stop)")
        matching = value.filter(known)
        if not matching:
            said = f"'{override.input_line}' fits no option"
            raise ConfigError.unknown("", said, "", known)
        return matching
    return _as_typed(override)


def _as_typed(override: Override) -> list[str]:
    """Return the values of a swept word as they were typed: `1e5` where Hydra writes 100000.0."""
    typed: dict[tuple[type, object], str] = {}
    for text in re.findall(r"[^\s,()\[\]{}]+", override.get_value_string()):
        one = parsed(f"key={text}")
        if one is not None and isinstance(one.value(), (bool, int, float)):
            typed.setdefault((type(one.value()), one.value()), text)
    return [
        str(value)
        if isinstance(value, ListEdit)
        else typed.get((type(value), value), text)
        if isinstance(value, (bool, int, float))
        else text
        for value, text in zip(
            override.sweep_iterator(), override.sweep_string_iterator(), strict=True
        )
    ]


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigError.of("", f"must be a mapping of keys to values, got {value!r}")
    return {str(key): item for key, item in value.items()}


def _list(value: object, what: str = "a list") -> list[object]:
    if not isinstance(value, list):
        raise ConfigError.of("", f"must be {what}, got {value!r}")
    return value


def _axis(key: str, value: object) -> Axis:
    """Return one key and its words.

    `value` is a list of values, a sweep in Hydra's grammar (`range(0,3)`, `a,b`), or a single
    value.
    """
    _check_sweepable(key)
    swept = parsed(f"{key}={value}") if isinstance(value, str) else None
    if swept is not None and swept.is_sweep_override():
        check_swept(swept)
        values = values_of(swept)
        return key_of(key), tuple(f"{swept.get_key_element()}={item}" for item in values)
    if value == []:
        raise ConfigError.of("", "holds no value - give a list, or range(start,stop)")
    return key_of(key), _words(key, value if isinstance(value, list) else [value])


def _case(node: object) -> tuple[tuple[str, str], ...]:
    """Parse a case: values of several keys that belong together."""
    problems = Problems()
    found = []
    for key, value in _mapping(node).items():
        with problems.under(key):
            _check_sweepable(key)
            found += [(key_of(key), word) for word in _words(key, [value])]
    problems.raise_any()
    return tuple(found)


def _conditions(node: object) -> dict[str, list[object]]:
    """Parse an exclusion: the values of each key that excluded jobs have."""
    conditions = _mapping(node)
    if not conditions:
        raise ConfigError.of("", "names no key - give what the runs to leave out have in common")
    return {key: value if isinstance(value, list) else [value] for key, value in conditions.items()}


def _check_sweepable(key: str) -> None:
    head = key_of(key).partition(".")[0].partition("/")[0]
    if head in NOT_SWEPT or head == "hydra":
        raise ConfigError.of("", "cannot be swept over - set it for the whole sweep")


def _words(key: str, values: Sequence[object]) -> tuple[str, ...]:
    """Return the words that set `key` to each value. Raises ConfigError with the values that no word
    can express.
    """
    problems = Problems()
    words = []
    for value in values:
        word = word_of(key, value)
        found = parsed(word)
        if found is None or found.is_sweep_override() or found.value() != value:
            said = "cannot be written as a word of the command line - set its parts one by one"
            problems.add("", f"{value!r} {said}")
        words.append(word)
    problems.raise_any()
    return tuple(words)
