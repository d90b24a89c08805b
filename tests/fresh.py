"""Fresh tensors of every law of the registry, and tensors that are not fresh."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from initlab.engine import laws
from initlab.engine.errors import MXNetError
from initlab.engine.streams import Key

LAWS = {
    "uniform": laws.Uniform(-0.1, 0.1),
    "uniform beside 0": laws.Uniform(0, 0.3),
    "normal": laws.Normal(0, 0.02),
    "normal about 1": laws.Normal(1, 0.02),
    "cut at 2": laws.TruncatedNormal(0, 0.02, -2, 2),
    "cut at 3": laws.TruncatedNormal(0, 0.02, -3, 3),
    "haar": laws.Haar(1.3),
    "haar of gates": laws.Haar(1.0, blocks=4),
    "delta": laws.DeltaOrthogonal(1.0),
    "singular vectors": laws.SingularVectors(),
    "identity": laws.Structured("identity", 1.5),
    "identity of gates": laws.Structured("identity", 1.0, blocks=4),
    "bilinear": laws.Structured("bilinear"),
    "forget gate": laws.ForgetGate(1.0),
    "repeated": laws.Repeated(laws.Normal(0, 1.0), 4),
    "blocks": laws.Blocks((0.1, 0.1, 0.05)),
    "stacked": laws.Stacked((laws.Normal(0, 0.02), laws.Normal(0, 0.005))),
    "data scaled": laws.DataScaled(1.0),
    "constant": laws.Constant(0.3),
    "row": laws.Constant([float(number) for number in range(8)]),
}
SHAPES = [(4, 16), (8, 8), (16, 16), (3, 64), (64, 3), (32, 32), (10, 84), (64, 3, 3, 3), (128, 27),
          (16, 256), (64, 64), (1024, 8), (12, 12, 3, 3), (5,), (64,), (1000,), (300, 200)]  # fmt: skip


def tensors(seed: int, dtype: str = "float32") -> Iterator[tuple[str, np.ndarray]]:
    """Yield (law and shape, values) of every law at every shape that it can fill."""
    for name, law in LAWS.items():
        for shape in SHAPES:
            try:
                yield f"{name} {shape}", law.draw(Key(seed, f"{name}{shape}"), shape, dtype)
            except MXNetError:
                continue


def trained(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return normal noise whose rows grew unequally, with one direction that was learned."""
    rng = np.random.default_rng(seed)
    grown = rng.normal(0, 0.02, shape) * np.exp(0.15 * rng.normal(size=(shape[0], 1)))
    learned = np.outer(rng.normal(size=shape[0]), rng.normal(size=shape[1]))
    return (grown + 0.04 / math.prod(shape) ** 0.25 * learned).astype(np.float32)
