"""Gluon's own initializers: Orthogonal, Bilinear, LSTMBias and FusedRNN, against values that MXNet
1.9.1 gave (seed 4).
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import digest, init, laws, nd, random, streams
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


def recorded(kind: str) -> list:
    return [
        pytest.param(*name.split(" ", 1)[1].split(" ", 1), values, id=name)
        for name, values in RECORDED.items()
        if name.startswith(kind)
    ]


@pytest.mark.parametrize(("noise", "shape", "values"), recorded("orthogonal"))
def test_orthogonal_gives_mxnets_singular_vectors_up_to_lapacks_signs(
    noise, shape, values, mxnet_stream
):
    shape = ast.literal_eval(shape)
    got = filled(init.Orthogonal(1.5, noise), shape).reshape(shape[0], -1)
    wanted = np.array(values).reshape(got.shape)
    if got.shape[0] < got.shape[1]:
        got, wanted = got.T, wanted.T
    np.testing.assert_allclose(got * np.sign((got * wanted).sum(0)), wanted, atol=1e-5)


@pytest.mark.parametrize("height, width", [(3, 3), (4, 4), (2, 5)])
def test_bilinear_gives_mxnets_kernel(height, width):
    got = filled(init.Bilinear(), (2, 3, height, width))
    wanted = np.array(RECORDED[f"bilinear ({height}, {width})"], np.float32).reshape(height, width)
    assert (got == wanted).all()


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


@pytest.mark.parametrize("noise", ["uniform", "normal"])
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 2), (1, 6)])
def test_singular_vectors_are_orthonormal_times_scale_and_a_function_of_the_key(noise, shape):
    law = init.Orthogonal(1.5, noise).law(Description("w", "w", shape))
    assert laws.from_description(law.describe()) == law
    values = law.draw(KEY, shape)
    assert all(i.ok for i in law.invariants(values))
    assert not law.invariants(values * np.float32(1.001))[0].ok
    np.testing.assert_array_equal(values, law.draw(KEY, shape))
    np.testing.assert_array_equal(values.ravel()[1:3], law.draw(KEY, shape, start=1, stop=3))
    np.testing.assert_array_equal(values, law.draw_from(streams.Stream(KEY), shape))


def test_two_matrices_drawn_in_order_share_nothing():
    stream = streams.Stream(KEY)
    law = laws.SingularVectors(1.0, "normal")
    first, second = (law.draw_from(stream, (4, 4)) for _ in range(2))
    assert not np.isclose(np.abs(first), np.abs(second)).any()
    assert stream.cursor == 48  # 16 of noise and 4 signs, in blocks of 8, twice


def test_the_signs_of_singular_vectors_are_drawn():
    """Whatever LAPACK chose: half of the first vectors' largest elements are negative."""
    law = laws.SingularVectors(1.0, "uniform")
    vectors = np.stack([law.draw(streams.Key(seed, "w"), (3, 3))[:, 0] for seed in range(400)])
    negative = (vectors[np.arange(400), np.abs(vectors).argmax(1)] < 0).sum()
    assert 150 < negative < 250


def test_shapes_that_these_cannot_fill_are_refused():
    with pytest.raises(
        LawError, match=r"a bilinear kernel cannot have shape \(3, 3\): it needs 4 axes"
    ):
        init.Bilinear().law(Description("w", "w", (3, 3)))
    with pytest.raises(LawError, match="an axis is empty"):
        init.Orthogonal().law(Description("w", "w", (0, 3)))
    with pytest.raises(
        OptionError, match="rand_type cannot be 'gaussian' - Known: normal, uniform"
    ):
        init.Orthogonal(rand_type="gaussian")


def test_bilinear_values_are_exact_and_the_laws_own():
    law = init.Bilinear().law(Description("w", "w", (1, 1, 4, 4)))
    assert str(law) == "Bilinear(1)"
    assert law.invariants(law.draw(KEY, (1, 1, 4, 4)))[0].ok
    assert len(digest.tensor_digest(law.draw(KEY, (1, 1, 4, 4)))) == 32
