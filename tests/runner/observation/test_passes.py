"""What one pass of a batch shows, against passes written by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from observed import chain, inputs, made, seen_in, subject_of

from initlab.engine import autograd, gluon, init, nd
from initlab.engine.gluon import nn
from initlab.runner.errors import ConfigError
from initlab.runner.observation.passes import observe


def test_the_stages_of_a_dense_network_have_the_signal_after_their_activations():
    x = inputs(8, 5)
    net = made(nn.Dense(7), nn.Activation("tanh"), nn.Dense(3), batch=x)
    seen = observe(subject_of(net, x, np.arange(8) % 3))
    hidden = np.tanh(x @ net[0].weight.data().asnumpy().T)
    assert [(s.path, s.kind, s.activation) for s in seen.trunk] == [
        ("0", "Dense", "tanh"),
        ("2", "Dense", None),
    ]
    assert seen.trunk[0].signal.rms == pytest.approx(np.sqrt(np.square(hidden).mean()), rel=1e-5)
    gain = seen.trunk[0].signal.rms / np.sqrt(np.square(x).mean())
    assert seen.trunk[0].gain == pytest.approx(gain, rel=1e-5)


def test_loss_and_gradients_are_those_of_the_mean_cross_entropy():
    x, y = inputs(6, 4), np.arange(6) % 3
    net = made(nn.Dense(3, use_bias=False), batch=x)
    seen = observe(subject_of(net, x, y))
    scores = x @ net[0].weight.data().asnumpy().T
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    losses = -np.log(p[np.arange(6), y])
    error = p - np.eye(3)[y]
    assert seen.loss == pytest.approx(losses.mean(), rel=1e-5)
    assert seen.loss_error == pytest.approx(losses.std(ddof=1) / math.sqrt(6), rel=1e-4)
    assert seen.ignorance == pytest.approx(math.log(3))
    wanted = np.sqrt(np.square(error.T @ x / 6).mean())
    assert seen.tensors[0].gradient == pytest.approx(wanted, rel=1e-4)


def test_a_residual_block_is_one_stage_with_its_stream_and_branch():
    x = inputs(8, 5)
    branch = nn.Dense(5, use_bias=False)
    net = made(nn.Residual(branch), nn.Dense(2), batch=x)
    stage = observe(subject_of(net, x)).trunk[0]
    added = x @ branch.weight.data().asnumpy().T
    assert (stage.path, stage.kind, stage.container) == ("0", "Residual", True)
    assert stage.branch == pytest.approx(
        np.sqrt(np.square(added).mean() / np.square(x).mean()), rel=1e-4
    )
    assert stage.signal.rms == pytest.approx(np.sqrt(np.square(x + added).mean()), rel=1e-5)


def test_a_network_written_as_a_class_has_its_layers_as_stages():
    class Net(gluon.Block):
        def __init__(self):
            super().__init__()
            self.second, self.first = nn.Dense(2), nn.Dense(4)

        def forward(self, x):
            return self.second(nd.relu(self.first(x)))

    net, x = Net(), inputs(3, 2)
    net.initialize(init.Xavier())
    net(nd.array(x))
    assert [stage.path for stage in observe(subject_of(net, x)).trunk] == ["first", "second"]


def test_observing_changes_no_value_no_gradient_and_no_running_statistic():
    x = inputs(8, 5)
    net = made(nn.Dense(4), nn.BatchNorm(), nn.Dense(3), initializer="zero", batch=x)
    with autograd.record():
        loss = net(nd.array(x)).sum()
    loss.backward()
    kept = net[2].bias.grad().asnumpy().copy()
    moved = {p: q.data().asnumpy().copy() for p, q in net.structural_params().items()}
    seen = observe(subject_of(net, x))
    assert seen.after, "an all-zero network has exact zeros"
    for path, parameter in net.structural_params().items():
        assert parameter.data().asnumpy().tobytes() == moved[path].tobytes()
    assert (net[2].bias.grad().asnumpy() == kept).all() and kept.any()


def test_gradients_behind_a_zero_are_seen_after_a_step():
    x = inputs(16, 5)
    net = made(nn.Dense(6, activation="tanh"), nn.Dense(3), batch=x)
    net[1].weight.set_data(nd.zeros((3, 6)))
    seen = observe(subject_of(net, x, np.arange(16) % 3))
    first = {t.path: t.gradient for t in seen.tensors}
    later = {t.path: t.gradient for t in seen.awake.tensors}
    assert first["0.weight"] == 0 and later["0.weight"] > 0


def test_a_parameter_that_the_loss_does_not_reach_has_no_gradient():
    class Unused(gluon.Block):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Dense(2), nn.Dense(2)

        def forward(self, x):
            self.unused(x)
            return self.used(x)

    net, x = Unused(), inputs(3, 2)
    net.initialize()
    net(nd.array(x))
    found = {t.path: t.gradient for t in observe(subject_of(net, x)).tensors}
    assert found["unused.weight"] is None and found["used.weight"] > 0


def test_an_output_that_holds_no_scores_has_no_loss_but_gradients():
    x = inputs(4, 3)
    seen = observe(subject_of(made(nn.Dense(1), batch=x), x))
    assert seen.loss is None and seen.ignorance is None
    assert seen.tensors[0].gradient > 0


def test_what_does_not_learn_is_observed_without_gradients():
    x = inputs(4, 3)
    net = made(nn.Dense(5), nn.Dense(2), batch=x)
    net.collect_params().setattr("grad_req", "null")
    seen = observe(subject_of(net, x))
    assert seen.tensors == [] and seen.trunk[0].signal.gradient is None


def test_an_output_that_is_cut_from_its_parameters_gives_them_no_gradient():
    class Cut(gluon.Block):
        def __init__(self):
            super().__init__()
            self.dense = nn.Dense(2)

        def forward(self, x):
            return self.dense(x).detach()

    net, x = Cut(), inputs(3, 2)
    net.initialize()
    net(nd.array(x))
    assert all(tensor.gradient is None for tensor in observe(subject_of(net, x)).tensors)


@pytest.mark.parametrize("output", [None, {}, ()])
def test_a_network_that_returns_no_array_is_refused(output):
    class Silent(gluon.Block):
        def forward(self, x):
            return output

    with pytest.raises(ConfigError, match="network: must return an array"):
        observe(subject_of(Silent(), inputs(3, 2)))


class _TwoHeads(gluon.Block):
    """A body with two heads; `first` says which of them is called first."""

    def __init__(self, first="a"):
        super().__init__()
        self.body = nn.HybridSequential()
        self.body.add(nn.Dense(8, activation="tanh"), nn.Dense(8, activation="tanh"))
        self.a, self.b, self._first = nn.Dense(3), nn.Dense(4), first

    def forward(self, x):
        h = self.body(x)
        if self._first == "a":
            return self.a(h), self.b(h)
        b = self.b(h)
        return self.a(h), b


@pytest.mark.parametrize("first", ["a", "b"])
def test_parameters_behind_a_second_output_have_its_gradient_and_the_rest_that_of_the_first(first):
    x, y = inputs(8, 5), np.arange(8) % 3
    net = _TwoHeads(first)
    net.initialize(init.Xavier())
    net(nd.array(x))
    seen = observe(subject_of(net, x, y))
    assert all(tensor.gradient for tensor in seen.tensors)
    assert [stage.path for stage in seen.trunk] == ["body.0", "body.1", "a"]
    alone = nn.HybridSequential()
    alone.add(net.body, net.a)
    wanted = observe(subject_of(alone, x, y))
    by_shape = {t.shape: t.gradient for t in seen.tensors if t.path.startswith(("body", "a."))}
    assert by_shape == {t.shape: t.gradient for t in wanted.tensors}
    assert seen.loss == wanted.loss


def test_the_steps_that_wake_gradients_make_no_score_certain():
    """Equal units with scores of 2750: a hundredth of them would make the softmax certain."""
    x = np.random.default_rng(0).uniform(0, 1, (2, 20)).astype(np.float32)
    net = made(nn.Dense(256, activation="relu"), nn.Dense(10), initializer=init.One(), batch=x)
    seen = observe(subject_of(net, x))
    assert seen.tensors[0].gradient == 0 < seen.awake.tensors[0].gradient
    assert all(tensor.gradient for tensor in seen.reached)


def test_a_parameter_is_seen_with_its_first_gradient_that_is_not_0():
    net = chain(2, "relu", "he")
    net(nd.zeros((1, 20)))
    net[2].weight.set_data(nd.zeros((10, 64)))
    seen = seen_in(net)
    first, later = ({t.path: t.gradient for t in one} for one in (seen.tensors, seen.awake.tensors))
    reached = {tensor.path: tensor.gradient for tensor in seen.reached}
    assert reached["0.weight"] == later["0.weight"] and first["0.weight"] == 0
    assert reached["2.weight"] == first["2.weight"] != later["2.weight"]
