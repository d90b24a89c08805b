"""Building a model again: anew, or with another spread."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from initlab.engine.registry import advice
from initlab.runner.check.compare import open_side
from initlab.runner.errors import ConfigError
from initlab.runner.torch.watch.record.found import Knob

SEED = 20261127
Build = Callable[..., Any]


def knob_of(model: Any, knob: str | float, build: Build | None) -> Knob:
    """Return the knob of a model.

    A number is given to `build`. A name like `config.initializer_range` is an attribute of the model:
    `build` is given a copy of the object `config` in which it is changed. A name without a dot is an
    attribute whose number is given to `build`. Raises ConfigError for anything else.
    """
    if build is None:
        said = "needs build=…, which makes the model again: build=Model, or build=lambda config: …"
        raise ConfigError.of("knob", said)
    if isinstance(knob, (int, float)) and not isinstance(knob, bool):
        return Knob(f"the knob {knob:g}", _sound(str(knob), knob), build)
    if not isinstance(knob, str):
        raise ConfigError.of("knob", f"must be a number or the name of one, got {knob!r}")
    first, *rest = knob.split(".")
    holder = _attribute(model, first, knob)
    if not rest:
        return Knob(knob, _sound(knob, holder), build)
    value = holder
    for name in rest:
        value = _attribute(value, name, knob)

    def built(number: float) -> Any:
        changed = copy.deepcopy(holder)
        part = changed
        for name in rest[:-1]:
            part = _attribute(part, name, knob)
        if isinstance(part, dict):
            part[rest[-1]] = number
        else:
            setattr(part, rest[-1], number)
        return build(changed)

    return Knob(knob, _sound(knob, value), built)


def _attribute(holder: Any, name: str, knob: str) -> Any:
    if isinstance(holder, Mapping):
        if name in holder:
            return holder[name]
        known = [str(key) for key in holder]
    else:
        if hasattr(holder, name):
            return getattr(holder, name)
        known = [key for key in getattr(holder, "__dict__", {}) if not key.startswith("_")]
    said = f"'{knob}': {type(holder).__name__} has no '{name}' - {advice(name, known)}"
    raise ConfigError.of("knob", said)


def _sound(said: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ConfigError.of("knob", f"'{said}' must be a positive number, is {value!r}")
    return float(value)


def built(build: Callable[[], Any], said: str) -> Any:
    """Return the model, built from one seed without moving torch's. Raises ConfigError if it cannot be
    built, or is no module.
    """
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(SEED)
            model = build()
    except Exception as error:  # the model's own code: whatever it raises
        raise ConfigError.of(
            "build", f"the model cannot be built again {said}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(model, torch.nn.Module):
        raise ConfigError.of("build", f"must return a module, got {type(model).__name__}")
    return model


def names_loaded(loaded: Any) -> frozenset[str]:
    """Return the names of a state dict, of a file of weights, or of a list of names."""
    if isinstance(loaded, (str, Path)):
        return frozenset(open_side(Path(loaded)).names)
    if isinstance(loaded, Iterable):
        return frozenset(map(str, loaded))
    said = f"must be a file, a state dict or names, got {type(loaded).__name__}"
    raise ConfigError.of("loaded", said)
