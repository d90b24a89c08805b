"""What `probe=train` measures, against NumPy's own computation of a tiny network; early stops;
other losses.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from initlab.engine import cpu, init, nd
from initlab.engine.gluon import nn
from initlab.runner.data import Batch
from initlab.runner.data.one_hot import OneHot
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.probes.base import Subject
from initlab.runner.probes.learning import LOSSES, hits
from initlab.runner.probes.train import Train, accuracy, steps_to
from initlab.runner.report.charts import run_charts
from initlab.runner.report.run_page import write_run_report
from initlab.runner.terminal.sections import evenly
from initlab.runner.trackers.evidence import Evidence

RNG = np.random.default_rng(5)


SAMPLES, TESTS = (
    RNG.normal(size=(6, 3)).astype(np.float32),
    RNG.normal(size=(5, 3)).astype(np.float32),
)


LABELS, TEST_LABELS = RNG.integers(0, 4, 6), RNG.integers(0, 4, 5)


WEIGHT, BIAS = RNG.normal(size=(4, 3)), RNG.normal(size=4)


RATE = 0.3


def subject(dtype="float64", layer=None, samples=SAMPLES, bias=BIAS) -> Subject:
    """One dense layer with the values above."""
    layer = layer or nn.Dense(4, in_units=3, dtype=dtype)
    layer.initialize(init.Zero())
    layer.weight.set_data(nd.array(WEIGHT, dtype=dtype))
    if layer.bias is not None:
        layer.bias.set_data(nd.array(bias, dtype=dtype))
    network = nn.HybridSequential()
    network.register_child(layer, "d")
    train = Batch(samples, LABELS)
    return Subject(
        network,
        {"d": layer},
        network.structural_params(),
        train,
        (train, Batch(TESTS, TEST_LABELS)),
        cpu(),
        dtype,
        seed=3,
    )


def softmax(scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def by_hand(loss, w, b, x, y):
    """(mean loss, its gradient by w and b) of scores x w^T + b."""
    scores, target = x @ w.T + b, np.eye(4)[y]
    if loss == "cross_entropy":
        p = softmax(scores)
        value, slope = -np.log(p[np.arange(len(y)), y]).mean(), (p - target) / len(y)
    else:
        value, slope = 0.5 * np.square(scores - target).mean(), (scores - target) / (4 * len(y))
    return value, slope.T @ x, slope.sum(0)


def rms(a):
    return np.sqrt(np.mean(np.square(a)))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_every_figure_of_full_batch_descent_is_numpys(loss, dtype, tolerance):
    near = lambda wanted: pytest.approx(wanted, rel=tolerance)  # noqa: E731
    trace = Train(steps=3, batch=6, loss=loss, learning_rate=RATE).measure(subject(dtype))
    w, b, losses = WEIGHT, BIAS, []
    for number, row in enumerate(trace.training, 1):
        value, dw, db = by_hand(loss, w, b, SAMPLES, LABELS)
        losses.append(value)
        right = ((SAMPLES @ w.T + b).argmax(-1) == LABELS).mean()
        if number == 1:
            assert [row["path"] for row in trace.updates] == ["d.weight", "d.bias"]
            for found, (value0, gradient) in zip(trace.updates, ((w, dw), (b, db)), strict=True):
                assert found["gradient_rms"] == near(rms(gradient))
                assert found["weight_rms"] == near(rms(value0))
                assert found["update_rms"] == near(RATE * rms(gradient))
                assert found["update_ratio"] == near(RATE * rms(gradient) / rms(value0))
                assert found["lr_mult"] == 1
        size = math.hypot(np.linalg.norm(w), np.linalg.norm(b))
        steepness = math.hypot(np.linalg.norm(dw), np.linalg.norm(db))
        assert (row["step"], row["accuracy"]) == (number, right)
        assert (row["loss"], row["gradient_norm"], row["update_ratio"]) == (
            near(value),
            near(steepness),
            near(RATE * steepness / size),
        )
        w, b = w - RATE * dw, b - RATE * db
    figures = trace.figures
    assert (figures["first_loss"], figures["loss"]) == (near(losses[0]), near(losses[2]))
    assert figures["loss_drop"] == figures["first_loss"] - figures["loss"] > 0
    assert figures["diverged_at"] is None
    assert figures["train_accuracy"] == ((SAMPLES @ w.T + b).argmax(-1) == LABELS).mean()
    assert (
        figures["test_accuracy"]
        == ((TESTS @ w.T + b).argmax(-1) == TEST_LABELS).mean()
        == trace.training[2]["test_accuracy"]
    )
    assert [row["test_accuracy"] for row in trace.training[:2]] == [None, None]


def test_minibatches_of_steps_are_those_of_epochs():
    probe = Train(batch=4, steps=5)
    found = [rows.tolist() for _, rows in probe._schedule(3, 6)]
    wanted = [rows.tolist() for epoch in range(3) for _, rows in probe._minibatches(3, epoch, 6)]
    assert found == wanted[:5]
    by_epochs = [(ends, rows.tolist()) for ends, rows in Train(batch=4, epochs=3)._schedule(3, 6)]
    assert by_epochs == [(ends, rows) for rows, ends in zip(wanted, [False, True] * 3, strict=True)]


def test_epochs_and_as_many_steps_end_in_the_same_network():
    ends = [
        Train(batch=4, learning_rate=RATE, **{unit: n}) for unit, n in (("epochs", 2), ("steps", 4))
    ]
    made = [subject() for _ in ends]
    traces = [probe.measure(one) for probe, one in zip(ends, made, strict=True)]
    assert (
        made[0].parameters["d.weight"].data().asnumpy().tobytes()
        == made[1].parameters["d.weight"].data().asnumpy().tobytes()
    )
    assert traces[0].updates == traces[1].updates
    assert (
        traces[0].figures["first_loss"]
        == traces[1].figures["first_loss"]
        == traces[1].training[0]["loss"]
    )
    rows = traces[1].training
    assert traces[0].training[1]["loss"] == pytest.approx(
        (4 * rows[2]["loss"] + 2 * rows[3]["loss"]) / 6, rel=1e-12
    )
    assert traces[0].training[1]["update_ratio"] == rows[3]["update_ratio"]


def test_a_learning_rate_multiplier_is_honoured_and_shown():
    one = subject()
    one.parameters["d.weight"].lr_mult = 0.25
    one.parameters["d.bias"].lr_mult = 0.0
    trace = Train(steps=1, batch=6, learning_rate=RATE).measure(one)
    _, dw, _ = by_hand("cross_entropy", WEIGHT, BIAS, SAMPLES, LABELS)
    np.testing.assert_allclose(
        one.parameters["d.weight"].data().asnumpy(), WEIGHT - 0.25 * RATE * dw, rtol=1e-12
    )
    assert np.array_equal(one.parameters["d.bias"].data().asnumpy(), BIAS)
    assert [(row["lr_mult"], row["update_rms"]) for row in trace.updates] == [
        (0.25, pytest.approx(0.25 * RATE * rms(dw))),
        (0, 0),
    ]


def test_weights_that_start_at_zero_have_an_update_but_no_ratio():
    trace = Train(steps=1, batch=6).measure(subject(bias=np.zeros(4)))
    assert trace.updates[1]["weight_rms"] == 0
    assert trace.updates[1]["update_ratio"] is None
    assert trace.updates[1]["update_rms"] > 0


@pytest.mark.parametrize("unit", ["epochs", "steps"])
def test_a_loss_that_is_not_finite_ends_the_training(unit):
    one = subject("float32")
    with np.errstate(all="ignore"):
        trace = Train(batch=6, learning_rate=1e30, loss="mse", **{unit: 50}).measure(one)
    at = trace.figures["diverged_at"]
    assert at == len(trace.training) == 2
    assert not math.isfinite(trace.training[-1]["loss"])
    assert (trace.training[-1]["gradient_norm"], trace.training[-1]["update_ratio"]) == (None, None)
    assert math.isfinite(trace.training[0]["loss"])
    assert not math.isfinite(trace.figures["loss"])
    assert trace.training[-1]["test_accuracy"] is not None


def test_a_loss_that_never_was_finite_leaves_the_network_as_it_was():
    one = subject(samples=np.full_like(SAMPLES, np.nan))
    trace = Train(batch=2, epochs=2).measure(one)
    assert (trace.figures["diverged_at"], trace.updates, len(trace.training)) == (1, [], 1)
    assert trace.figures["train_accuracy"] == 0
    assert np.array_equal(one.parameters["d.weight"].data().asnumpy(), WEIGHT)


def test_a_score_that_is_nan_names_no_label():
    scores = np.array([[0.0, np.nan], [2.0, 1.0], [np.nan, np.nan], [1.0, np.inf]])
    assert hits(scores, np.array([1, 0, 0, 1])) == 2
    assert hits(scores.reshape(2, 2, 2), np.array([[1, 0], [0, 1]])) == 2


def test_accuracy_counts_the_labels_with_the_largest_score():
    right = ((TESTS @ WEIGHT.T + BIAS).argmax(-1) == TEST_LABELS).mean()
    assert accuracy(subject(), Batch(TESTS, TEST_LABELS)) == right


def test_accuracies_are_of_as_many_samples_as_are_judged():
    trace = Train(steps=1, batch=6, learning_rate=0.0, judged=2).measure(subject())
    predicted = lambda x: (x @ WEIGHT.T + BIAS).argmax(-1)  # noqa: E731
    assert trace.figures["train_accuracy"] == (predicted(SAMPLES) == LABELS)[[0, 3]].mean()
    assert trace.figures["test_accuracy"] == (predicted(TESTS) == TEST_LABELS)[[0, 2]].mean()
    assert (
        Train(steps=1, batch=6, judged=99).measure(subject()).figures
        == Train(steps=1, batch=6).measure(subject()).figures
    )


@pytest.mark.parametrize(
    ("target", "losses", "wanted"),
    [
        (1.0, [1.0, 0.5], 0.0),
        (0.5, [1.0, 0.5, 0.1], 1.0),
        (2.0**-1.5, [1.0, 0.5, 0.25], 1.5),
        (0.1, [1.0, 0.5], None),
        (0.1, [1.0, 0.0], 1.0),
        (0.1, [math.nan], None),
    ],
)
def test_a_target_is_reached_between_two_steps(target, losses, wanted):
    assert steps_to(target, losses) == (
        wanted if wanted is None else pytest.approx(wanted, rel=1e-12)
    )


def test_the_mean_square_loss_is_a_value_a_sample_whatever_the_positions():
    scores, labels = RNG.normal(size=(2, 3, 4)), RNG.integers(0, 4, (2, 3))
    found = LOSSES["mse"](nd.array(scores, dtype="float64"), labels).asnumpy()
    np.testing.assert_allclose(
        found, 0.5 * np.square(scores - np.eye(4)[labels]).mean((1, 2)), rtol=1e-12
    )


def stats_of(folder):
    return json.loads((folder / "stats.json").read_text())


TINY = [
    "data=digits",
    "model.input=[64]",
    "model.layers=[{kind: dense, units: 10}]",
    "init=xavier",
    "probe=train",
]


def test_a_run_of_steps_writes_and_prints_them(only_run, command):
    words = [*TINY, "probe.steps=90", "probe.batch=16", "dtype=float64", "probe.target_loss=1.5"]
    content = stats_of(only_run(*words))
    assert [row["step"] for row in content["training"]] == list(range(1, 91))
    assert [row["path"] for row in content["updates"]] == ["0.weight", "0.bias"]
    assert 0 < content["figures"]["steps_to_target"] < 90
    assert content["figures"]["diverged_at"] is None
    out = command(*words).out
    lines = out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ["step", "loss"])
    numbers = [int(line.split()[0]) for line in lines[start + 1 : start + 41]]
    assert (numbers[0], numbers[-1], len(set(numbers))) == (1, 90, 40)
    assert "diverged_at" not in out


def test_a_run_that_diverges_is_a_finding_and_no_fault(only_run):
    content = stats_of(
        only_run(*TINY, "probe.loss=mse", "probe.learning_rate=1e30", "probe.epochs=3")
    )
    assert content["figures"]["diverged_at"] > 1
    assert content["figures"]["loss"] in ("nan", "inf")
    assert len(content["training"]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["probe.steps=0"], "probe.steps: must be a whole number of at least 1 or null, got 0"),
        (["probe.judged=0"], "probe.judged: must be a whole number of at least 1 or null, got 0"),
        (
            ["probe.loss=mes"],
            "probe.loss: cannot be 'mes' - did you mean 'mse'? Known: cross_entropy, mse.",
        ),
        (["probe.target_loss=0"], "probe.target_loss: must be a positive number or null, got 0"),
        (
            ["probe.target_loss=inf"],
            "probe.target_loss: must be a positive number or null, got inf",
        ),
        (
            ["data=one_hot", "data.size=1", "data.batch=1"],
            "data.size: must be a whole number of at least 2, got 1",
        ),
        (["data=one_hot", "data.batch=11"], "data.batch: must be at most size (10), got 11"),
        (["data=one_hot", "data.scale=0"], "data.scale: must be a positive number, got 0"),
        (
            ["data=one_hot", "model.input=[64]"],
            "data: one_hot gives samples of [10], but model.input is [64]",
        ),
    ],
)
def test_invalid_arguments_are_refused(words, said, command):
    done = command(
        *(
            word
            for word in TINY
            if not any(word.split("=")[0] == other.split("=")[0] for other in words)
        ),
        *words,
    )
    assert (done.code, said in done.err) == (2, True), done.err


def deep_linear(depth, width, strength, start):
    """A chain of `depth` scaled identities whose product is `start` times the identity, learning
    `strength` times it.
    """
    network, layers = nn.HybridSequential(), {}
    for i in range(depth):
        layers[str(i)] = nn.Dense(width, in_units=width, use_bias=False, dtype="float64")
        network.register_child(layers[str(i)], str(i))
    network.initialize(init.Zero())
    for layer in layers.values():
        layer.weight.set_data(nd.array(np.eye(width) * start ** (1 / depth), dtype="float64"))
    data = OneHot(batch=width, size=width, scale=1 / strength)
    batch = data.load((width,), 0)
    return Subject(
        network,
        layers,
        network.structural_params(),
        batch,
        data.training((width,), 0),
        cpu(),
        "float64",
        0,
    )


@pytest.mark.parametrize("depth", [2, 8])
def test_a_deep_linear_networks_learning_time_is_saxes(depth):
    """du/dt = D u^(2 - 2/D) (s - u), integrated from u0 to 0.9 s by quadrature; u = 0.9 s where the
    loss is 1 % of that of u = 0.
    """
    width, strength, start, pace = 4, 2.0, 0.5, 2e-3
    u = np.linspace(start, 0.9 * strength, 200_001)
    slowness = 1 / (depth * u ** (2 - 2 / depth) * (strength - u))
    time = ((slowness[1:] + slowness[:-1]) / 2 * np.diff(u)).sum()
    rate = pace * strength**2 * width**2  # the loss is (W - s)^2 / (2 s^2 width^2)
    probe = Train(
        steps=2 * round(time / pace),
        batch=width,
        loss="mse",
        learning_rate=rate,
        target_loss=0.01 * 0.5 / width,
    )
    figures = probe.measure(deep_linear(depth, width, strength, start)).figures
    assert figures["steps_to_target"] * pace == pytest.approx(time, rel=0.01)


def test_many_rows_are_thinned_evenly_with_the_first_and_the_last():
    assert evenly(list(range(40)), 40) == list(range(40))
    assert evenly(list(range(9)), 5) == [0, 2, 4, 6, 8]


def test_charts_trackers_and_reports_go_by_steps_and_leave_out_what_is_null(only_run):
    folder = only_run(*TINY, "probe.steps=3")
    [chart] = [chart for chart in run_charts(folder) if chart.name == "training"]
    assert chart.figure.axes[0].get_xlabel() == "step"
    assert chart.description.endswith("in 3 steps.")
    run = RunFolder(folder)
    tracked = Evidence("t", run.manifest, run.stats)
    assert {
        series.axis: series.steps for series in tracked.series if series.name == "training/loss"
    } == {"step": [1, 2, 3]}
    assert "figures/first_loss" in tracked.metrics
    assert "figures/diverged_at" not in tracked.metrics
    page = write_run_report(folder).read_text()
    assert "first_loss" in page
    assert "diverged_at" not in page


@pytest.mark.parametrize(("options", "steps"), [({"epochs": 3}, 9), ({"steps": 4}, 4)])
def test_each_step_is_reported_with_its_loss(options, steps):
    told = []
    watched = replace(subject(), report=lambda *given: told.append(given))
    trace = Train(batch=2, learning_rate=RATE, **options).measure(watched)
    assert [(done, total) for done, total, _ in told] == [(n + 1, steps) for n in range(steps)]
    assert told[0][2] == f"loss {trace.figures['first_loss']:.4g}"
