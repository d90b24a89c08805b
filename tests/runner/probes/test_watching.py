"""The table of layers against forward passes written by hand."""

from __future__ import annotations

import numpy as np
import pytest
from measured import rms, subject

from initlab.engine import init, nd
from initlab.engine.gluon import nn
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.runner.probes.watching import watch


def rows_of(*words: str) -> tuple[dict[str, dict], dict[str, np.ndarray], np.ndarray]:
    """Return {path: row} of probe=forward, the parameters in float64, and the batch."""
    given, values = subject(*words)
    rows: list[dict] = []
    with watch(given.layers, rows), given.measuring():
        given.network(given.inputs())
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"]: row for row in rows}, values, given.batch.inputs


def check(row: dict, entering: np.ndarray, output: np.ndarray, **more: float) -> None:
    """Check the moments of a row against those of arrays, and further columns."""
    expected = {
        "rms": rms(output),
        "mean": output.mean(),
        "variance": output.var(),
        "in_rms": rms(entering),
        "in_mean": entering.mean(),
        "in_variance": entering.var(),
        **more,
    }
    found = {name: row[name] for name in expected}
    assert found == pytest.approx(expected, rel=2e-4, abs=1e-6), row["path"]
    assert row["zeros"] == pytest.approx((output == 0).mean(), abs=1e-3)


def dense(x: np.ndarray, v: dict, path: str) -> np.ndarray:
    return x @ v[f"{path}.weight"].T + v.get(f"{path}.bias", 0.0)


def test_residual_mlp_has_each_stream_after_its_addition():
    rows, v, x = rows_of("model=residual_mlp", "init=he", "data=normal", "data.batch=16")
    stream = dense(x.astype(np.float64), v, "stem")
    check(rows["stem"], x, stream)
    assert rows["stem"]["rms_ratio"] is None and rows["stem"]["input"] is None
    above = "stem"
    for number in range(6):
        path = f"body.{number}.block"
        hidden = np.maximum(dense(stream, v, f"{path}.fc1"), 0)
        branch = dense(hidden, v, f"{path}.fc2")
        check(rows[f"{path}.fc1"], stream, hidden, rms_ratio=rms(hidden) / rms(stream))
        check(
            rows[f"{path}.fc2"],
            hidden,
            branch,
            rms_ratio=rms(branch) / rms(hidden),
            stream_rms=rms(stream),
            branch_ratio=rms(branch) / rms(stream),
        )
        check(rows[path], stream, stream + branch, rms_ratio=rms(stream + branch) / rms(stream))
        assert rows[path]["input"] == above and rows[f"{path}.fc1"]["input"] == above
        stream, above = stream + branch, path
    check(rows["head"], stream, dense(stream, v, "head"))
    assert rows["head"]["input"] == "body.5.block"


def test_six_blocks_whose_branches_are_zero_are_the_identity():
    words = "model=residual_mlp", "init=mixed", "data=normal", "data.batch=4"
    rules = "init.rules=[{match: '.*fc2.weight', init: zeros}, {match: '.*weight', init: {kind: normal, sigma: 0.1}}]"
    rows, _, _ = rows_of(*words, rules)
    streams = [row["rms"] for path, row in rows.items() if row["stream"]]
    assert streams == [rows["stem"]["rms"]] * 6 and streams[0] > 0
    branches = [row for row in rows.values() if row["joins"]]
    assert [row["branch_ratio"] for row in branches] == [0.0] * 6


def normalized(x: np.ndarray, axes: tuple[int, ...], epsilon: float = 1e-5) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def test_a_transformer_block_has_the_stream_after_both_additions():
    words = "init=gpt2", "data=tokens", "data.vocabulary=50", "data.batch=3"
    model = (
        "model=gpt2",
        "model.input=[7]",
        "model.layers.0.input_dim=50",
        "model.layers.0.output_dim=8",
        "model.layers.1.length=7",
        "model.layers.2.times=2",
        "model.layers.2.layers.0.heads=2",
    )
    rows, v, tokens = rows_of(*model, *words)
    x = v["tokens.weight"][tokens]
    assert rows["tokens"]["in_rms"] is None and rows["tokens"]["rms_ratio"] is None
    assert rows["tokens"]["rms"] == pytest.approx(rms(x), rel=1e-5)
    positioned = x + v["positions.weight"][:7]
    check(rows["positions"], x, positioned)
    x = positioned
    for number in range(2):
        path = f"blocks.{number}.block"
        entering = x
        attended = attention(normalized(x, (2,)), v, f"{path}.attention")
        ratio = {"stream_rms": rms(x), "branch_ratio": rms(attended) / rms(x)}
        check(rows[f"{path}.attention"], normalized(x, (2,)), attended, **ratio)
        x = x + attended
        check(rows[f"{path}.norm2"], x, normalized(x, (2,)))
        raw = nd.array(dense(normalized(x, (2,)), v, f"{path}.expand"), dtype="float64")
        hidden = ACTIVATIONS["gelu_tanh"](raw).asnumpy()
        fed = dense(hidden, v, f"{path}.contract")
        ratio = {"stream_rms": rms(x), "branch_ratio": rms(fed) / rms(x)}
        check(rows[f"{path}.contract"], hidden, fed, **ratio)
        x = x + fed
        check(rows[path], entering, x, rms_ratio=rms(x) / rms(entering))
        assert rows[path]["stream"] and rows[path]["kind"] == "transformer_block"
    check(rows["norm"], x, normalized(x, (2,)))


