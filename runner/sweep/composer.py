"""Configs of many jobs, composed once for each different choice of groups; the other words are then
set in a copy.

Hydra composes every job from files, though most differ in plain values only. What comes out is the
same: Hydra too applies such words after it has put the chosen files together, by the same function.

Jobs that set the same keys to plain values share a `Template`: a config in which no key refers to
another, so that only what stands at these keys differs.
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

from initlab.runner.config.compose import search_code, unresolved
from initlab.runner.config.hydra_internals import apply_words, group_exists, parse_word
from initlab.runner.config.identity import Declaration, declaration_of, resolve
from initlab.runner.errors import ConfigError, Problem

KEPT = 64
"""So many compositions are kept at a time: memory does not grow with the number of choices."""


@dataclass(frozen=True)
class Base:
    """What Hydra composed, whole and without its own part, whether the rest refers to that, what in
    it names code, and where it says that runs are kept.
    """

    whole: DictConfig
    task: DictConfig
    refers: bool
    code: tuple[Problem, ...]
    places: dict[str, Any]

    @classmethod
    def of(cls, whole: DictConfig) -> Base:
        """From what Hydra composed."""
        task = OmegaConf.masked_copy(whole, [str(key) for key in whole if key != "hydra"])
        OmegaConf.set_struct(task, OmegaConf.is_struct(whole))
        return cls(
            whole,
            task,
            "${hydra" in str(unresolved(task)),
            tuple(search_code(whole)),
            unresolved(whole.hydra.sweep),
        )


PLAIN_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
FROM_ENVIRONMENT = re.compile(r"\$\{oc\.env:[^${}]*\}")
"""The one kind of interpolation that refers to no key."""


def _is_plain(override: Override) -> bool:
    """Whether a word puts one plain value in the place of another."""
    if override.value_type is None or override.package is not None:
        return False
    value = override.value()
    changes = not (override.is_add() or override.is_delete() or override.is_sweep_override())
    if isinstance(value, str) and ("${" in value or value == "???"):
        return False
    known = isinstance(value, (bool, int, float, str))
    return changes and known and PLAIN_KEY.fullmatch(override.key_or_group) is not None


class Template:
    """The config of jobs that set the same `keys`. Made from the first of them, or not at all: see
    `of`.
    """

    def __init__(self, config: DictConfig, keys: tuple[str, ...], code: Sequence[Problem]) -> None:
        self._config = config
        self._keys = {key: tuple(key.split(".")) for key in keys}
        self._resolved = resolve(config)
        self._unresolved = unresolved(config)
        self._texts = {key: _yaml(key, value) for key, value in self._unresolved.items()}
        self.code = list(dict.fromkeys([*code, *search_code(config)]))

    @classmethod
    def of(cls, config: DictConfig, keys: tuple[str, ...], base: Base) -> Template | None:
        """The template of a job's config; None where a key refers to another, or does not hold a
        plain value.
        """
        nodes = [OmegaConf.select(config, key, throw_on_missing=False) for key in keys]
        if any(OmegaConf.is_config(node) for node in nodes) or _refers(unresolved(config)):
            return None
        try:
            return cls(config, keys, base.code)
        except ConfigError:
            return None

    def values(self, overrides: Sequence[Override]) -> dict[tuple[str, ...], Any]:
        """What stands at the keys of the job that has these words; fails as Hydra does."""
        apply_words(overrides, self._config)
        return {path: OmegaConf.select(self._config, key) for key, path in self._keys.items()}

    def resolved(self, values: dict[tuple[str, ...], Any]) -> dict[str, Any]:
        """The job's resolved config, a copy of its own."""
        made: dict[str, Any] = _copy(self._resolved)
        for path, value in values.items():
            _put(made, path, value)
        return made

    def text(self, values: dict[tuple[str, ...], Any]) -> str:
        """The job's config as YAML; a part of it that no word is about is written once for all."""
        changed: dict[str, Any] = {}
        for path, value in values.items():
            changed.setdefault(path[0], _copy(self._unresolved[path[0]]))
            _put(changed, path, value)
        parts = {**self._texts, **{key: _yaml(key, value) for key, value in changed.items()}}
        return "".join(parts.values())


