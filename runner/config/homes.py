"""Where a key lives: `sigma` is `init.sigma`, of the options normal and truncated_normal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import lru_cache

from initlab.engine.options import options_of
from initlab.engine.registry import nearest
from initlab.engine.synonyms import meant
from initlab.runner.config import schema
from initlab.runner.errors import Problem
from initlab.runner.layers import REGISTRY
from initlab.runner.layers.base import OF_ANY_LAYER

SHOWN = 4
"""Options that a message names at most."""
Homes = dict[str, list[str]]
"""Path of a key -> the words that choose the options which have it; none if all have."""


@lru_cache(1)
def _all() -> dict[str, Homes]:
    """Return the homes of every name that an option of a group has as its key."""
    found: dict[str, Homes] = {}

    def add(name: str, path: str, *words: str) -> None:
        found.setdefault(name, {}).setdefault(path, []).extend(words)

    for group in schema.GROUPS:
        registry = schema.kinds(group)
        for kind in registry:
            several = group in schema.SEVERAL
            for name in options_of(registry.get(kind)):
                path = f"{group}.{kind}.{name}" if several else f"{group}.{name}"
                add(name, path, f"{group}=[{kind}]" if several else f"{group}={kind}")
    for group, cls in (
        ("model", schema.Model),
        ("device", schema.DeviceOptions),
        ("sweep", schema.SweepOptions),
    ):
        for field in fields(cls):
            add(field.name, f"{group}.{field.name}")
    for kind in REGISTRY:
        for name in options_of(REGISTRY.get(kind)):
            add(name, f"model.layers.N.{name}")
    add("trainable", "model.layers.N.trainable")
    for name, homes in found.items():
        for path, words in homes.items():
            if len(words) == len(list(_kinds(path))):
                words.clear()
        found[name] = dict(sorted(homes.items(), key=lambda home: bool(home[1])))
    for homes in found.values():
        of_layers = [path for path in homes if path.startswith("model.layers.N.")]
        for path in of_layers if len(homes) > len(of_layers) else ():
            del homes[path]  # `momentum` and the like: an option's own key is meant
    return found


def _kinds(path: str) -> Iterable[str]:
    """Return the kinds of the group in which a key is an option."""
    group = path.partition(".")[0]
    return () if group not in schema.GROUPS or group in schema.SEVERAL else schema.kinds(group)


def homes_of(name: str) -> Homes:
    """Return where a key of this name lives, or of the name that the field's other name stands for."""
    known = _all()
    chosen = name if name in known else meant(name, known)
    return known.get(chosen or "", {})


def names_below(parent: str) -> list[str]:
    """Return the keys that a part of the config like `init` has, of all its options."""
    return sorted(name for name, homes in _all().items() if f"{parent}.{name}" in homes)


def no_key(place: str, name: str, known: Iterable[str], after: str = "") -> Problem:
    """Return the problem with a key that does not exist at `place` of a config.

    `known` are the keys there. If there is such a key in another place, or with other options, it is
    that which is meant.
    """
    names: Sequence[str] = sorted(known)
    homes = homes_of(name)
    parent = place.rpartition(".")[0]
    if parent and not homes:
        homes = homes_of(nearest(name, names_below(parent)) or "")
    if "." in place:  # a layer's or a measurement's options are not meant below `init`
        homes = {path: words for path, words in homes.items() if path.count(".") == 1}
    homes = {place: homes[place]} if place in homes else homes
    if not homes or homes.get(place) == [] or _is_near(name, names, homes):
        return Problem.of_name(place, f"no such key{after}", name, names)
    said = " or ".join(f"'{path}'{_of(words)}" for path, words in list(homes.items())[:SHOWN])
    said = f"it is one{_of(homes[place])}." if place in homes else f"did you mean {said}?"
    return Problem(place, f"no such key{after} - {said} Known: {', '.join(names)}.", unknown=True)


def _is_near(name: str, names: Sequence[str], homes: Homes) -> bool:
    """Return whether one of the names that are there is meant rather than a key of this very name in
    another place.
    """
    exact = any(path.rpartition(".")[2] == name for path in homes)
    return meant(name, names) is not None or (not exact and nearest(name, names) is not None)


def _of(words: list[str]) -> str:
    """Return ` (with init=normal, init=uniform)` for the options that have a key."""
    if not words:
        return ""
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return f" (with {', '.join(words[:SHOWN])}{more})"


def options_of_layer(kind: str) -> list[str]:
    """Return the options of a layer kind, or none if there is no such kind."""
    return [*options_of(REGISTRY.get(kind)), *OF_ANY_LAYER] if kind in REGISTRY else []