def attention(x: np.ndarray, v: dict, path: str) -> np.ndarray:
    """Causal self-attention with two heads over (batch, length, units)."""
    batch, length, units = x.shape
    packed = x @ v[f"{path}.qkv_weight"].T + v[f"{path}.qkv_bias"]
    q, k, w = (
        part.reshape(batch, length, 2, -1).transpose(0, 2, 1, 3) for part in np.split(packed, 3, 2)
    )
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(units // 2)
    scores = np.where(np.tril(np.ones((length, length), bool)), scores, -np.inf)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    seen = (shares / shares.sum(-1, keepdims=True)) @ w
    joined = seen.transpose(0, 2, 1, 3).reshape(x.shape)
    return joined @ v[f"{path}.projection_weight"].T + v[f"{path}.projection_bias"]


def convolved(x: np.ndarray, w: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """A convolution (batch, channels, height, width) without bias."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("bcyxij,ocij->boyx", windows[:, :, ::stride, ::stride], w, optimize=True)


def batch_norm(x: np.ndarray) -> np.ndarray:
    return normalized(x, (0, 2, 3))


def test_resnet18_is_measured_with_the_statistics_of_the_batch():
    words = "model=resnet18", "model.input=[3,32,32]", "init=he", "data=normal", "data.batch=4"
    rows, v, x = rows_of(*words)
    x = np.maximum(batch_norm(convolved(x.astype(np.float64), v["conv1.weight"], 2, 3)), 0)
    assert rows["bn1"]["rms"] == pytest.approx(rms(x), rel=1e-4)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2]
    x = windows.max((4, 5))
    blocks = ["stage1.0.block", "stage1.1.block"]
    for number in (2, 3, 4):
        blocks += [f"down{number}", f"stage{number}.0.block"]
    for path in blocks:
        stride = 2 if path.startswith("down") else 1
        y = np.maximum(batch_norm(convolved(x, v[f"{path}.conv1.weight"], stride, 1)), 0)
        branch = batch_norm(convolved(y, v[f"{path}.conv2.weight"], 1, 1))
        stream = x
        if stride == 2:
            stream = batch_norm(convolved(x, v[f"{path}.shortcut.conv.weight"], 2, 0))
        total = stream + branch
        check(
            rows[path],
            x,
            np.maximum(total, 0),
            pre_rms=rms(total),
            rms_ratio=rms(np.maximum(total, 0)) / rms(x),
        )
        row = rows[f"{path}.bn2"]
        assert row["joins"] == path and row["stream_rms"] == pytest.approx(rms(stream), rel=1e-4)
        assert row["branch_ratio"] == pytest.approx(rms(branch) / rms(stream), rel=1e-4)
        x = np.maximum(total, 0)
    assert rows["pool"]["input"] == "stage4.0.block"


class Gate(nn.HybridSequential):
    """A container of a plugin: x * f(x)."""

    def hybrid_forward(self, F, x):
        return x * super().hybrid_forward(F, x)


def test_a_plugins_container_has_its_row():
    gate = Gate()
    gate.add(nn.Dense(3, in_units=3))
    gate.initialize(init.Normal(1))
    x, rows = nd.array([[1.0, 2.0, 3.0]]), []
    with watch({"gate.0": gate[0], "gate": gate}, rows):
        y = gate(x)
    assert [row["path"] for row in rows] == ["gate.0", "gate"]
    assert rows[1]["rms"] == pytest.approx(rms(y.asnumpy()), rel=1e-6)
    assert rows[1]["stream"] and rows[1]["in_rms"] == pytest.approx(rms(x.asnumpy()))
    assert rows[0]["joins"] is None and rows[0]["branch_ratio"] is None
