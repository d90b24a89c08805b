"""What a config may set under `hydra`, and the search for code in the rest of it.

Hydra and `logging` import classes, call them, run commands and set the environment as the node
`hydra` says. Here a value under `hydra` is permitted if it is one of these:

what Hydra or InitLab ships    the value of the option itself
set anywhere (ANYWHERE)        a plain value: a number, a word, true or false
typed (TYPED)                  a value that a word of the command line sets: commands, environment,
                               logging, folders
computed (COMPUTED)            Hydra overwrites it after it has read all files

Anything else is refused. An interpolation in the options of a launcher or a search is replaced by
the plain value that it resolves to. `_target_` and `()` are refused in the whole config.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import cast

import hydra.conf
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from initlab.runner.config import plugins
from initlab.runner.config.hydra_internals import parse_word
from initlab.runner.config.launchers import found_launchers, shipped_options_of
from initlab.runner.config.permitted import (
    ANYWHERE,
    BASIC,
    CODE_KEYS,
    COMPUTED,
    JUDGED,
    LAUNCHERS,
    LOGGING,
    LOGGING_CLASSES,
    REFUSED_OF_OPTUNA,
    RUNNER,
    SAMPLERS,
    SHIPPED,
    STREAMS,
    SWEEPERS,
    TYPED,
)
from initlab.runner.errors import ConfigError, Problem
from initlab.runner.json_values import JSON


@dataclass(frozen=True)
class Typed:
    """What the words of a command line set under `hydra`: the words, and the places of the values."""

    words: frozenset[str]
    places: frozenset[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> Typed:
        """Return what these words set. They must follow Hydra's grammar."""
        places: set[str] = set()
        given = [parse_word(word) for word in words]
        of_hydra = [one for one in given if one.is_hydra_override()]
        for one in of_hydra:
            if "/" not in one.key_or_group and not one.is_delete():
                places.update(place for place, _ in _leaves(one.value(), one.key_or_group))
        return cls(frozenset(str(one.input_line) for one in of_hydra), frozenset(places))

    def chooses(self, group: str) -> bool:
        """Return whether one of the words chooses the option of a group of Hydra's."""
        return any(word.lstrip("+").partition("=")[0] == group for word in self.words)


def check(config: DictConfig, typed: Typed) -> None:
    """Raise ConfigError with everything in a composed config, with `hydra`, that is not permitted.

    Interpolations in the options of launcher and sweeper are replaced by the values that were
    judged.
    """
    tree = cast(dict[str, JSON], OmegaConf.to_container(config, resolve=False, enum_to_str=True))
    problems = [*_named({k: v for k, v in tree.items() if k != "hydra"}, "")]
    node = tree.get("hydra")
    if isinstance(node, dict):
        _settle(config, node)
        problems += _Judge(node, typed).problems()
    if problems:
        raise ConfigError(problems)


def unknown_key(node: Mapping[str, JSON], words: Iterable[str]) -> str | None:
    """Return the first key of a recorded node `hydra` that neither Hydra, nor InitLab, nor one of
    the recorded words about `hydra` sets; None if there is none. No value is judged.
    """
    try:
        typed = Typed.of(words).places
    except (HydraException, RecursionError):
        return "hydra.overrides.hydra"
    known = {*SHIPPED, *typed, "hydra.callbacks", "hydra.overrides.hydra", "hydra.runtime.choices"}
    patterns = [*COMPUTED, *ANYWHERE]
    for group, ours in LOGGING.items():
        known |= {place for place, _ in _leaves(ours, f"hydra.{group}")}
        known |= {place for shipped in _of_hydra(group) for place in shipped}
    if "hydra.job.env_copy" in typed:
        patterns.append("hydra.job.env_set.*")
    for part, usual, options in (
        ("launcher", BASIC, ["_target_"]),
        ("sweeper", RUNNER, ["_target_", "max_batch_size", "params", "params.*"]),
    ):
        chosen = node.get(part)
        target = chosen.get("_target_") if isinstance(chosen, Mapping) else None
        # what other plugins have is known where they are installed
        patterns += [f"hydra.{part}.{name}" for name in (options if target == usual else ["*"])]
    for place, _ in _leaves(node, "hydra"):
        if place not in known and not _matches(place, patterns):
            return place
    return None


def refuse_hydra(words: Iterable[str], owner: str) -> None:
    """Raise ConfigError if words that a file holds, which nobody typed, set something of Hydra.

    `owner` names the file in the message.
    """
    for word in words:
        if re.match(r"[+~]*hydra\b", word):
            said = f"is refused: {owner} cannot set a key of hydra - type the word yourself"
            raise ConfigError.of(word, said)


def _named(value: JSON, place: str) -> Iterator[Problem]:
    """Return the problems with keys that name code, outside of `hydra`."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _named(item, f"{place}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            here = f"{place}.{key}" if place else str(key)
            if key in ("_target_", "()"):
                yield _code(here, item)
            yield from _named(item, here)


def _code(place: str, value: object) -> Problem:
    return Problem(
        place, f"{value!r} is refused: a config cannot name code to run - use --plugin FILE"
    )


def _leaves(value: object, place: str) -> Iterator[tuple[str, JSON]]:
    """Return every value that is no mapping, and every empty mapping, with its place."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{place}.{key}")
    else:
        yield place, cast(JSON, value)


