"""Recurrent layers: their cells unrolled, shapes that come late, names in files, and what is refused.

Their numbers are compared with MXNet's in tests/differential.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import autograd, gluon, init, nd, random
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn, rnn

LAYERS = {"rnn": rnn.RNN, "lstm": rnn.LSTM, "gru": rnn.GRU}


def drawn(*shape: int) -> nd.NDArray:
    return nd.array(np.random.default_rng(0).normal(size=shape))


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(LAYERS)),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from(["TNC", "NTC"]),
)
def test_a_layer_is_its_cells_unrolled(kind, steps, batch, inputs, units, layers, both, layout):
    layer = LAYERS[kind](
        units, num_layers=layers, bidirectional=both, layout=layout, input_size=inputs
    )
    layer.initialize(init.Normal(0.7))
    x = drawn(*((steps, batch, inputs) if layout == "TNC" else (batch, steps, inputs)))
    states = [drawn(*info["shape"]) for info in layer.state_info(batch)]
    outputs, after = layer(x, states)
    by_cells = [state[i] for i in range(layers * (1 + both)) for state in states]
    cells, cells_after = layer._unfuse().unroll(steps, x, by_cells, layout, merge_outputs=True)
    np.testing.assert_allclose(outputs.asnumpy(), cells.asnumpy(), rtol=1e-4, atol=1e-5)
    found = [state[i].asnumpy() for i in range(layers * (1 + both)) for state in after]
    for mine, theirs in zip(found, cells_after, strict=True):
        np.testing.assert_allclose(mine, theirs.asnumpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_gradients_of_a_layer_are_those_of_its_cells(kind):
    layer = LAYERS[kind](3, num_layers=2, input_size=4)
    layer.initialize(init.Normal(0.7))
    x, cells, found = drawn(5, 2, 4), layer._unfuse(), []
    for run in (layer, lambda x: cells.unroll(5, x, layout="TNC", merge_outputs=True)[0]):
        x.attach_grad()
        with autograd.record():
            loss = (run(x) ** 2).sum()
        loss.backward()
        found.append(
            [x.grad.asnumpy(), *(p.grad().asnumpy() for p in layer.collect_params().values())]
        )
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_gradient_goes_through_given_states_and_can_be_differentiated(kind):
    layer = LAYERS[kind](3, **({"activation": "tanh"} if kind == "rnn" else {}))
    layer.initialize(init.Normal(0.7))
    states = [drawn(*info["shape"]) for info in layer.state_info(2)]
    for state in states:
        state.attach_grad()
    with autograd.record():
        _, after = layer(drawn(4, 2, 3), states)
        grads = autograd.grad(sum(s.sum() for s in after), states, create_graph=True)
        again = sum((g**2).sum() for g in grads)
    again.backward()
    assert all(np.abs(state.grad.asnumpy()).max() > 0 for state in states)


def test_unknown_input_sizes_come_with_the_first_sequence_or_before():
    late, early = rnn.LSTM(3, bidirectional=True), rnn.LSTM(3, bidirectional=True)
    late.initialize()
    assert late.l0_i2h_weight.shape == (12, 0)
    assert late(drawn(5, 2, 4)).shape == (5, 2, 6)
    assert early.output_shape((5, 2, 4)) == (5, 2, 6)
    assert (
        early.l0_i2h_weight.shape
        == early.r0_i2h_weight.shape
        == late.r0_i2h_weight.shape
        == (12, 4)
    )
    cell = rnn.HybridSequentialRNNCell()
    cell.add(rnn.GRUCell(3))
    cell.add(rnn.ResidualCell(rnn.RNNCell(3)))
    assert cell.output_shape((2, 5)) == (2, 3)
    assert cell[0].i2h_weight.shape == (9, 5)


def test_files_name_parameters_as_mxnet_does(tmp_path):
    layer = rnn.LSTM(2, num_layers=2, bidirectional=True, input_size=3, projection_size=1)
    layer.initialize()
    layer.save_parameters(tmp_path / "x.params")
    names = list(nd.load(tmp_path / "x.params"))
    assert names[:5] == [
        f"_unfused.0.l_cell.{n}"
        for n in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias", "h2r_weight")
    ]
    assert names[-1] == "_unfused.1.r_cell.h2r_weight"
    other = rnn.LSTM(2, num_layers=2, bidirectional=True, projection_size=1)
    other.load_parameters(tmp_path / "x.params")
    np.testing.assert_array_equal(
        other.r1_h2r_weight.data().asnumpy(), layer.r1_h2r_weight.data().asnumpy()
    )


def test_dropout_lies_between_layers_while_training():
    layer = rnn.GRU(4, num_layers=2, dropout=0.5)
    layer.initialize()
    x = drawn(3, 2, 4)
    assert (layer(x).asnumpy() == layer(x).asnumpy()).all()
    with autograd.record():
        assert (layer(x).asnumpy() != layer(x).asnumpy()).any()


def test_a_clipped_state_stays_within_its_bounds():
    layer = rnn.LSTM(4, state_clip_min=-0.1, state_clip_max=0.2)
    layer.initialize(init.Normal(2))
    _, (_, c) = layer(drawn(6, 3, 4), layer.begin_state(3))
    assert c.asnumpy().min() >= -0.1 - 1e-7 and c.asnumpy().max() <= 0.2 + 1e-7


def test_hybridize_changes_nothing():
    layer = rnn.LSTM(3)
    layer.initialize()
    before = layer(drawn(4, 2, 3)).asnumpy()
    layer.hybridize(static_alloc=True)
    np.testing.assert_array_equal(layer(drawn(4, 2, 3)).asnumpy(), before)


def test_an_lstm_learns_to_remember_the_first_of_a_sequence():
    random.seed(0)
    x = np.random.default_rng(1).integers(0, 2, (64, 8, 1)).astype(np.float32)
    net = nn.HybridSequential()
    net.add(rnn.LSTM(12, layout="NTC"), nn.HybridLambda(lambda F, y: y[:, -1]), nn.Dense(2))
    net.initialize(init.Xavier())
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.02})
    for _ in range(80):
        with autograd.record():
            loss = gluon.loss.SoftmaxCELoss()(net(nd.array(x)), nd.array(x[:, 0, 0]))
        loss.backward()
        trainer.step(64)
    assert (net(nd.array(x)).asnumpy().argmax(1) == x[:, 0, 0]).mean() > 0.97


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: rnn.LSTM(3, layout="CTN"), AssertionError, "Invalid layout CTN; must be one of"),
        (
            lambda: rnn.RNN(3, activation="tan"),
            ValueError,
            "no activation 'tan' - did you mean 'tanh'",
        ),
        (lambda: rnn.LSTM(3, dropout=1.0), ValueError, r"dropout must lie in \[0, 1\), got 1.0"),
        (
            lambda: rnn.LSTM(3, use_sequence_length=True),
            MXNetError,
            "unroll a cell with valid_length instead",
        ),
        (lambda: rnn.LSTM(3, state_clip_nan=True), ValueError, "state_clip_nan is not supported"),
        (lambda: rnn.LSTM(3, hidden=2), TypeError, "hidden"),
        (
            lambda: rnn.LSTM(3).begin_state(),
            MXNetError,
            r"a state of shape \(1, 0, 3\) cannot be made - give begin_state the batch_size",
        ),
        (
            lambda: rnn.LSTM(3, projection_size=2)._unfuse(),
            AssertionError,
            "does not support projection",
        ),
        (
            lambda: rnn.BidirectionalCell(rnn.GRUCell(2), rnn.GRUCell(2))(nd.ones((1, 2)), []),
            NotImplementedError,
            "Please use unroll",
        ),
        (
            lambda: rnn.ZoneoutCell(rnn.BidirectionalCell(rnn.GRUCell(2), rnn.GRUCell(2))),
            AssertionError,
            "doesn't support zoneout",
        ),
    ],
)
def test_invalid_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_shapes_that_do_not_fit_name_layer_shapes_and_axis():
    net = nn.HybridSequential()
    net.add(rnn.GRU(3, input_size=4))
    net.initialize()
    with pytest.raises(MXNetError, match=r"Provided = \[9,4\], inferred shape=\(9,5\)") as caught:
        net(drawn(2, 2, 5))
    assert caught.value.__notes__ == ["in layer '0' (GRU), which was given (2, 2, 5)"]
    with pytest.raises(MXNetError, match="GRU needs an input of 3 axes, TNC, got"):
        rnn.GRU(3).output_shape((2, 4))
    with pytest.raises(
        ValueError, match=r"Invalid recurrent state shape. Expecting \(1, 2, 3\), got \(1, 3, 3\)"
    ):
        net[0](drawn(2, 2, 4), [drawn(1, 3, 3)])
    with pytest.raises(ValueError, match="LSTM has 2 states, got 1"):
        lstm = rnn.LSTM(3, input_size=4)
        lstm.initialize()
        lstm(drawn(2, 2, 4), [drawn(1, 2, 3)])
    with pytest.raises(
        AssertionError, match=r"length is 3, but axis 1 of inputs \(2, 4, 3\) \(layout NTC\) has 4"
    ):
        rnn.GRUCell(3).unroll(3, drawn(2, 4, 3))
