"""Orthogonal and DeltaOrthogonal."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import init, laws, nd, random, streams
from initlab.engine.errors import LawError
from initlab.engine.gluon import nn, rnn
from initlab.engine.init import Description

VECTOR = Description("d_bias", "0.bias", (3,))


def described(*shape):
    return Description("w", "w", shape)


def filled(initializer, *shape, dtype="float32"):
    array = nd.zeros(shape, dtype=dtype)
    initializer(init.InitDesc("w_weight"), array)
    return array.asnumpy()


RECORDED = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mxnet-init.json").read_text(encoding="utf-8")
)


KEY = streams.Key(5, "w")


def filled_by_name(initializer, shape, name="w_weight", **options):
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


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (6, 2, 3, 3)])
@pytest.mark.parametrize("exact", [False, True])
def test_the_shorter_side_of_an_orthogonal_matrix_is_orthonormal_times_scale(shape, exact):
    made = init.Haar(2.0, exact)
    assert made.law(described(*shape)) == laws.Haar(2.0, exact)
    matrix = filled(made, *shape).reshape(shape[0], -1)
    side = matrix if len(matrix) <= len(matrix.T) else matrix.T
    assert np.allclose(side @ side.T, 4 * np.eye(len(side)), atol=1e-5)


def test_matrices_drawn_one_after_the_other_differ():
    streams.seed(3)
    first, second = filled(init.Haar(), 3, 5), filled(init.Haar(), 3, 5)
    assert not np.allclose(first, second)
    streams.seed(3)
    assert np.array_equal(filled(init.Haar(), 3, 5), first)
    assert np.array_equal(filled(init.Haar(), 3, 5), second)


@pytest.mark.parametrize("make", [init.Haar, init.DeltaOrthogonal, init.Orthogonal, init.Identity])
def test_a_vector_is_refused_by_name(make):
    with pytest.raises(
        ValueError,
        match="^(Orthogonal|Identity) initializer cannot be applied to vector d_bias. It requires at least 2D.$",
    ):
        make().law(VECTOR)


def test_an_orthogonal_matrix_needs_all_its_axes():
    with pytest.raises(LawError, match="an axis is empty"):
        init.Haar().law(described(0, 3))


SPACE = ("spatial", "spatial")


@pytest.mark.parametrize(
    ("shape", "roles", "law"),
    [
        ((4, 3, 5, 5), None, laws.DeltaOrthogonal(2.0, True)),
        ((4, 3, 5, 5), ("out", "in", *SPACE), laws.DeltaOrthogonal(2.0, True)),
        ((4, 5, 5, 3), ("out", *SPACE, "in"), laws.DeltaOrthogonal(2.0, True, 0, 3)),
        ((3, 4, 5, 5), ("in", "out", *SPACE), laws.DeltaOrthogonal(2.0, True, 1, 0)),
        ((8, 2, 5, 5), ("out*4", "in", *SPACE), laws.DeltaOrthogonal(2.0, True, 0, 1, 4)),
        ((8, 5, 5, 3), ("in*4", *SPACE, "out"), laws.DeltaOrthogonal(2.0, True, 3, 0, 4)),
        ((3, 5), None, laws.Haar(2.0, True)),
        ((3, 5), ("group", "out"), laws.Haar(2.0, True)),
        ((9, 3), ("out*3", "in"), laws.Haar(2.0, True, blocks=3)),
    ],
)
def test_a_delta_orthogonal_kernel_has_its_channels_where_the_roles_say(shape, roles, law):
    assert init.DeltaOrthogonal(2.0, True).law(Description("w", "w", shape, roles=roles)) == law
    assert all(found.ok for found in law.invariants(law.draw(streams.Key(0, "w"), shape)))


@pytest.mark.parametrize(
    "layer",
    [
        lambda init_: nn.Conv2D(6, 3, in_channels=4, weight_initializer=init_),
        lambda init_: nn.Conv2D(6, 3, in_channels=4, layout="NHWC", weight_initializer=init_),
        lambda init_: nn.Conv1D(6, 4, in_channels=6, groups=3, weight_initializer=init_),
        lambda init_: nn.Conv2DTranspose(6, 3, in_channels=4, groups=2, weight_initializer=init_),
        lambda init_: nn.Conv3D(5, 3, in_channels=2, weight_initializer=init_),
    ],
)
def test_every_convolution_can_be_delta_orthogonal(layer):
    made = layer(init.DeltaOrthogonal())
    made.initialize()
    inputs, outputs = (
        made.weight.shape[
            made.weight.roles.index(next(r for r in made.weight.roles if r.startswith(n)))
        ]
        for n in ("in", "out")
    )
    values = made.weight.data().asnumpy()
    assert np.count_nonzero(values) == inputs * outputs
    assert (values.astype(np.float64) ** 2).sum() == pytest.approx(
        min(4, inputs) if made._kwargs["num_group"] == 1 else made._in_channels, rel=1e-5
    )


@pytest.mark.parametrize(
    "roles",
    [("out", "group", "spatial"), ("out", "in*2", "spatial"), ("spatial", "out", "spatial")],
)
def test_a_kernel_with_other_axes_cannot_be_delta_orthogonal(roles):
    with pytest.raises(
        ValueError,
        match="^w: a delta-orthogonal kernel has one axis of outputs and one of inputs, not ",
    ):
        init.DeltaOrthogonal().law(Description("w", "w", (4, 2, 3), roles=roles))


@pytest.mark.parametrize(("noise", "shape", "values"), recorded("orthogonal"))
def test_orthogonal_gives_mxnets_singular_vectors_up_to_lapacks_signs(
    noise, shape, values, mxnet_stream
):
    shape = ast.literal_eval(shape)
    got = filled_by_name(init.Orthogonal(1.5, noise), shape).reshape(shape[0], -1)
    wanted = np.array(values).reshape(got.shape)
    if got.shape[0] < got.shape[1]:
        got, wanted = got.T, wanted.T
    np.testing.assert_allclose(got * np.sign((got * wanted).sum(0)), wanted, atol=1e-5)


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


def singular_values(weight: np.ndarray, blocks: int) -> np.ndarray:
    return np.linalg.svd(
        weight.reshape(blocks, weight.shape[0] // blocks, -1).astype(np.float64), compute_uv=False
    )


@pytest.mark.parametrize("make", [init.Haar, init.DeltaOrthogonal, init.Lsuv])
@pytest.mark.parametrize(
    ("layer", "blocks"),
    [
        (lambda: rnn.LSTMCell(20, input_size=30), 4),
        (lambda: rnn.LSTMCell(20, input_size=100), 4),
        (lambda: rnn.GRUCell(20, input_size=10), 3),
        (lambda: rnn.RNNCell(20, input_size=10), 1),
        (lambda: rnn.LSTM(20, input_size=10), 4),
        (lambda: rnn.GRU(20, input_size=10), 3),
        (lambda: nn.MultiHeadAttention(24, 2), 3),
    ],
)
def test_every_gate_is_orthogonal_by_itself(layer, blocks, make):
    net = layer()
    net.initialize(make())
    packed = [
        p
        for p in net.collect_params().values()
        if p.roles[0].startswith("out") and len(p.shape) == 2 and "*" in p.roles[0] or blocks == 1
    ]
    found = [singular_values(p.data().asnumpy(), blocks) for p in packed if len(p.shape) == 2]
    assert found and all(np.abs(values - 1).max() < 1e-5 for values in found)


def test_every_group_of_a_convolution_is_orthogonal_by_itself():
    layer = nn.Conv2D(64, 3, groups=64, in_channels=64)
    layer.initialize(init.Haar())
    assert np.abs(singular_values(layer.weight.data().asnumpy(), 64) - 1).max() < 1e-5


def test_a_stack_that_is_not_taller_than_wide_has_the_law_that_it_had():
    wide = Description("w", "w", (12, 30), roles=("out*4", "in"))
    assert init.Haar().law(wide) == laws.Haar()
    assert init.Haar().law(Description("w", "w", (12, 3), roles=("out*4", "in"))) == laws.Haar(
        blocks=4
    )
