"""Write what MXNet 1.9.1 gives in the sessions of `tests/`, for initializers, and as files. Run
with a Python that has MXNet:

python tests/vectors/record_sessions.py

`mxnet-metric.json`, `mxnet-sequence-losses.json`, `mxnet-init.json`,
`mxnet-{blocks,legacy,exported,dtypes}.params`, `mxnet-files.npz`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

np.bool = bool  # MXNet 1.9.1 still writes numpy.bool
import mxnet as mx  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import loss_session  # noqa: E402
import metric_session  # noqa: E402


def initializers() -> dict[str, list]:
    """Return the values of Orthogonal, Bilinear and FusedRNN with seed 4."""
    nd, init, found = mx.nd, mx.init, {}

    def filled(made, shape, name="w_weight", **options):
        array = nd.zeros(shape)
        mx.random.seed(4)
        made(init.InitDesc(name, **options), array)
        return array.asnumpy().ravel().tolist()

    for noise in ("uniform", "normal"):
        for shape in ((3, 5), (5, 3), (4, 2, 2)):
            found[f"orthogonal {noise} {shape}"] = filled(init.Orthogonal(1.5, noise), shape)
    for kernel in ((3, 3), (4, 4), (2, 5)):
        found[f"bilinear {kernel}"] = filled(init.Bilinear(), (1, 1, *kernel))
    for mode, layers, both, size in (
        ("lstm", 2, True, 432),
        ("gru", 1, False, 63),
        ("rnn_tanh", 2, False, 45),
    ):
        made = init.FusedRNN(init.Uniform(0.5), 3, layers, mode, both, forget_bias=2.0)
        found[f"fused {mode} {layers} {both} {size}"] = filled(
            made, (size,), "p_weight", global_init=init.One()
        )
    return found


def files() -> None:
    """Write a small network that has seen one batch, in every format, and an array of every dtype."""
    nn, nd = mx.gluon.nn, mx.nd
    net = nn.HybridSequential(prefix="small_")
    with net.name_scope():
        net.add(
            nn.Conv2D(3, 3, padding=1, activation="relu"),
            nn.BatchNorm(),
            nn.MaxPool2D(),
            nn.Flatten(),
            nn.Dense(4),
        )
    mx.random.seed(11)
    net.initialize(mx.init.Xavier())
    x = nd.random.uniform(shape=(2, 1, 6, 6))
    for _ in range(2):
        with mx.autograd.record():
            y = net(x)
        y.backward()
    net.hybridize()
    out = net(x)
    net.save_parameters(str(HERE / "mxnet-blocks.params"))
    net.collect_params().save(str(HERE / "mxnet-legacy.params"), strip_prefix="small_")
    with tempfile.TemporaryDirectory() as folder:
        net.export(os.path.join(folder, "x"))
        (HERE / "mxnet-exported.params").write_bytes(Path(folder, "x-0000.params").read_bytes())
    arrays = {
        "f16": ([1.5, -2], "float16"),
        "f64": ([[1 / 3]], "float64"),
        "i8": ([1, -1], "int8"),
        "u8": ([255], "uint8"),
        "i32": ([-7], "int32"),
        "i64": ([2**40], "int64"),
        "π": ([0, 1, 2], "float32"),
    }
    nd.save(
        str(HERE / "mxnet-dtypes.params"),
        {name: nd.array(value, dtype=dtype) for name, (value, dtype) in arrays.items()},
    )
    np.savez(HERE / "mxnet-files.npz", x=x.asnumpy(), y=out.asnumpy())


if __name__ == "__main__":
    for name, content in (
        ("mxnet-metric", metric_session.session(mx)),
        ("mxnet-sequence-losses", loss_session.session(mx)),
        ("mxnet-init", initializers()),
    ):
        (HERE / f"{name}.json").write_text(
            json.dumps(content, indent=1, default=float) + "\n", encoding="utf-8"
        )
    files()
