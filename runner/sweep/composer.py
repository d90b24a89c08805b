"""Composition of the configs of many jobs, without calling Hydra for each of them.

"Words" are the overrides of the command line, like `init=he` or `seed=3`. Hydra composes every job
from files, although most jobs differ in plain values only. Here a config is composed once for each
choice of config groups, and the other words are set in a copy. The result is the same, since Hydra
applies such words in the same way, with the same function, after it has merged the chosen files.

Jobs that set the same keys to plain values share a `Template`: a config without interpolations
between keys, so that jobs differ only in the values of these keys.
"""

from __future__ import annotations

import copy
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from initlab.runner.config.compose import DEFAULT_KIND, check_permitted, unresolved
from initlab.runner.config.hydra_internals import (
    apply_words,
    group_exists,
    parse_word,
    without_hydra,
)
from initlab.runner.config.identity import Declaration, completed, resolve
from initlab.runner.config.label import chosen_in
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.json_values import JSON

KEPT = 64
"""Compositions kept in memory at most."""


@dataclass(frozen=True)
class Base:
    """A config that Hydra composed, and what was found in it once.

    `whole` includes the `hydra` node, `task` does not. `refers` says whether `task` has an
    interpolation of `hydra`. `refused` lists the problems with values that are not permitted, `places` is the
    node `hydra.sweep`, which says where runs are stored, `choices` are the chosen options by group.
    """

    whole: DictConfig
    task: DictConfig
    refers: bool
    refused: tuple[Problem, ...]
    places: dict[str, JSON]
    choices: dict[str, str]

    @classmethod
    def of(cls, whole: DictConfig, words: Sequence[str]) -> Base:
        """Examine a config composed by Hydra. `words` are those of the command line."""
        task = without_hydra(whole)
        return cls(
            whole,
            task,
            "${hydra" in str(unresolved(task)),
            tuple(_refused_in(whole, words)),
            unresolved(whole.hydra.sweep),
            chosen_in(whole.hydra),
        )


def _refused_in(config: DictConfig, words: Sequence[str] = ()) -> list[Problem]:
    """Return the problems with values of a config that are not permitted."""
    problems = Problems()
    with problems.under():
        check_permitted(config, words)
    return problems.found


PLAIN_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
FROM_ENVIRONMENT = re.compile(r"\$\{oc\.env:[^${}]*\}")
"""The only kind of interpolation that does not refer to a key."""


def _is_plain(override: Override) -> bool:
    """Return whether a word replaces one plain value by another."""
    if override.value_type is None or override.package is not None:
        return False
    value = override.value()
    changes = not (override.is_add() or override.is_delete() or override.is_sweep_override())
    if isinstance(value, str) and ("${" in value or value == "???"):
        return False
    known = isinstance(value, (bool, int, float, str))
    return changes and known and PLAIN_KEY.fullmatch(override.key_or_group) is not None


class Template:
    """The config shared by jobs that set the same `keys`. Created by `of` from the first of them."""

    def __init__(
        self, config: DictConfig, keys: tuple[str, ...], refused: Sequence[Problem]
    ) -> None:
        self._config = config
        self._keys = {key: tuple(key.split(".")) for key in keys}
        self._resolved = resolve(config)
        self._unresolved = unresolved(config)
        self._texts = {key: _yaml(key, value) for key, value in self._unresolved.items()}
        self.refused = [*refused, *_refused_in(config)]

    @classmethod
    def of(cls, config: DictConfig, keys: tuple[str, ...], base: Base) -> Template | None:
        """Return the template of a job's config.

        Returns None if a value refers to another key, or if one of `keys` does not hold a plain
        value.
        """
        nodes = [OmegaConf.select(config, key, throw_on_missing=False) for key in keys]
        plain = unresolved(config)
        node = plain.get("init")
        if isinstance(node, dict) and node.get("kind") == DEFAULT_KIND and "semantics" not in keys:
            plain = {**plain, "init": {**node, "kind": ""}}
        if any(OmegaConf.is_config(node) for node in nodes) or _refers(plain):
            return None
        try:
            return cls(config, keys, base.refused)
        except ConfigError:
            return None

    def values(self, overrides: Sequence[Override]) -> dict[tuple[str, ...], JSON]:
        """Return the values of the keys for the job with these words. Raises the errors of Hydra."""
        apply_words(overrides, self._config)
        return {path: OmegaConf.select(self._config, key) for key, path in self._keys.items()}

    def resolved(self, values: dict[tuple[str, ...], JSON]) -> dict[str, JSON]:
        """Return a copy of the resolved config with these values."""
        made: dict[str, JSON] = _copy(self._resolved)
        for path, value in values.items():
            _put(made, path, value)
        return made

    def text(self, values: dict[tuple[str, ...], JSON]) -> str:
        """Return the job's config as YAML. Parts that no word changes are formatted once for all
        jobs.
        """
        changed: dict[str, JSON] = {}
        for path, value in values.items():
            changed.setdefault(path[0], _copy(self._unresolved[path[0]]))
            _put(changed, path, value)
        parts = {**self._texts, **{key: _yaml(key, value) for key, value in changed.items()}}
        return "".join(parts.values())


def _yaml(key: str, value: object) -> str:
    if type(value) is int:  # usually a seed; OmegaConf is slow
        return f"{key}: {value}\n"
    return OmegaConf.to_yaml(OmegaConf.create({key: value}))


