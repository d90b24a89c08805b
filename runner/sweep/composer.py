"""Configs of many jobs, composed once for each different choice of groups; the other words are then
set in a copy.

Hydra composes every job from files, though most differ in plain values only. What comes out is the
same: Hydra too applies such words after it has put the chosen files together, by the same function.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from initlab.runner.config.compose import search_code
from initlab.runner.config.hydra_internals import apply_words, group_exists, parse_word
from initlab.runner.errors import Problem

KEPT = 64
"""So many compositions are kept at a time: memory does not grow with the number of choices."""


@dataclass(frozen=True)
class Base:
    """What Hydra composed, whole and without its own part, whether the rest refers to that, and
    what in it names code.
    """

    whole: DictConfig
    task: DictConfig
    refers: bool
    code: tuple[Problem, ...]

    @classmethod
    def of(cls, whole: DictConfig) -> Base:
        """From what Hydra composed."""
        task = OmegaConf.masked_copy(whole, [str(key) for key in whole if key != "hydra"])
        OmegaConf.set_struct(task, OmegaConf.is_struct(whole))
        return cls(
            whole,
            task,
            "${hydra" in str(OmegaConf.to_container(task, resolve=False)),
            tuple(search_code(whole)),
        )


class Composer:
    """Composes jobs. `load` composes a config from words that choose options, as Hydra does."""

    def __init__(self, load: Callable[[list[str]], DictConfig]) -> None:
        self._load = load
        self._kept: OrderedDict[tuple[str, ...], Base] = OrderedDict()
        self._groups: dict[str, bool] = {}

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

    def search(self, words: list[str], config: DictConfig) -> list[Problem]:
        """What names code in a job: in what its choices of groups made, Hydra's own part included,
        and in its config.
        """
        found = [*self._base([parse_word(word) for word in words]).code, *search_code(config)]
        return list(dict.fromkeys(found))

    def _apply(self, overrides: list[Override], base: DictConfig) -> DictConfig:
        config = copy.deepcopy(base)
        apply_words([one for one in overrides if not self._chooses(one)], config)
        return config

    def _base(self, overrides: list[Override]) -> Base:
        choices = tuple(
            str(override.input_line) for override in overrides if self._chooses(override)
        )
        if choices not in self._kept:
            self._kept[choices] = Base.of(self._load(list(choices)))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(choices)
        return self._kept[choices]

    def _chooses(self, override: Override) -> bool:
        """Whether a word is about the defaults list, by Hydra's rule."""
        if isinstance(override.value(), dict):
            return False
        key = override.key_or_group
        if key not in self._groups:
            self._groups[key] = group_exists(key)
        return self._groups[key]
