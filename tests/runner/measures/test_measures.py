"""Measurements: each figure against plain NumPy on the values that the snapshot holds, and nothing
is changed by them.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from initlab.runner.declare import declare
from initlab.runner.measures.operator import operator_spectrum
from initlab.runner.probes import Subject
from initlab.runner.run import stages

CHAIN = [
    "model.input=[6]",
    "model.layers=[{kind: dense, name: a, units: 5, activation: tanh}, {kind: dense, name: b, units: 4, activation: relu}, {kind: dense, name: c, units: 3}]",
    "init=normal",
    "init.sigma=0.7",
    "data=normal",
    "data.batch=8",
]


def subject(*words: str) -> tuple[Subject, dict[str, np.ndarray]]:
    """What a run's measurements are given, and its values in float64."""
    config = declare(*words)
    network, _ = stages.initialize(config)
    values = {path: array.astype(np.float64) for path, array in stages.host_values(network).items()}
    return stages.subject_of(config, network), values


def measured(given: Subject, *words: str) -> dict[str, dict[str, dict]]:
    """Section -> path -> row, of the one measurement that the words choose."""
    (measure,) = declare(*words).measure.values()
    return {
        section: {row["path"]: row for row in rows}
        for section, rows in measure.measure(given).items()
    }


def by_hand(x: np.ndarray, v: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Layer -> (before, after) its activation."""
    za = x @ v["a.weight"].T + v["a.bias"]
    a = np.tanh(za)
    zb = a @ v["b.weight"].T + v["b.bias"]
    b = np.maximum(zb, 0)
    c = b @ v["c.weight"].T + v["c.bias"]
    return {"a": (za, a), "b": (zb, b), "c": (c, c)}


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def test_lengths_before_and_after_activations_are_those_by_hand():
    given, values = subject(*CHAIN, "init.sigma=2")
    rows = measured(given, *CHAIN, "measure=[layers]")["layers"]
    expected = by_hand(given.batch.inputs.astype(np.float64), values)
    for path, (before, after) in expected.items():
        row = rows[path]
        for name, array in (("", after), ("pre_", before)):
            assert row[f"{name}rms"] == pytest.approx(rms(array), rel=1e-5)
            assert row[f"{name}mean"] == pytest.approx(array.mean(), abs=1e-5)
            assert row[f"{name}variance"] == pytest.approx(array.var(), rel=1e-5)
    assert rows["a"]["rms_ratio"] is None
    assert rows["b"]["rms_ratio"] == pytest.approx(
        rms(expected["b"][1]) / rms(expected["a"][1]), rel=1e-5
    )
    assert rows["c"]["pre_rms_ratio"] == pytest.approx(
        rms(expected["c"][0]) / rms(expected["b"][0]), rel=1e-5
    )
    assert (
        rows["a"]["saturated"] == pytest.approx((np.abs(expected["a"][1]) > 0.99).mean())
        and rows["a"]["saturated"] > 0
    )
    assert rows["b"]["saturated"] is None
    assert rows["b"]["zeros"] == pytest.approx((expected["b"][1] == 0).mean())
    assert rows["b"]["dead"] == pytest.approx((expected["b"][1] == 0).all(0).mean())


def test_a_bare_activation_is_a_layer_whose_input_is_what_comes_before_it():
    words = [
        "model.input=[6]",
        "model.layers=[{kind: dense, name: d, units: 5}, {kind: activation, name: t, activation: tanh}]",
        "data=normal",
    ]
    given, _ = subject(*words, "init=he")
    rows = measured(given, *words, "measure=[layers]")["layers"]
    assert rows["t"]["pre_rms"] == rows["d"]["rms"] and rows["t"]["saturated"] is not None


@pytest.mark.parametrize("kind", ["prelu", "gelu", "selu"])
def test_activations_of_their_own_are_bare_ones_too(kind):
    words = [
        "model.input=[6]",
        f"model.layers=[{{kind: dense, name: d, units: 5}}, {{kind: {kind}, name: t}}]",
        "data=normal",
    ]
    given, _ = subject(*words, "init=he")
    rows = measured(given, *words, "measure=[layers]")["layers"]
    assert rows["t"]["pre_rms"] == rows["d"]["rms"] != rows["t"]["rms"]


@pytest.mark.parametrize("stream", ["initlab-1", "mxnet-1.9.1"])
def test_a_measurement_that_drops_units_leaves_the_probe_its_own_numbers(stream, only_run):
    layers = "model.layers=[{kind: dense, units: 32}, {kind: dropout, rate: 0.5}, {kind: dense, units: 10}]"
    words = [
        "model.input=[64]",
        layers,
        "data=digits",
        "data.batch=32",
        "init=xavier",
        "probe=backward",
        f"stream={stream}",
    ]
    losses = [
        json.loads((only_run(*words, more) / "stats.json").read_text())["figures"]["loss"]
        for more in ("measure=[]", "measure=[output_change]", "measure=[layers,output_change]")
    ]
    assert losses[0] == losses[1] == losses[2]


def test_a_cosine_begins_where_it_is_told_and_is_followed():
    words = [*CHAIN, "measure=[cosine]", "measure.cosine.start=0.25", "measure.cosine.pairs=3"]
    given, values = subject(*words)
    rows = measured(given, *words)["layers"]
    (measure,) = declare(*words).measure.values()
    x = measure._inputs(given).astype(np.float64)
    for u, v in x.reshape(3, 2, 6):
        assert u @ v / 6 == pytest.approx(0.25, abs=1e-6)
        assert u @ u == pytest.approx(6, rel=1e-6) and v @ v == pytest.approx(6, rel=1e-6)
    for path, (before, after) in by_hand(x, values).items():
        for name, array in (("pre_cosine", before), ("cosine", after)):
            pairs = array.reshape(3, 2, -1)
            wanted = [p @ q / math.sqrt((p @ p) * (q @ q)) for p, q in pairs]
            assert rows[path][name] == pytest.approx(np.mean(wanted), abs=1e-5)


def test_without_a_start_the_cosine_is_that_of_neighbours_in_the_batch():
    words = [*CHAIN, "measure=[cosine]", "measure.cosine.pairs=4"]
    given, values = subject(*words)
    p, q = (
        by_hand(given.batch.inputs.astype(np.float64), values)["a"][1]
        .reshape(4, 2, -1)
        .swapaxes(0, 1)
    )
    wanted = (p * q).sum(1) / np.sqrt((p * p).sum(1) * (q * q).sum(1))
    assert measured(given, *words)["layers"]["a"]["cosine"] == pytest.approx(
        wanted.mean(), abs=1e-5
    )


def test_gradients_by_layer_outputs_are_those_of_the_chain_rule():
    words = [*CHAIN, "measure=[backprop]"]
    given, values = subject(*words)
    rows = measured(given, *words)["layers"]
    (zb, _) = by_hand(given.batch.inputs.astype(np.float64), values)["b"]
    from initlab.engine.streams import Key, Stream

    gc = Stream(Key(given.seed, "@backprop")).normal(0.0, 1.0, 24).reshape(8, 3).astype(np.float64)
    gb = gc @ values["c.weight"]
    ga = (gb * (zb > 0)) @ values["b.weight"]
    for path, gradient in (("a", ga), ("b", gb), ("c", gc)):
        assert rows[path]["grad_rms"] == pytest.approx(rms(gradient), rel=1e-5)
    assert rows["a"]["grad_ratio"] == pytest.approx(rms(ga) / rms(gb), rel=1e-5)
    assert rows["a"]["chi1"] == pytest.approx((rms(ga) / rms(gb)) ** 2, rel=1e-5)
    assert rows["c"]["grad_ratio"] is None
    assert all(not np.any(p.grad().asnumpy()) for p in given.parameters.values())


def test_a_jacobian_is_what_finite_differences_give():
    words = [*CHAIN, "data.batch=4", "measure=[jacobian]", "measure.jacobian.samples=4"]
    given, values = subject(*words)
    rows = measured(given, *words)["jacobian"]
    checked = 0
    for sample in range(4):
        x = given.batch.inputs[sample].astype(np.float64)
        step = 1e-6 * np.eye(6)
        rise = by_hand(x + step, values)["c"][1] - by_hand(x - step, values)["c"][1]
        singular = np.linalg.svd(rise.T / 2e-6, compute_uv=False)
        row = rows[str(sample)]
        assert row["largest"] == pytest.approx(singular[0], rel=1e-4)
        assert row["mean"] == pytest.approx(singular.mean(), rel=1e-4)
        assert row["mean_square"] == pytest.approx((singular**2).mean(), rel=1e-4)
        assert row["variance"] == pytest.approx(
            (singular**2).var() / (singular**2).mean() ** 2, rel=1e-3
        )
        if singular[-1] > 1e-3:  # where enough units are active
            checked += 1
            assert row["smallest"] == pytest.approx(singular[-1], rel=1e-3)
            assert row["log_mean"] == pytest.approx(np.log(singular).mean(), abs=1e-3)
            assert row["condition"] == pytest.approx(singular[0] / singular[-1], rel=1e-3)
    assert checked


def test_the_jacobian_of_many_outputs_is_put_together_from_parts(monkeypatch):
    from initlab.runner.measures import jacobian

    given, values = subject(*CHAIN)
    whole = jacobian.jacobian(given, given.batch.inputs[0])
    monkeypatch.setattr(jacobian, "AT_ONCE", 2)
    assert jacobian.jacobian(given, given.batch.inputs[0]) == pytest.approx(whole, abs=1e-6)
    assert whole.shape == (3, 6)


def test_singular_values_of_weights_and_their_units():
    words = [
        *CHAIN,
        "model.layers=[{kind: dense, name: a, units: 40}, {kind: dense, name: b, units: 40}]",
        "measure=[spectrum]",
    ]
    given, values = subject(*words)
    rows = measured(given, *words)["spectrum"]
    assert set(rows) == {"a.weight", "b.weight"}
    w = values["b.weight"]
    singular = np.linalg.svd(w, compute_uv=False)
    row = rows["b.weight"]
    assert row["largest"] == pytest.approx(singular[0]) and row["smallest"] == pytest.approx(
        singular[-1]
    )
    assert row["stable_rank"] == pytest.approx((w**2).sum() / singular[0] ** 2)
    assert row["trace"] == pytest.approx(np.trace(w)) and row["square_trace"] == pytest.approx(
        np.trace(w) ** 2
    )
    assert row["trace_square"] == pytest.approx(np.trace(w @ w))
    assert row["mp_high"] == pytest.approx(singular[0] ** 2 / (40 * (w**2).mean()))
    assert row["ratio"] == 1 and row["mp_ks"] < 0.1
    assert rows["a.weight"]["trace"] is None and (
        rows["a.weight"]["rows"],
        rows["a.weight"]["columns"],
    ) == (
        40,
        6,
    )


def test_a_matrix_that_is_too_large_is_named_but_not_decomposed():
    words = [*CHAIN, "measure=[spectrum]", "measure.spectrum.most=5"]
    given, _ = subject(*words)
    rows = measured(given, *words)["spectrum"]
    assert rows["a.weight"]["largest"] is None and rows["b.weight"]["largest"] is not None


def test_the_spectrum_of_a_convolution_is_that_of_its_dense_matrix():
    kernel = np.random.Generator(np.random.PCG64(1)).normal(size=(2, 3, 3, 3))
    size = [5, 4]
    dense = np.zeros((2, *size, 3, *size))
    for o, i, dy, dx in np.ndindex(*kernel.shape):
        for y, x in np.ndindex(*size):
            dense[o, y, x, i, (y + dy) % 5, (x + dx) % 4] += kernel[o, i, dy, dx]
    wanted = np.sort(np.linalg.svd(dense.reshape(40, 60), compute_uv=False))
    assert np.sort(operator_spectrum(kernel, size).ravel()) == pytest.approx(wanted, abs=1e-10)


def test_convolutions_are_measured_and_nothing_else():
    words = ["model=lenet", "data=digits", "data.batch=4", "measure=[operator]"]
    given, _ = subject(*words)
    rows = measured(given, *words)["operator"]
    assert set(rows) == {"conv1.weight", "conv2.weight"}
    assert rows["conv1.weight"]["condition"] == pytest.approx(
        rows["conv1.weight"]["largest"] / rows["conv1.weight"]["smallest"]
    )


DIGITS = [
    "model.input=[64]",
    "model.layers=[{kind: dense, name: fc, units: 10}]",
    "data=digits",
    "data.batch=16",
    "init=normal",
]


def test_what_a_step_moves_is_what_a_step_by_hand_moves_and_the_values_are_put_back():
    words = [*DIGITS, "measure=[output_change]", "measure.output_change.learning_rate=0.3"]
    given, values = subject(*words)
    before = {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()}
    row = measured(given, *words)["layers"]["fc"]
    x, y = given.batch.inputs.astype(np.float64), given.batch.labels
    scores = x @ values["fc.weight"].T + values["fc.bias"]
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    p[np.arange(16), y] -= 1
    moved = -0.3 / 16 * (x @ (p.T @ x).T + p.sum(0))
    assert row["output_change"] == pytest.approx(rms(moved), rel=1e-3)
    assert row["output_change_ratio"] == pytest.approx(rms(moved) / rms(scores), rel=1e-3)
    assert {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()} == before


def test_batch_normalization_gets_its_running_statistics_back():
    layers = "model.layers=[{kind: dense, name: a, units: 12}, {kind: batch_norm, name: n}, {kind: dense, name: b, units: 10}]"
    words = ["model.input=[64]", layers, "data=digits", "init=he", "measure=[output_change]"]
    given, _ = subject(*words)
    before = {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()}
    assert measured(given, *words)["layers"]["b"]["output_change"] > 0
    assert {path: p.data().asnumpy().tobytes() for path, p in given.parameters.items()} == before


def test_what_is_not_chosen_costs_nothing_and_changes_nothing(only_run):
    plain, more = only_run("probe=forward"), only_run("probe=forward", "measure=[layers,cosine]")
    kept = json.loads((plain / "stats.json").read_text())
    content = json.loads((more / "stats.json").read_text())
    assert json.loads((plain / "manifest.json").read_text())["canonical"].get("measure") is None
    for row, measured_row in zip(kept["layers"], content["layers"], strict=True):
        assert set(row) < set(measured_row) and all(
            measured_row[name] == row[name] for name in row if row[name] is not None
        )
    assert {section: content[section] for section in kept if section != "layers"} == {
        s: kept[s] for s in kept if s != "layers"
    }
    assert (plain / "snapshot.safetensors").read_bytes() == (
        more / "snapshot.safetensors"
    ).read_bytes()


def test_a_network_is_measured_before_it_is_trained(only_run):
    words = [*DIGITS, "measure=[layers]"]
    alone = json.loads((only_run(*words, "probe=none") / "stats.json").read_text())
    trained = json.loads(
        (
            only_run(*words, "probe=train", "probe.steps=3", "probe.judged=16") / "stats.json"
        ).read_text()
    )
    assert alone["layers"] == trained["layers"] and trained["training"]


def test_the_report_of_a_run_whose_layers_have_no_lengths_can_be_read(only_run):
    from initlab.runner.report.evidence import read_run

    assert read_run(only_run("probe=none", "measure=[cosine]")).layers == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["measure=[layer]"], "measure: no option 'layer' - did you mean 'layers'?"),
        (
            ["measure=[cosine]", "data.batch=1"],
            "measure.cosine: 1 pairs of neighbours need a batch of 2, got 1",
        ),
        (
            ["measure=[cosine]", "measure.cosine.start=2"],
            "measure.cosine.start: must be a cosine, between -1 and 1",
        ),
        (
            ["measure=[cosine]", "measure.cosine.pairs=0"],
            "measure.cosine.pairs: must be a whole number of at least 1, got 0",
        ),
        (
            ["measure=[jacobian]", "measure.jacobian.samples=9"],
            "measure.jacobian: 9 samples need a batch of as many, got 2",
        ),
        (
            ["measure=[jacobian]", "measure.jacobian.samples=0"],
            "measure.jacobian.samples: must be a whole number",
        ),
        (
            ["measure=[jacobian]", "model=lstm_lm", "data=text"],
            "measure.jacobian: there is no derivative by inputs that name tokens",
        ),
        (
            ["measure=[spectrum]", "measure.spectrum.most=0"],
            "measure.spectrum.most: must be a whole number",
        ),
        (
            ["measure=[operator]", "measure.operator.size=[]"],
            "measure.operator.size: must be a list of whole numbers",
        ),
        (
            ["measure=[output_change]"],
            "measure.output_change: output_change needs data with labels, like digits",
        ),
        (
            [*DIGITS, "measure=[output_change]", "measure.output_change.optimizer=adma"],
            "measure.output_change.optimizer: cannot be 'adma' - did you mean 'adam'?",
        ),
        (
            [*DIGITS, "measure=[output_change]", "measure.output_change.steps=0"],
            "measure.output_change.steps: must be a whole number",
        ),
        (
            [*DIGITS, "measure=[output_change]", "measure.output_change.learning_rate=0"],
            "measure.output_change.learning_rate: must be a positive number",
        ),
        (
            ["measure=[layers]", "init_mode=streamed", "snapshot=none", "probe=none"],
            "measure: a streamed run without a snapshot keeps no values",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(words, said, command):
    done = command(*words)
    assert done.code == 2 and said in done.err, done.err
    assert len(done.err.splitlines()) == 1


def test_a_streamed_run_is_measured_from_its_file(only_run):
    words = ["measure=[layers,spectrum]", "probe=none", "model.input=[8]", "data=normal"]
    streamed, eager = only_run(*words, "init_mode=streamed"), only_run(*words, "init_mode=eager")
    assert (
        json.loads((streamed / "stats.json").read_text())["spectrum"]
        == json.loads((eager / "stats.json").read_text())["spectrum"]
    )
