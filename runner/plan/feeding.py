"""Whether the data is what the network takes: token numbers for an embedding, fractions for the rest,
and labels for which there are outputs.

Fractions would be cut to token numbers, numbers beyond a table would read its last row, and labels
beyond the outputs would be those of other classes.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from initlab.runner.data import Data
from initlab.runner.errors import ConfigError
from initlab.runner.layers.embedding import Embedding
from initlab.runner.plan.model import LayerSpec

LABELS_BEYOND = (
    "{data} has labels of {classes} classes, but the network gives {outputs} scores a sample - "
    "give the last layer {classes} units, or choose data without labels, like data=uniform"
)


@dataclass(frozen=True)
class _Signal:
    """What enters a layer: token numbers or fractions, and the layer that gives them; None for the
    data.
    """

    tokens: bool
    source: str | None = None


Entries: TypeAlias = Generator[tuple[str, LayerSpec, _Signal], None, _Signal]


def check_feeding(layers: Sequence[LayerSpec], data: Data) -> None:
    """Raise ConfigError if a layer takes token numbers and is given fractions, or the reverse, or if
    the data has token numbers that a table has no row for.
    """
    for path, spec, signal in _entries(layers, _Signal(data.whole_numbers), ""):
        if spec.layer.tokens is signal.tokens:
            if signal.tokens and data.numbers is not None:
                _check_rows(path, spec, data, data.numbers - 1)
            continue
        raise _mistaken(path, spec, signal, data)


def check_batch(layers: Sequence[LayerSpec], data: Data, inputs: np.ndarray) -> None:
    """Raise ConfigError if token numbers, of data that does not say how many there are, have no row
    in a table.
    """
    if data.numbers is not None or inputs.dtype.kind not in "iu" or not inputs.size:
        return
    for path, spec, _ in _entries(layers, _Signal(True), ""):
        if spec.layer.tokens:
            _check_rows(path, spec, data, int(inputs.max()), int(inputs.min()))


def check_labels(data: Data, output: tuple[int, ...], labels: tuple[int, ...]) -> None:
    """Raise ConfigError if the network's output, including the batch axis, has fewer scores for each
    label than the data has classes. An output of another shape is not taken for scores.
    """
    if data.classes is None or output[:-1] != labels or not 1 < output[-1] < data.classes:
        return
    said = LABELS_BEYOND.format(data=data.kind, classes=data.classes, outputs=output[-1])
    raise ConfigError.of("data", said)


def _entries(layers: Sequence[LayerSpec], signal: _Signal, above: str) -> Entries:
    """Yield (path, layer, what enters it) of the layers that mind it, in the order of the network.

    What leaves them are fractions. The generator returns what leaves the last layer.
    """
    for spec in layers:
        path = f"{above}{spec.name}"
        if spec.layer.tokens is not None:
            yield path, spec, signal
            signal = _Signal(False, f"'{path}' ({spec.layer.kind})")
        elif spec.children:
            signal = yield from _nested(spec, signal, path)
    return signal


def _nested(spec: LayerSpec, signal: _Signal, path: str) -> Entries:
    """Yield the entries within a container, and return what leaves it."""
    leaving = []
    for option, children in spec.children.items():
        name = "" if option == "layers" else f"{option}."
        if spec.layer.parallel:
            for child in children:
                leaving.append((yield from _entries([child], signal, f"{path}.{name}")))
            continue
        given = signal
        for copy in range(min(spec.layer.copies, 2)):
            number = f"{copy}." if spec.layer.copies > 1 else ""
            given = yield from _entries(children, given, f"{path}.{number}{name}")
        leaving.append(given)
    return next((one for one in leaving if not one.tokens), signal)


def _mistaken(path: str, spec: LayerSpec, signal: _Signal, data: Data) -> ConfigError:
    name = f"'{path}' ({spec.layer.kind})"
    if signal.source is not None:
        said = f"takes token numbers, but layer {signal.source} before it gives fractions"
        return ConfigError.of(spec.place, f"layer {name} {said} - an embedding comes first")
    if spec.layer.tokens:
        rows = spec.layer.input_dim if isinstance(spec.layer, Embedding) else "…"
        said = f"{data.kind} gives fractions, but layer {name} takes token numbers"
        return ConfigError.of("data", f"{said} - write data=tokens data.vocabulary={rows}")
    said = f"{data.kind} gives token numbers, but layer {name} takes fractions"
    advice = "write data=uniform, or choose a model that begins with an embedding"
    return ConfigError.of("data", f"{said} - {advice}")


def _check_rows(path: str, spec: LayerSpec, data: Data, most: int, least: int = 0) -> None:
    rows = spec.layer.input_dim if isinstance(spec.layer, Embedding) else None
    if rows is None or (most < rows and least >= 0):
        return
    if least < 0:
        raise ConfigError.of("data", f"{data.kind} has the token number {least}, below 0")
    said = f"{data.kind} has token numbers up to {most}, but layer '{path}' has {rows} rows"
    write = f"write data.vocabulary={rows}, or " if hasattr(data, "vocabulary") else ""
    raise ConfigError.of("data", f"{said} - {write}give the layer input_dim: {most + 1}")
