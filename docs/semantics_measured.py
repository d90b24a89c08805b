"""Measure what the layers of MXNet, torch, Keras, Flax and Haiku do by default: the table of
docs/semantics.md.

    python docs/semantics_measured.py mxnet > mxnet.json      # in an environment that has mxnet 1.9.1
    python docs/semantics_measured.py torch > torch.json      # … torch
    python docs/semantics_measured.py keras > keras.json      # … keras and jax
    python docs/semantics_measured.py flax  > flax.json       # … flax
    python docs/semantics_measured.py haiku > haiku.json      # … dm-haiku
    python docs/semantics_measured.py table *.json            # the table

It needs nothing else of this project. Each layer is made TIMES times; the values of a parameter are
pooled, and the law is read off them: a constant, blocks of constants, orthogonal rows, or a distribution
by its excess kurtosis, with the spread that fits one of a few formulas to 1 %.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TIMES = 12
IN, OUT, KERNEL, CHANNELS, FILTERS = 300, 460, 3, 40, 68
WORDS, WIDTH, STEPS, HIDDEN, UNITS, HEADS = 1000, 330, 230, 308, 320, 4
Params = dict[str, np.ndarray]
LAYERS = {
    "dense": (IN, OUT),
    "conv2d": (CHANNELS * KERNEL**2, FILTERS * KERNEL**2),
    "conv2d_transpose": (CHANNELS * KERNEL**2, FILTERS * KERNEL**2),
    "embedding": (WORDS, WIDTH),
    "rnn": (STEPS, HIDDEN),
    "lstm": (STEPS, HIDDEN),
    "gru": (STEPS, HIDDEN),
    "attention": (UNITS, UNITS),
    "batch_norm": (0, 0),
    "layer_norm": (0, 0),
    "prelu": (0, 0),
}
"""Layer -> (n, m): inputs and outputs of a unit of it. They are those of the layer, not of an array."""


def mxnet_layers() -> tuple[str, dict[str, Callable[[], Params]]]:
    """Return the version, and what makes each layer."""
    import mxnet as mx
    from mxnet.gluon import nn, rnn

    def made(make: Callable[[], Any], *shape: int) -> Callable[[], Params]:
        def params() -> Params:
            layer = make()
            layer.initialize()
            layer(mx.nd.zeros(shape))
            values = layer.collect_params().items()
            return {name.split("_", 1)[1]: p.data().asnumpy() for name, p in values}

        return params

    images, sequence = (1, CHANNELS, 8, 8), (2, 1, STEPS)
    return mx.__version__, {
        "dense": made(lambda: nn.Dense(OUT), 1, IN),
        "conv2d": made(lambda: nn.Conv2D(FILTERS, KERNEL), *images),
        "conv2d_transpose": made(lambda: nn.Conv2DTranspose(FILTERS, KERNEL), *images),
        "embedding": made(lambda: nn.Embedding(WORDS, WIDTH), 1),
        "rnn": made(lambda: rnn.RNN(HIDDEN), *sequence),
        "lstm": made(lambda: rnn.LSTM(HIDDEN), *sequence),
        "gru": made(lambda: rnn.GRU(HIDDEN), *sequence),
        "batch_norm": made(nn.BatchNorm, *images),
        "layer_norm": made(nn.LayerNorm, 1, IN),
        "prelu": made(nn.PReLU, 1, IN),
    }


def torch_layers() -> tuple[str, dict[str, Callable[[], Params]]]:
    """Return the version, and what makes each layer."""
    import torch
    from torch import nn

    def made(make: Callable[[], Any]) -> Callable[[], Params]:
        return lambda: {n: v.numpy(force=True) for n, v in make().state_dict().items()}

    return torch.__version__, {
        "dense": made(lambda: nn.Linear(IN, OUT)),
        "conv2d": made(lambda: nn.Conv2d(CHANNELS, FILTERS, KERNEL)),
        "conv2d_transpose": made(lambda: nn.ConvTranspose2d(CHANNELS, FILTERS, KERNEL)),
        "embedding": made(lambda: nn.Embedding(WORDS, WIDTH)),
        "rnn": made(lambda: nn.RNN(STEPS, HIDDEN)),
        "lstm": made(lambda: nn.LSTM(STEPS, HIDDEN)),
        "gru": made(lambda: nn.GRU(STEPS, HIDDEN)),
        "attention": made(lambda: nn.MultiheadAttention(UNITS, HEADS)),
        "batch_norm": made(lambda: nn.BatchNorm2d(CHANNELS)),
        "layer_norm": made(lambda: nn.LayerNorm(IN)),
        "prelu": made(nn.PReLU),
    }


def keras_layers() -> tuple[str, dict[str, Callable[[], Params]]]:
    """Return the version, and what makes each layer."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    def made(make: Callable[[], Any], *shapes: tuple[int, ...]) -> Callable[[], Params]:
        def params() -> Params:
            layer = make()
            layer.build(*shapes)
            return {w.path.split("/", 1)[-1]: np.asarray(w.value) for w in layer.weights}

        return params

    layers, images, sequence = keras.layers, (1, 8, 8, CHANNELS), (1, 2, STEPS)
    attended = (1, 5, UNITS)
    return keras.__version__, {
        "dense": made(lambda: layers.Dense(OUT), (1, IN)),
        "conv2d": made(lambda: layers.Conv2D(FILTERS, KERNEL), images),
        "conv2d_transpose": made(lambda: layers.Conv2DTranspose(FILTERS, KERNEL), images),
        "embedding": made(lambda: layers.Embedding(WORDS, WIDTH), (1, 5)),
        "rnn": made(lambda: layers.SimpleRNN(HIDDEN), sequence),
        "lstm": made(lambda: layers.LSTM(HIDDEN), sequence),
        "gru": made(lambda: layers.GRU(HIDDEN), sequence),
        "attention": made(
            lambda: layers.MultiHeadAttention(HEADS, UNITS // HEADS), attended, attended
        ),
        "batch_norm": made(layers.BatchNormalization, images),
        "layer_norm": made(layers.LayerNormalization, (1, IN)),
        "prelu": made(layers.PReLU, (1, IN)),
    }


def flat(tree: Any, prefix: str = "") -> Params:
    """Return {path: values} of nested mappings of arrays."""
    found: Params = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        found |= flat(value, f"{path}/") if hasattr(value, "items") else {path: np.asarray(value)}
    return found


def flax_layers() -> tuple[str, dict[str, Callable[[], Params]]]:
    """Return the version, and what makes each layer of `flax.linen`."""
    import flax
    import jax
    import jax.numpy as jnp
    from flax import linen as nn

    seeds = iter(range(10**6))

    def made(make: Callable[[], Any], *shape: int, whole: bool = False) -> Callable[[], Params]:
        given = jnp.zeros(shape, int if whole else float)
        return lambda: flat(make().init(jax.random.key(next(seeds)), given))

    def cell(make: Callable[[], Any]) -> Callable[[], Params]:
        return made(lambda: nn.RNN(make()), 1, 2, STEPS)

    images, window = (1, 8, 8, CHANNELS), (KERNEL, KERNEL)
    return f"{flax.__version__} with jax {jax.__version__}", {
        "dense": made(lambda: nn.Dense(OUT), 1, IN),
        "conv2d": made(lambda: nn.Conv(FILTERS, window), *images),
        "conv2d_transpose": made(lambda: nn.ConvTranspose(FILTERS, window), *images),
        "embedding": made(lambda: nn.Embed(WORDS, WIDTH), 1, whole=True),
        "rnn": cell(lambda: nn.SimpleCell(HIDDEN)),
        "lstm": cell(lambda: nn.LSTMCell(HIDDEN)),
        "gru": cell(lambda: nn.GRUCell(HIDDEN)),
        "attention": made(lambda: nn.MultiHeadDotProductAttention(HEADS), 1, 5, UNITS),
        "batch_norm": made(lambda: nn.BatchNorm(True), *images),
        "layer_norm": made(nn.LayerNorm, 1, IN),
        "prelu": made(nn.PReLU, 1, IN),
    }


def haiku_layers() -> tuple[str, dict[str, Callable[[], Params]]]:
    """Return the version, and what makes each layer."""
    import haiku as hk
    import jax
    import jax.numpy as jnp

    seeds = iter(range(10**6))

    def made(call: Callable[[Any], Any], *shape: int, whole: bool = False) -> Callable[[], Params]:
        given = jnp.zeros(shape, int if whole else float)
        start = hk.transform_with_state(call).init
        return lambda: flat(start(jax.random.key(next(seeds)), given)[0])

    def cell(make: Callable[[], Any]) -> Callable[[], Params]:
        def call(x: Any) -> Any:
            core = make()
            return core(x, core.initial_state(1))

        return made(call, 1, STEPS)

    images = (1, 8, 8, CHANNELS)
    size = UNITS // HEADS
    return f"{hk.__version__} with jax {jax.__version__}", {
        "dense": made(lambda x: hk.Linear(OUT)(x), 1, IN),
        "conv2d": made(lambda x: hk.Conv2D(FILTERS, KERNEL)(x), *images),
        "conv2d_transpose": made(lambda x: hk.Conv2DTranspose(FILTERS, KERNEL)(x), *images),
        "embedding": made(lambda x: hk.Embed(WORDS, WIDTH)(x), 1, whole=True),
        "rnn": cell(lambda: hk.VanillaRNN(HIDDEN)),
        "lstm": cell(lambda: hk.LSTM(HIDDEN)),
        "gru": cell(lambda: hk.GRU(HIDDEN)),
        "attention": made(
            lambda x: hk.MultiHeadAttention(HEADS, size, w_init_scale=1.0, model_size=UNITS)(
                x, x, x
            ),
            5,
            UNITS,
        ),
        "batch_norm": made(lambda x: hk.BatchNorm(True, True, 0.9)(x, True), *images),
        "layer_norm": made(lambda x: hk.LayerNorm(-1, True, True)(x), 1, IN),
    }


def spreads(n: int, m: int, cut: bool) -> dict[str, float]:
    """Return {formula: bound of a uniform, or standard deviation of another law}."""
    known = {"0.05": 0.05, "0.07": 0.07, "1": 1.0}
    sums = [("n", n), ("m", m), ("(n+m)", n + m), ("(n+3m)", n + 3 * m), ("(n+4m)", n + 4 * m)]
    for name, size in sums:
        for k in (1, 3, 6):
            known[f"sqrt({k}/{name})"] = math.sqrt(k / max(size, 1))
    if cut:  # some libraries declare the spread before the cut at 2, others that after it
        known |= {f"0.88 {name}": 0.87962566 * value for name, value in known.items()}
    return known


def nearest(found: float, known: dict[str, float]) -> str:
    """Return the formula nearest to a spread, if it is within 1 %, or the number."""
    name = min(known, key=lambda name: abs(found / known[name] - 1))
    return name if abs(found / known[name] - 1) < 0.01 else f"{found:.4g}"


def constant(values: np.ndarray) -> str | None:
    """Return the constant, or the blocks of constants, of a parameter of one layer; None if random."""
    numbers = np.unique(values)
    if len(numbers) == 1:
        return f"{numbers[0]:g}"
    if len(numbers) > 2 or values.ndim != 1:
        return None
    parts = np.split(values, 4) if values.size % 4 == 0 else []
    if parts and all(len(np.unique(part)) == 1 for part in parts):
        return "blocks " + ", ".join(f"{part[0]:g}" for part in parts)
    return None


def orthogonal(values: np.ndarray) -> bool:
    """Return whether the shorter axis has orthonormal vectors."""
    if values.ndim != 2:
        return False
    short = values if values.shape[0] <= values.shape[1] else values.T
    return bool(np.abs(short @ short.T - np.eye(len(short))).max() < 1e-4)


def law(copies: list[np.ndarray], n: int, m: int) -> str:
    """Return the law of a parameter from its values in several layers."""
    fixed = constant(copies[0])
    if fixed is not None:
        return fixed
    if orthogonal(copies[0]):
        return "orthogonal"
    values = np.concatenate([copy.reshape(-1) for copy in copies]).astype(np.float64)
    std = float(values.std())
    excess = float(((values - values.mean()) ** 4).mean() / std**4 - 3)
    reach = float(np.abs(values).max())
    if abs(excess + 1.2) < 0.06:
        return f"U(±{nearest(reach, spreads(n, m, cut=False))})"
    if abs(excess) < 0.06:
        return f"N, std {nearest(std, spreads(n, m, cut=False))}"
    if abs(excess + 0.63) < 0.06 and reach / std < 2.3:
        return f"N cut at 2, std {nearest(std, spreads(n, m, cut=True))}"
    return f"std {std:.4g}, excess {excess:.2f}"


def measure(library: str) -> dict[str, Any]:
    """Return the laws of all parameters of all layers of a library, with shape and spread."""
    version, layers = {
        "mxnet": mxnet_layers,
        "torch": torch_layers,
        "keras": keras_layers,
        "flax": flax_layers,
        "haiku": haiku_layers,
    }[library]()
    found: dict[str, Any] = {}
    for layer, make in layers.items():
        copies = [make() for _ in range(TIMES)]
        n, m = LAYERS[layer]
        found[layer] = {
            name: {
                "shape": list(value.shape),
                "law": law([copy[name] for copy in copies], n, m),
                "std": float(np.std([copy[name] for copy in copies])),
                "largest": float(np.max(np.abs([copy[name] for copy in copies]))),
            }
            for name, value in copies[0].items()
            if name != "num_batches_tracked"
        }
    return {"library": library, "version": version, "layers": found}


def table(files: list[str]) -> str:
    """Return a row for each layer and parameter, in Markdown."""
    rows = [
        "| layer | library | parameter | shape | measured | std | largest |",
        "| --- " * 7 + "|",
    ]
    measured = [json.loads(Path(file).read_text(encoding="utf-8")) for file in files]
    for layer in LAYERS:
        for one in measured:
            for name, row in one["layers"].get(layer, {}).items():
                shape = "x".join(map(str, row["shape"])) or "scalar"
                figures = f"{row['std']:.5g} | {row['largest']:.5g}"
                cells = f"{layer} | {one['library']} | `{name}` | {shape} | {row['law']}"
                rows.append(f"| {cells} | {figures} |")
    versions = ", ".join(f"{one['library']} {one['version']}" for one in measured)
    return "\n".join([*rows, "", versions])


if __name__ == "__main__":
    first, *rest = sys.argv[1:]
    print(table(rest) if first == "table" else json.dumps(measure(first), indent=1))