def _yaml(key: str, value: Any) -> str:
    if type(value) is int:  # a seed, most of all: no need to ask for that
        return f"{key}: {value}\n"
    return OmegaConf.to_yaml(OmegaConf.create({key: value}))


def _refers(value: Any) -> bool:
    """Whether a text in an unresolved config may depend on something else in it."""
    if isinstance(value, dict):
        return any(map(_refers, value.values()))
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and "${" in FROM_ENVIRONMENT.sub("", value)


def _copy(value: Any) -> Any:
    """A copy of plain mappings and lists."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _put(mapping: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *above, last = path
    for key in above:
        mapping = mapping[key]
    mapping[last] = value


@dataclass
class Composed:
    """The config of one job: what it names of code, where it says that runs are kept, and on demand
    what it declares, its text, and the config itself.
    """

    code: list[Problem]
    places: dict[str, Any]
    make: Callable[[], DictConfig]
    template: tuple[Template, dict[tuple[str, ...], Any]] | None = None

    @cached_property
    def config(self) -> DictConfig:
        """The config, a copy of its own without `hydra`."""
        return self.make()

    def declaration(self) -> Declaration:
        """What the job declares. ConfigError where an interpolation fails."""
        if self.template is None:
            return declaration_of(self.config)
        template, values = self.template
        return Declaration(template.resolved(values))

    @property
    def plans(self) -> bool:
        """Whether its plan is only to be printed."""
        if self.template is None:
            return bool(self.config.get("task") == "plan")
        template, values = self.template
        return bool(template.resolved(values).get("task") == "plan")

    def text(self) -> str:
        """The config as YAML."""
        if self.template is None:
            return OmegaConf.to_yaml(self.config)
        template, values = self.template
        return template.text(values)


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def _kept(kept: OrderedDict[Key, Value], key: Key, make: Callable[[], Value]) -> Value:
    """What is kept under `key`, made where it is not; the last `KEPT` that were asked for are kept."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


class Composer:
    """Composes jobs. `load` composes a config from words that choose options, as Hydra does."""

    def __init__(self, load: Callable[[list[str]], DictConfig]) -> None:
        self._load = load
        self._kept: OrderedDict[tuple[str, ...], Base] = OrderedDict()
        self._templates: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], Template | None] = (
            OrderedDict()
        )
        self._groups: dict[str, bool] = {}

    def job(self, words: list[str]) -> Composed:
        """The job that the words make; fails as Hydra does."""
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
                return Composed(template.code, places, make, (template, values))
        config = self.compose(words)
        code = list(dict.fromkeys([*base.code, *search_code(config)]))
        return Composed(code, places, lambda: config)

    def compose(self, words: list[str]) -> DictConfig:
        """The config that the words make, a copy of its own without `hydra`; fails as Hydra does."""
        overrides = [parse_word(word) for word in words]
        base = self._base(overrides)
        refers = base.refers or any("hydra" in word for word in words)
        return self._apply(overrides, base.whole if refers else base.task)

    def whole(self, words: list[str]) -> DictConfig:
        """The same with `hydra`."""
        overrides = [parse_word(word) for word in words]
        return self._apply(overrides, self._base(overrides).whole)

    def hydra(self, words: list[str]) -> DictConfig:
        """The `hydra` of that config, which is not to be changed."""
        return self._base([parse_word(word) for word in words]).whole.hydra  # type: ignore[no-any-return]

    def _apply(self, overrides: list[Override], base: DictConfig) -> DictConfig:
        config = copy.deepcopy(base)
        apply_words([one for one in overrides if not self._chooses(one)], config)
        return config

    def _base(self, overrides: list[Override]) -> Base:
        choices = self._choices(overrides)
        return _kept(self._kept, choices, lambda: Base.of(self._load(list(choices))))

    def _choices(self, overrides: list[Override]) -> tuple[str, ...]:
        return tuple(str(override.input_line) for override in overrides if self._chooses(override))

    def _chooses(self, override: Override) -> bool:
        """Whether a word is about the defaults list, by Hydra's rule."""
        if isinstance(override.value(), dict):
            return False
        key = override.key_or_group
        if key not in self._groups:
            self._groups[key] = group_exists(key)
        return self._groups[key]
