"""LSTMBias and FusedRNN, against what MXNet 1.9.1 gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import init, laws, nd, random, streams
from initlab.engine.errors import LawError, OptionError
from initlab.engine.init import Description

RECORDED = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mxnet-init.json").read_text(encoding="utf-8")
)


KEY = streams.Key(5, "w")


def filled(initializer, shape, name="w_weight", **options):
    array = nd.zeros(shape)
    initializer(init.InitDesc(name, **options), array)
    return array.asnumpy()


@pytest.fixture
def mxnet_stream():
    with streams.using("mxnet-1.9.1"):
        random.seed(4)
        yield
    random.seed(0)


@pytest.mark.parametrize("name", [name for name in RECORDED if name.startswith("fused")])
def test_a_fused_vector_is_filled_piece_by_piece_as_mxnet_does(name, mxnet_stream):
    _, mode, layers, both, size = name.split()
    made = init.FusedRNN(init.Uniform(0.5), 3, int(layers), mode, both == "True", forget_bias=2.0)
    got = filled(made, (int(size),), "p_weight", global_init=init.One())
    np.testing.assert_array_equal(got, np.array(RECORDED[name], np.float32))


def test_a_fused_vector_has_the_networks_initializer_where_it_has_none_of_its_own():
    made = init.FusedRNN(None, 2, 1, "lstm")
    got = filled(made, (40 + 16,), "p_weight", global_init=init.One())
    biases = got[40:].reshape(2, 4, 2)
    assert got[:40].tolist() == [1] * 40
    assert biases[:, 1].tolist() == [[1, 1], [1, 1]]  # both biases of the forget gate
    assert np.delete(biases, 1, axis=1).tolist() == np.zeros((2, 3, 2)).tolist()
    assert json.loads(made.dumps())[1]["init"] is None
    with pytest.raises(OptionError, match="init is missing: there is no network's initializer"):
        filled(made, (56,), "p_weight")


def test_a_fused_vector_of_another_length_is_refused():
    with pytest.raises(OptionError, match="num_hidden does not fit a packed vector of 57 elements"):
        filled(init.FusedRNN("zeros", 2, 1, "lstm"), (57,), "p_weight")
    with pytest.raises(OptionError, match="mode cannot be 'lst' - did you mean 'lstm'"):
        init.FusedRNN(None, 2, 1, "lst")


def test_the_forget_gate_is_the_second_of_four():
    assert filled(init.LSTMBias(2.0), (8,)).tolist() == [0, 0, 2, 2, 0, 0, 0, 0]
    assert filled(init.LSTMBias(), (9,)).tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0]
    law = init.LSTMBias(2.0).law(Description("b", "b", (8,)))
    assert laws.from_description(law.describe()) == law
    values = law.draw(KEY, (8,))
    assert law.invariants(values)[0].ok
    values[0] = 1
    assert not law.invariants(values)[0].ok
    assert law.draw(KEY, (8,), start=2, stop=4).tolist() == [2, 2]


@pytest.mark.parametrize(
    ("shape", "roles"), [((12,), ("out*3",)), ((8,), ("out",)), ((8, 3), ("out*4", "in"))]
)
def test_an_lstms_bias_is_of_an_lstm(shape, roles):
    chosen = init.LSTMBias()
    assert str(chosen.law(Description("b", "b", (8,), roles=("out*4",)))) == "ForgetGate(1)"
    with pytest.raises(ValueError, match="fills biases of an LSTM's four gates only, this is "):
        chosen.law(Description("b", "b", shape, roles=roles))


def test_shapes_that_these_cannot_fill_are_refused():
    with pytest.raises(
        LawError, match=r"a bilinear kernel cannot have shape \(3, 3\): it needs 4 axes"
    ):
        init.Bilinear().law(Description("w", "w", (3, 3)))
    with pytest.raises(LawError, match="an axis is empty"):
        init.Orthogonal().law(Description("w", "w", (0, 3)))
    with pytest.raises(
        OptionError,
        match="rand_type cannot be 'gaussian' - did you mean 'normal'\\? Known: normal, uniform",
    ):
        init.Orthogonal(rand_type="gaussian")
