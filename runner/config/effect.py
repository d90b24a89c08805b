"""Words of the command line that the composed config does not show.

Hydra lets a later word, or the file of an experiment, say otherwise without telling. Words are
recorded with the run, so a word that says something else than what runs is a false record. Here it
is refused.

    seed=1 … seed=2                    the first one is lost
    experiment=mine model=deep_mlp     lost, if mine.yaml has layers of its own

A choice of an option is lost if nothing in which the option differs from the one that would be
chosen without the word is in the config, or if a list of parts, like layers, is not. That an
experiment sets single numbers, like a batch, is what it is for.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, ListConfig, OmegaConf

from initlab.runner.config.hydra_internals import (
    COMPOSITION_ERRORS,
    apply_words,
    group_exists,
    hydra_loader,
    package_of,
    parse_word,
)
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.excerpt import shortened

PRESETS = ("experiment", "sweep")
"""The groups whose options set keys anywhere in the config."""
SHOWN = 60
"""Characters of a value that a message shows."""
KEPT = 64
"""Compositions kept in memory at most."""
TRIED = 2
"""Other options that are composed to see whether a choice matters."""


@dataclass(frozen=True)
class Shown:
    """What a composed config shows: its values by their paths, lists whole, and the options chosen.

    `presets` are those that set keys outside their own group.
    """

    config: DictConfig
    choices: dict[str, object]
    presets: list[str]

    @classmethod
    def of(cls, config: DictConfig, choices: DictConfig) -> Shown:
        """Return what `config` shows, with `hydra.runtime.choices`."""
        return cls(config, OmegaConf.to_container(choices, resolve=False), _presets(choices))  # type: ignore[arg-type]

    @property
    def values(self) -> dict[str, object]:
        """The values, unresolved."""
        plain = OmegaConf.to_container(self.config, resolve=False)
        assert isinstance(plain, dict)
        return dict(_leaves({key: node for key, node in plain.items() if key != "hydra"}, ""))


def _presets(choices: DictConfig) -> list[str]:
    """Return the words for the chosen options that set keys outside their own group."""
    found = []
    for group, chosen in choices.items():
        for option in chosen if isinstance(chosen, (list, ListConfig)) else [chosen]:
            if option in (None, "none") or str(group).startswith("hydra/"):
                continue
            package = package_of(str(group), str(option))
            if package is not None and package.split(".")[0] != group:
                found.append(f"{group!s}={option!s}")
    return found


def _leaves(node: object, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(node, dict) or not node:
        yield path, node
        return
    for key, value in node.items():
        yield from _leaves(value, f"{path}.{key}" if path else str(key))


def chooses(override: Override) -> bool:
    """Return whether a word chooses options of a group, by Hydra's rule."""
    return not isinstance(override.value(), dict) and group_exists(override.key_or_group)