def _refers(value: object) -> bool:
    """Return whether a string in an unresolved config may depend on another key."""
    if isinstance(value, dict):
        return any(map(_refers, value.values()))
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and "${" in FROM_ENVIRONMENT.sub("", value)


def _copy(value: object) -> Any:
    """Copy plain mappings and lists."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _put(mapping: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    *above, last = path
    for key in above:
        mapping = mapping[key]
    mapping[last] = value


@dataclass
class Composed:
    """The composed config of one job.

    `refused` lists the problems with values that are not permitted, `places` is the node `hydra.sweep`.
    `choices` are its chosen options by group, and `words` its words. The config itself, its
    declaration and its text are computed on demand.
    """

    refused: list[Problem]
    places: dict[str, JSON]
    choices: dict[str, str]
    words: tuple[str, ...]
    make: Callable[[], DictConfig]
    template: tuple[Template, dict[tuple[str, ...], JSON]] | None = None

    @cached_property
    def config(self) -> DictConfig:
        """The config without `hydra`, a copy of its own."""
        return self.make()

    def check_permitted(self) -> None:
        """Raise ConfigError if a value of the config is not permitted."""
        if self.refused:
            raise ConfigError(self.refused)

    def declaration(self) -> Declaration:
        """Return what the job declares. Raises ConfigError if an interpolation fails."""
        if self.template is None:
            return Declaration(completed(resolve(self.config)), self.choices, self.words)
        template, values = self.template
        return Declaration(completed(template.resolved(values)), self.choices, self.words)

    @property
    def plans(self) -> bool:
        """Whether the job only prints, and writes nothing."""
        if self.template is None:
            return bool(self.config.get("task") != "run")
        template, values = self.template
        return bool(template.resolved(values).get("task") != "run")

    def text(self) -> str:
        """Return the config as YAML."""
        if self.template is None:
            return OmegaConf.to_yaml(self.config)
        template, values = self.template
        return template.text(values)


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def _kept(kept: OrderedDict[Key, Value], key: Key, make: Callable[[], Value]) -> Value:
    """Return the cached value of `key`, or make and cache it. The cache holds `KEPT` values (LRU)."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


class Composer:
    """Composes jobs. `load` composes a config from words that choose options, as Hydra does.

    `words` are those of the command line, which may set what a file cannot.
    """

    def __init__(self, load: Callable[[list[str]], DictConfig], words: Sequence[str] = ()) -> None:
        self.load = load
        self._words = words
        self._kept: OrderedDict[tuple[str, ...], Base] = OrderedDict()
        self._templates: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], Template | None] = (
            OrderedDict()
        )
        self._groups: dict[str, bool] = {}

    def job(self, words: list[str]) -> Composed:
        """Compose the job with these words. Raises the errors of Hydra."""
        overrides = [parse_word(word) for word in words]
        base = self._base(overrides)
        places = base.places
        set_here = [one for one in overrides if not self._chooses(one)]
        if not base.refers and all(map(_is_plain, set_here)):
            keys = tuple(one.key_or_group for one in set_here)
            template = _kept(
                self._templates,
                (self._choices(overrides), keys),
                lambda: Template.of(self._apply(overrides, base.task), keys, base),
            )
            if template is not None:
                values = template.values(set_here)
                make = partial(self._apply, overrides, base.task)
                return Composed(
                    template.refused, places, base.choices, tuple(words), make, (template, values)
                )
        config = self.compose(words)
        refused = [*base.refused, *_refused_in(config, self._words)]
        return Composed(refused, places, base.choices, tuple(words), lambda: config)

    def compose(self, words: list[str]) -> DictConfig:
        """Compose the config of these words without `hydra`, a copy of its own. Raises the errors
        of Hydra.
        """
        overrides = [parse_word(word) for word in words]
        base = self._base(overrides)
        refers = base.refers or any("hydra" in word for word in words)
        return self._apply(overrides, base.whole if refers else base.task)

    def whole(self, words: list[str]) -> DictConfig:
        """Compose the config of these words with `hydra`."""
        overrides = [parse_word(word) for word in words]
        return self._apply(overrides, self._base(overrides).whole)

    def hydra(self, words: list[str]) -> DictConfig:
        """Return the `hydra` node of that config. The caller must not change it."""
        return self._base([parse_word(word) for word in words]).whole.hydra  # type: ignore[no-any-return]

    def _apply(self, overrides: list[Override], base: DictConfig) -> DictConfig:
        config = copy.deepcopy(base)
        apply_words([one for one in overrides if not self._chooses(one)], config)
        return config

    def _base(self, overrides: list[Override]) -> Base:
        choices = self._choices(overrides)
        return _kept(self._kept, choices, lambda: Base.of(self.load(list(choices)), self._words))

    def _choices(self, overrides: list[Override]) -> tuple[str, ...]:
        return tuple(str(override.input_line) for override in overrides if self._chooses(override))

    def _chooses(self, override: Override) -> bool:
        """Return whether a word changes the defaults list, by Hydra's rule."""
        if isinstance(override.value(), dict):
            return False
        key = override.key_or_group
        if key not in self._groups:
            self._groups[key] = group_exists(key)
        return self._groups[key]
