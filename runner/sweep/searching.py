"""The space of a search: fixed words, and for each searched key the word that gives its range.

They come from the command line, `hydra.sweeper.params` and `sweep.grid`; for a key in several of
them, the first in this order counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException

from initlab.runner.config.hydra_internals import parse_word
from initlab.runner.config.wording import word_of
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.json_values import JSON
from initlab.runner.sweep.space import (
    NOT_SWEPT,
    SPENT,
    check_once,
    check_swept,
    key_of,
    values_of,
)

TARGET = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
"""The searching sweeper, as named in a config."""
OF_THE_WHOLE = (*NOT_SWEPT, "name", "objective")
"""Keys that must be the same in all trials."""
PROBED = 64
"""Values of a key that are checked before the search; the others are checked when suggested."""


@dataclass(frozen=True)
class SearchSpace:
    """The words of a search.

    `fixed` are the words of every trial. `searched` maps each searched key to its word and to some
    of the words it may become, including both ends of its range.
    """

    fixed: tuple[str, ...]
    searched: dict[str, tuple[Override, tuple[str, ...]]]

    def probes(self) -> list[list[str]]:
        """Return the words of some trials that together contain every word of every key.

        Composing them shows whether all keys and options exist.
        """
        first = [words[0] for _, words in self.searched.values()]
        found = [[*self.fixed, *first]]
        for number, (_, words) in enumerate(self.searched.values()):
            found += [
                [*self.fixed, *first[:number], word, *first[number + 1 :]] for word in words[1:]
            ]
        return found


def parse_searched(
    overrides: list[Override], node: Mapping[str, JSON], params: Mapping[str, JSON]
) -> SearchSpace:
    """Return the space of a search. Raises ConfigError with all problems."""
    problems = Problems()
    for part in ("cases", "exclude", "union"):
        if node.get(part):
            problems.add(f"sweep.{part}", "has no meaning in a search - give sweep.grid")
    words: dict[str, Override] = {}
    for place, axes in (("sweep.grid", node.get("grid") or {}), ("hydra.sweeper.params", params)):
        for key, value in axes.items() if isinstance(axes, dict) else ():
            with problems.under(f"{place}.{key}"):
                words[key_of(str(key))] = _parsed(str(key), value)
    with problems.under():
        check_once(overrides)
    for override in overrides:
        key = key_of(override.get_key_element())
        if not key.startswith(SPENT):
            words.pop(key, None)
            words[key] = override
    searched: dict[str, tuple[Override, tuple[str, ...]]] = {}
    for key, word in words.items():
        with problems.under(key):
            check_searched(word)
            if word.is_sweep_override():
                searched[key] = (word, _some(word))
    if not searched and not problems:
        said = "nothing is searched - give an interval, like 'init.sigma=interval(0.001,1)'"
        problems.add("hydra/sweeper", said)
    problems.raise_any()
    fixed = tuple(str(word.input_line) for word in words.values() if not word.is_sweep_override())
    return SearchSpace(fixed, searched)


def _parsed(key: str, value: object) -> Override:
    """Return the word that a key and its values in the config stand for. Raises ConfigError for a
    key that cannot be searched.
    """
    if key_of(key).partition(".")[0].partition("/")[0] in (*OF_THE_WHOLE, "hydra"):
        raise ConfigError.of("", "cannot be searched - set it for the whole sweep")
    if isinstance(value, list):
        text = f"{key}=choice({','.join(word_of('', one)[1:] for one in value)})"
    else:
        text = f"{key}={value}" if isinstance(value, str) else word_of(key, value)
    try:
        return parse_word(text)
    except HydraException:
        raise ConfigError.of("", f"'{text}' is no word of the command line") from None


def check_searched(override: Override) -> None:
    """Raise ConfigError if a word cannot be searched."""
    if not override.is_sweep_override():
        return
    if key_of(override.get_key_element()).partition(".")[0] in OF_THE_WHOLE:
        raise ConfigError.of("", "cannot be searched - give one value")
    value = override.value()
    if not isinstance(value, IntervalSweep):
        check_swept(override)
    elif value.start is None or value.end is None or not value.start < value.end:
        said = f"'{override.input_line}' holds no value - give the smaller end first"
        raise ConfigError.of("", said)
    elif "log" in value.tags and value.start <= 0:
        said = f"'{override.input_line}' reaches 0 or below, where there is no logarithm"
        raise ConfigError.of("", said)


def _some(override: Override) -> tuple[str, ...]:
    """Return some of the words that a searched word may become."""
    value = override.value()
    key = override.get_key_element()
    if isinstance(value, IntervalSweep):
        return f"{key}={value.start}", f"{key}={value.end}"
    return tuple(f"{key}={item}" for item in values_of(override)[:PROBED])
