"""The label of a run: what of its model and initializer a person tells it apart by, `gpt2-he_out`.

The label begins the name of the run's folder. It is made from the options that were chosen and from
the words about the initializer. The default model is not named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from omegaconf import DictConfig, OmegaConf

from initlab.engine.init.base import KINDS
from initlab.runner.json_values import JSON

DEFAULT_MODEL = "mlp"
ALONE = "default"
"""The option of `init` that is no initializer of its own, but each layer's."""
NAMED = ("model", "init", "device", "data", "probe", "snapshot", "stats", "measure", "experiment")
"""The groups whose chosen options a manifest names."""
LONGEST, LONGEST_VALUE = 40, 16
"""Characters of a label, and of a text in it, at most."""
OTHER = re.compile(r"[^A-Za-z0-9_.]+")


def chosen_in(hydra: DictConfig) -> dict[str, str]:
    """Return {group: option} of the options that a composed config chose, from its `hydra` node."""
    choices = OmegaConf.to_container(hydra.runtime.choices)
    found = choices if isinstance(choices, dict) else {}
    return {group: str(found[group]) for group in NAMED if isinstance(found.get(group), str)}


def label_of(
    resolved: Mapping[str, JSON], chosen: Mapping[str, str], words: Sequence[str] = ()
) -> str:
    """Return the label of a run with this config, these chosen options and these words.

    It has the model, unless that is the default one, and the initializer with those of its options
    that a word sets. It has letters, digits, `_`, `.` and `-` only, and at most `LONGEST` characters.
    """
    model = chosen.get("model", DEFAULT_MODEL)
    parts = [] if model == DEFAULT_MODEL else [model]
    initializer = _initializer(resolved, chosen)
    said = initializer.split("_")
    options = [text for text in _options(resolved, words) if text not in said]
    parts.append("_".join([initializer, *options]))
    return "-".join(OTHER.sub("_", part) for part in parts)[:LONGEST].rstrip("-_.")


def _initializer(resolved: Mapping[str, JSON], chosen: Mapping[str, str]) -> str:
    """Return the name of the option of `init`, or its kind if a file or a word put another one into
    its place.
    """
    node = resolved.get("init")
    kind = str(node.get("kind") if isinstance(node, dict) else None)
    option = chosen.get("init", ALONE)
    other = option in KINDS and option != kind
    return kind if option == ALONE or other else option


def _options(resolved: Mapping[str, JSON], words: Iterable[str]) -> list[str]:
    """Return the values that words give to options of the initializer, by key."""
    keys = {word.lstrip("+").partition("=")[0] for word in words}
    found = []
    for key in sorted(key for key in keys if key.startswith("init.") and key != "init.kind"):
        value: JSON = dict(resolved)
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        name = key.rpartition(".")[2]
        if isinstance(value, bool):
            found.append(name if value else f"no_{name}")
        elif isinstance(value, (int, float)):
            found.append(f"{name}{value if isinstance(value, int) else f'{value:.4g}'}")
        elif isinstance(value, str) and len(value) <= LONGEST_VALUE and "/" not in value:
            found.append(value)
    return found