def _is_plain(value: object) -> bool:
    """Return whether a value is a number, true, false, null or a text of one line that refers to
    nothing, or a list of such.
    """
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, str):
        return value.isprintable() and "${" not in value
    return value is None or isinstance(value, (bool, int, float))


def _settle(config: DictConfig, node: dict[str, JSON]) -> None:
    """Replace interpolations in the options of launcher and Optuna by what they resolve to, in the
    config and in its unresolved tree `node`, if that is a plain value.
    """
    for part in ("launcher", "sweeper"):
        shipped = dict(_of_launcher(node)) if part == "launcher" else {}
        options = node.get(part)
        if not isinstance(options, dict) or options.get("_target_") == RUNNER:
            continue
        for place, value in _leaves(options, f"hydra.{part}"):
            if "${" not in str(value) or _is(shipped, place, value):
                continue
            try:
                found = OmegaConf.select(config, place)
            except OmegaConfBaseException:
                continue
            if isinstance(found, ListConfig):
                found = OmegaConf.to_container(found, resolve=True)
            if _is_plain(found):
                with open_dict(config):
                    OmegaConf.update(config, place, found)
                _put(node, place.split(".")[1:], cast(JSON, found))


def _put(node: dict[str, JSON], path: list[str], value: JSON) -> None:
    *above, last = path
    for key in above:
        node = cast(dict[str, JSON], node[key])
    node[last] = value


def _of_launcher(node: dict[str, JSON]) -> Iterator[tuple[str, JSON]]:
    """Return the values that the chosen launcher's own plugin gives its options."""
    launcher = node.get("launcher")
    target = launcher.get("_target_") if isinstance(launcher, dict) else None
    if isinstance(target, str) and target != BASIC:
        for options in shipped_options_of(target):
            yield from _leaves(options, "hydra.launcher")


@cache
def _of_hydra(group: str) -> tuple[dict[str, JSON], ...]:
    """Return what each of Hydra's own option files of a group sets, by place."""
    folder = Path(str(hydra.conf.__file__)).parent / "hydra" / group
    read = [OmegaConf.to_container(OmegaConf.load(file)) for file in sorted(folder.glob("*.yaml"))]
    return tuple(dict(_leaves(content, f"hydra.{group}")) for content in read)


