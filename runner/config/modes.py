"""Whether `probe.mode` and `probe.dropout` change what a run measures, so that they are part of its
id.

Before they could be chosen, each probe and measurement had a mode of its own. A config whose values
are those of that time keeps its id: `probe=forward` for a network without batch normalization, and
`probe=backward` for one without dropout. Where the values are others, the id is another, so that a
run that was made then does not stand for one of today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from initlab.runner.json_values import JSON
from initlab.runner.layers import REGISTRY as LAYERS
from initlab.runner.layers import Layer
from initlab.runner.measures import REGISTRY as MEASURES
from initlab.runner.probes import REGISTRY as PROBES

KEYS = ("mode", "dropout")
BUILT_IN = Layer.__module__.rpartition(".")[0]
MEASURED_IN = ("predict", False)
"""The mode and dropout of all measurements before they could be chosen."""


def without_mode(config: Mapping[str, JSON]) -> JSON:
    """Return the probe's options of a resolved config, without the mode if the values do not depend
    on it or are those of the time before it could be chosen.
    """
    chosen = config.get("probe")
    if not isinstance(chosen, dict) or not any(key in chosen for key in KEYS):
        return chosen
    rest = {name: value for name, value in chosen.items() if name not in KEYS}
    return chosen if _differs(chosen, config) else rest


def _differs(chosen: Mapping[str, JSON], config: Mapping[str, JSON]) -> bool:
    mode, dropout = (chosen.get(key) for key in KEYS)
    if mode is None:
        return bool(dropout)
    for former in _formerly(chosen.get("kind"), config.get("measure")):
        averages, drops = _sensitive(config.get("model"))
        if (averages and mode != former[0]) or (drops and bool(dropout) != former[1]):
            return True
    return False


def _formerly(kind: JSON, measures: JSON) -> Iterator[tuple[str, bool]]:
    """Yield the former mode of each part of a run that looks at layers."""
    if isinstance(kind, str) and kind in PROBES:
        former = PROBES.get(kind).former
        if former is not None:
            yield former
    for options in measures.values() if isinstance(measures, dict) else ():
        name = options.get("kind") if isinstance(options, dict) else None
        if isinstance(name, str) and name in MEASURES and MEASURES.get(name).watches:
            yield MEASURED_IN


def _sensitive(node: JSON) -> tuple[bool, bool]:
    """Return whether layers below a node of the config depend on the batch in train mode, and
    whether they have dropout. Of a plugin's layers both are assumed.
    """
    averages = drops = False
    for layer in _layers(node):
        kind = layer["kind"]
        if not isinstance(kind, str) or kind not in LAYERS:
            continue
        cls = LAYERS.get(kind)
        foreign = not cls.__module__.startswith(f"{BUILT_IN}.")
        averages |= foreign or cls.averages
        drops |= foreign or any(layer.get(option) for option in ("dropout", "rate"))
    return averages, drops


def _layers(node: JSON) -> Iterator[Mapping[str, JSON]]:
    if isinstance(node, dict):
        if "kind" in node:
            yield node
        for value in node.values():
            yield from _layers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _layers(value)
