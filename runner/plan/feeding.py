"""Whether the data is what the network takes: token numbers for an embedding, fractions for the rest."""

from __future__ import annotations

from collections.abc import Sequence

from initlab.runner.data import Data
from initlab.runner.errors import ConfigError
from initlab.runner.layers.embedding import Embedding
from initlab.runner.plan.model import LayerSpec


def check_feeding(layers: Sequence[LayerSpec], data: Data) -> None:
    """Raise ConfigError if the data's samples are not what the first layer takes.

    Fractions would be cut to token numbers, and numbers beyond a table would read its last row.
    """
    first = entry(layers)
    if first is None:
        return
    name, kind = first.name, first.layer.kind
    if first.layer.tokens and not data.whole_numbers:
        said = f"{data.kind} gives fractions, but layer '{name}' ({kind}) takes token numbers"
        rows = first.layer.input_dim if isinstance(first.layer, Embedding) else "…"
        raise ConfigError.of("data", f"{said} - write data=tokens data.vocabulary={rows}")
    if data.whole_numbers and not first.layer.tokens:
        said = f"{data.kind} gives token numbers, but layer '{name}' ({kind}) takes fractions"
        raise ConfigError.of(
            "data", f"{said} - write data=uniform, or choose a model that begins with an embedding"
        )
    rows = first.layer.input_dim if isinstance(first.layer, Embedding) else None
    if data.classes is not None and isinstance(rows, int) and data.classes > rows:
        said = f"{data.kind} has token numbers up to {data.classes - 1}, but layer '{name}' has {rows} rows"
        write = f"write data.vocabulary={rows}, or " if hasattr(data, "vocabulary") else ""
        raise ConfigError.of("data", f"{said} - {write}give the layer input_dim: {data.classes}")


def entry(layers: Sequence[LayerSpec]) -> LayerSpec | None:
    """Return the first layer that minds what it is fed; None if there is none."""
    for spec in layers:
        found = entry(next(iter(spec.children.values()))) if spec.children else None
        if found is None and spec.layer.tokens is not None:
            found = spec
        if found is not None:
            return found
    return None