@dataclass(frozen=True)
class _Judge:
    """Finds what is not permitted in an unresolved node `hydra`."""

    node: dict[str, JSON]
    typed: Typed

    def problems(self) -> Iterator[Problem]:
        """Yield every problem."""
        for part in ("launcher", "sweeper", "job_logging", "hydra_logging", "job", "run", "sweep"):
            if not isinstance(self.node.get(part), dict):
                found = self.node.get(part)
                yield Problem(f"hydra.{part}", f"must be a mapping of its own, got {found!r}")
        if self.node.get("callbacks"):
            yield from self._callbacks()
        yield from self._launcher()
        yield from self._sweeper()
        for group in LOGGING:
            yield from self._logging(group)
        rest = {k: v for k, v in self.node.items() if k not in JUDGED}
        for place, value in _leaves(rest, "hydra"):
            yield from self._other(place, value)

    def _callbacks(self) -> Iterator[Problem]:
        """Return the problems with callbacks, which are classes whatever their content."""
        named = [
            _code(place, value)
            for place, value in _leaves(self.node["callbacks"], "hydra.callbacks")
            if place.endswith("._target_")
        ]
        said = "callbacks are refused: a config cannot name code to run"
        yield from named or [Problem("hydra.callbacks", said)]

    def _launcher(self) -> Iterator[Problem]:
        launcher = self.node.get("launcher")
        if not isinstance(launcher, dict):
            return
        target = launcher.get("_target_")
        place = "hydra.launcher._target_"
        if not isinstance(target, str) or target not in LAUNCHERS.keys() | found_launchers():
            yield _code(place, target)
            return
        if target not in LAUNCHERS and not self.typed.chooses("hydra/launcher"):
            said = "is refused in a file: type hydra/launcher=… on the command line"
            yield Problem(place, f"{target!r} {said}")
            return
        plain = LAUNCHERS[target][1] if target in LAUNCHERS else ""
        names = {f"hydra.launcher.{name}" for name in plain.split()}
        shipped = dict(_of_launcher(self.node))
        for place, value in _leaves(launcher, "hydra.launcher"):
            if place == "hydra.launcher._target_" or _is(shipped, place, value):
                continue
            if place in names:
                yield from self._plain(place, value)
            else:
                yield from self._typed_only(place, value)

    def _sweeper(self) -> Iterator[Problem]:
        sweeper = self.node.get("sweeper")
        if not isinstance(sweeper, dict):
            return
        target = sweeper.get("_target_")
        if target not in SWEEPERS:
            yield _code("hydra.sweeper._target_", target)
            return
        for key, said in REFUSED_OF_OPTUNA.items():
            if sweeper.get(key):
                yield Problem(f"hydra.sweeper.{key}", said)
        for place, value in _leaves(sweeper, "hydra.sweeper"):
            key = place.rpartition(".")[2]
            if place in ("hydra.sweeper._target_", *self._refused_of_optuna):
                continue
            if place == "hydra.sweeper.sampler._target_" and value in SAMPLERS:
                continue
            if target == RUNNER and place.startswith("hydra.sweeper.params."):
                continue  # words of the runs, which are judged where they set something
            if key in CODE_KEYS:
                yield _code(place, value)
            else:
                yield from self._plain(place, value)

    @property
    def _refused_of_optuna(self) -> list[str]:
        return [f"hydra.sweeper.{key}" for key in REFUSED_OF_OPTUNA]

    def _logging(self, group: str) -> Iterator[Problem]:
        """Return the problems with a logging config: it must be one that is shipped, but for what is
        typed.
        """
        leaves = dict(_leaves(self.node.get(group), f"hydra.{group}"))
        others = {place: value for place, value in leaves.items() if place not in self.typed.places}
        for place in leaves.keys() - others.keys():
            yield from self._typed_logging(place, leaves[place])
        ours = dict(_leaves(LOGGING[group], f"hydra.{group}"))
        best = _differing(others, ours)
        for shipped in _of_hydra(group) if best else ():
            best = min(best, _differing(others, shipped), key=len)
        for place in best:
            value = others[place]
            if place.rpartition(".")[2] in CODE_KEYS and value not in LOGGING_CLASSES:
                yield _code(place, value)
            else:
                yield from self._typed_only(place, value)

    def _typed_logging(self, place: str, value: JSON) -> Iterator[Problem]:
        text = str(value)
        if place.rpartition(".")[2] in CODE_KEYS and value not in LOGGING_CLASSES:
            yield _code(place, value)
        elif "ext://" in text and text not in STREAMS:
            said = (
                f"{value!r} is refused: a config cannot name code to import - use ext://sys.stderr"
            )
            yield Problem(place, said)
        elif "${" in text:
            yield Problem(
                place, "an interpolation is refused in a logging config - write the value itself"
            )

    def _other(self, place: str, value: JSON) -> Iterator[Problem]:
        """Return the problem with a value that is none of launcher, sweeper, logging, callbacks."""
        if _matches(place, COMPUTED) or _is(SHIPPED, place, value):
            return
        if place == "hydra.overrides.hydra":
            for word in value if isinstance(value, list) else [value]:
                if word not in self.typed.words:
                    yield Problem(place, f"{word!r} is refused: only a command line sets words")
        elif _matches(place, ANYWHERE):
            yield from self._plain(place, value)
        elif place.startswith("hydra.job.env_set.") and place.endswith(f".{plugins.ENVIRONMENT}"):
            said = f"{plugins.ENVIRONMENT} is refused: a config cannot name a plugin - use --plugin FILE"
            yield Problem("hydra.job.env_set", said)
        elif _matches(place, TYPED):
            yield from self._typed_only(place, value)
        else:
            yield Problem(place, "cannot be set: InitLab does not use it")

    def _typed_only(self, place: str, value: JSON) -> Iterator[Problem]:
        """Return the problem with a value that only the command line may set."""
        key = place.rpartition(".")[2]
        if key in CODE_KEYS or key.startswith("_"):
            yield _code(place, value)
        elif place in self.typed.places or place in self._copied:
            return
        elif isinstance(value, str) and "ext://" in value:
            yield Problem(place, f"{value!r} is refused: a config cannot name code to import")
        elif value not in ({}, []):
            said = "is refused in a file: it must be typed, as a word of the command line"
            yield Problem(place, f"{value!r} {said}")

    @property
    def _copied(self) -> list[str]:
        """The environment variables that a typed hydra.job.env_copy copies."""
        if "hydra.job.env_copy" not in self.typed.places:
            return []
        job = cast(dict[str, JSON], self.node["job"])
        return [f"hydra.job.env_set.{name}" for name in cast(list[str], job["env_copy"])]

    def _plain(self, place: str, value: JSON) -> Iterator[Problem]:
        """Return the problem with an option that is no plain value."""
        key = place.rpartition(".")[2]
        if key in CODE_KEYS:
            yield _code(place, value)
        elif key.startswith("_") and value is not True:
            yield Problem(place, "is refused: only plain options can be set here")
        elif value != {} and not _is_plain(value):
            said = f"{value!r} is refused: it must be a plain value, like a number or a word"
            yield Problem(place, said)


def _is(shipped: Mapping[str, JSON], place: str, value: JSON) -> bool:
    return place in shipped and shipped[place] == value


def _differing(found: dict[str, JSON], shipped: dict[str, JSON]) -> list[str]:
    """Return the places whose values differ from the shipped ones, or are none of them."""
    return [place for place, value in found.items() if not _is(shipped, place, value)]


def _matches(place: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(place, pattern) for pattern in patterns)