class Effects:
    """Checks the words of composed configs.

    `load` composes a config, with its `hydra` node, from words that choose options.
    """

    def __init__(self, load: Callable[[list[str]], DictConfig]) -> None:
        def compose(words: tuple[str, ...]) -> Shown | None:
            try:
                config = load(list(words))
            except COMPOSITION_ERRORS:
                return None
            return Shown.of(config, config.hydra.runtime.choices)

        self._compose = lru_cache(KEPT)(compose)
        self._text: dict[tuple[tuple[str, ...], str], bool] = {}
        self._sound: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()

    def check(
        self,
        words: Sequence[str],
        typed: Collection[str],
        choices: DictConfig,
        config: Callable[[], DictConfig],
    ) -> None:
        """Raise ConfigError with each of the `typed` words that the config does not show.

        `words` are all words of the config, in order, and `choices` the options chosen.
        """
        problems = Problems()
        overrides = [parse_word(word) for word in words]
        values = [one for one in overrides if not chooses(one)]
        for number, one in enumerate(values):
            over = _overriding(one, values[number + 1 :])
            if over is not None and str(one.input_line) in typed:
                with problems.under():
                    _check_value(one, over, config())
        choosing = [one for one in overrides if chooses(one)]
        choice = tuple(str(one.input_line) for one in choosing)
        for one in values:
            if str(one.input_line) in typed and _respelled(one):
                key = choice, one.key_or_group
                if key not in self._text:
                    found = OmegaConf.select(config(), one.key_or_group)
                    self._text[key] = isinstance(found, str)
                if self._text[key]:
                    said = f"must be a text, got {one.value()!r} - put it in quotes: {_quoted(one)}"
                    problems.add(one.key_or_group, said)
        for number, one in enumerate(choosing):
            later = [o for o in choosing[number + 1 :] if _group(o) == _group(one)]
            if later and str(later[0].input_line) != str(one.input_line):
                problems.add(one.key_or_group, _no_effect(one, later[0]))
        alike = (
            tuple(str(one.input_line) for one in choosing),
            tuple(o.key_or_group for o in values),
        )
        if alike not in self._sound:
            found = Problems()
            for one in choosing if _presets(choices) else ():
                if str(one.input_line) in typed and _is_checked(one):
                    with found.under():
                        self._check_choice(one, overrides, Shown.of(config(), choices))
            if not found:
                self._sound.add(alike)
            problems.found += found.found
        problems.raise_any()

    def _check_choice(self, one: Override, overrides: Sequence[Override], shown: Shown) -> None:
        group, word = one.key_or_group, str(one.input_line)
        others = [
            str(other.input_line) for other in overrides if chooses(other) and other is not one
        ]
        without = self._compose(tuple(others))
        alone = self._compose((word,))
        if without is None or alone is None:
            return
        before = without.choices.get(group)
        if before == shown.choices.get(group):
            self._check_same(one, others, without, shown)
            return
        instead = self._compose(() if before is None else (_word(group, before),))
        if instead is None:
            return
        set_by_words = _setting(alone.config, [other for other in overrides if not chooses(other)])
        own, other, wanted = alone.values, instead.values, Shown(set_by_words, {}, []).values
        now = shown.values
        differing = [path for path, value in own.items() if other.get(path) != value]
        lost = [path for path in differing if now.get(path) != wanted.get(path)]
        parts = [path for path in lost if _has_parts(own[path])]
        if parts or (lost and len(lost) == len(differing)):
            path = (parts or lost)[0]
            raise _lost(word, shown, path, now.get(path))

    def _check_same(self, one: Override, others: list[str], without: Shown, shown: Shown) -> None:
        """Raise ConfigError if the config would be the same with other options of the group."""
        group, word = one.key_or_group, str(one.input_line)
        chosen, now = shown.choices.get(group), without.values
        alone = self._compose((word,))
        assert alone is not None
        lost = [path for path, value in alone.values.items() if _within(path, group)]
        lost = [path for path in lost if now.get(path) != alone.values[path]]
        if not lost or not isinstance(chosen, str):
            return
        tried = 0
        for other in islice(
            (o for o in hydra_loader().get_group_options(group) if o != chosen), TRIED
        ):
            changed = self._compose((*others, f"{group}={other}"))
            if changed is not None and changed.values != now:
                return
            tried += changed is not None
        if tried:
            raise _lost(word, shown, lost[0], now.get(lost[0]))


def _is_checked(one: Override) -> bool:
    return one.key_or_group not in PRESETS and one.package is None and not one.is_delete()


def _overriding(one: Override, later: Sequence[Override]) -> Override | None:
    """Return the later word that sets the key of a word, or what contains it.

    A later word may refine an earlier one: `init={…} init.sigma=0.3`.
    """
    key = one.key_or_group
    over = next((o for o in later if key == o.key_or_group or _within(key, o.key_or_group)), None)
    return None if over is not None and one.is_delete() and over.is_add() else over


def _check_value(one: Override, over: Override, config: DictConfig) -> None:
    """Raise ConfigError if a later word left nothing of a word, which would change the config again."""
    again, setting = copy.deepcopy(config), copy.copy(one)
    if not one.is_delete():
        setting.type = OverrideType.FORCE_ADD
    try:
        apply_words([setting], again)
    except COMPOSITION_ERRORS:
        return
    if again != config:
        raise ConfigError.of(one.key_or_group, _no_effect(one, over))


def _respelled(one: Override) -> bool:
    """Return whether a value that is no text looks otherwise as a text than it was typed, like 1e5."""
    value = one.value()
    return isinstance(value, (bool, int, float)) and str(value) != one.get_value_string().strip()


def _quoted(one: Override) -> str:
    return f"'{one.get_key_element()}=\"{one.get_value_string().strip()}\"'"


def _no_effect(one: Override, over: Override) -> str:
    return f"'{one.input_line}' has no effect: '{over.input_line}' comes later - leave one out"


def _group(one: Override) -> tuple[str, str | None]:
    return one.key_or_group, one.package


def _has_parts(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(part, dict) for part in value)


def _within(path: str, key: str) -> bool:
    return path.startswith(f"{key}.")


def _setting(config: DictConfig, overrides: Sequence[Override]) -> DictConfig:
    """Return a copy of a config in which those words are set that it has keys for."""
    made = copy.deepcopy(config)
    for override in overrides:
        try:
            apply_words([override], made)
        except COMPOSITION_ERRORS:
            continue
    return made


def _word(group: str, chosen: object) -> str:
    return (
        f"{group}={chosen if isinstance(chosen, str) else '[' + ','.join(map(str, chosen)) + ']'}"  # type: ignore[call-overload]
    )


def _lost(word: str, shown: Shown, path: str, value: object) -> ConfigError:
    """Return the error of a chosen option whose value at `path` is not what runs."""
    by = " or ".join(shown.presets)
    said = (
        f"'{word}' does not say what would run: {by} sets {path} to {shortened(repr(value), SHOWN)} - "
        f"leave one of the two out, or give {path}=… too"
    )
    return ConfigError([Problem(word.partition("=")[0], said)])
