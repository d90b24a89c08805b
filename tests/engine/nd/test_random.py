"""`nd.random`: distributions beyond uniform and normal, exact in `initlab-1`; what MXNet's stream
has, and what it refuses.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import autograd, cpu, nd, random, streams
from initlab.engine.errors import MXNetError, StreamError
from initlab.engine.streams import variates

R = nd.random
MXNET_EXPONENTIAL = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mxnet-exponential.json").read_text(encoding="utf-8")
)


@pytest.fixture(autouse=True)
def seeded():
    before = streams.version()
    random.seed(11)
    yield
    streams.use(before)


DRAWS = {
    "exponential": (lambda n: R.exponential(2.0, shape=n), 2, 4),
    "gamma": (lambda n: R.gamma(2.0, 3.0, shape=n), 6, 18),
    "gamma below 1": (lambda n: R.gamma(0.3, 2.0, shape=n), 0.6, 1.2),
    "poisson": (lambda n: R.poisson(3.0, shape=n), 3, 3),
    "poisson in parts": (lambda n: R.poisson(1200.0, shape=n), 1200, 1200),
    "negative_binomial": (lambda n: R.negative_binomial(3, 0.4, shape=n), 4.5, 11.25),
    "generalized_negative_binomial": (
        lambda n: R.generalized_negative_binomial(2.0, 0.5, shape=n),
        2,
        4,
    ),
    "generalized without alpha": (
        lambda n: R.generalized_negative_binomial(2.0, 0.0, shape=n),
        2,
        2,
    ),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_distribution_has_its_mean_and_variance(name):
    draw, mean, variance = DRAWS[name]
    values = draw(100_000).asnumpy().astype(np.float64)
    assert abs(values.mean() - mean) < 5 * np.sqrt(variance / 1e5)
    assert abs(values.var() / variance - 1) < 0.08


def test_the_first_values_of_each_distribution_are_these_on_every_machine():
    found = {
        name: draw(3).asnumpy().view(np.uint32).tolist() for name, (draw, _, _) in DRAWS.items()
    }
    assert found == {
        "exponential": [1077806138, 1075704494, 1084543982],
        "gamma": [1069863818, 1097044413, 1090891617],
        "gamma below 1": [1070925905, 1061896479, 1070066174],
        "poisson": [1073741824, 1073741824, 1077936128],
        "poisson in parts": [1150574592, 1150558208, 1150369792],
        "negative_binomial": [1073741824, 1086324736, 1086324736],
        "generalized_negative_binomial": [1077936128, 1065353216, 0],
        "generalized without alpha": [1073741824, 1077936128, 1073741824],
    }


def test_values_repeat_with_the_seed_and_are_rounded_once():
    one = R.gamma(0.7, shape=9)
    random.seed(11)
    wide = variates.gamma(streams.current(), 0.7, 1.0, 9)
    assert (one.asnumpy() == wide.astype(np.float32)).all()
    random.seed(11)
    assert (R.gamma(0.7, shape=9, dtype="float64").asnumpy() == wide).all()
    random.seed(11)
    assert (R.gamma(0.7, shape=9, dtype="float16").asnumpy() == wide.astype(np.float16)).all()


def test_arrays_of_parameters_give_a_draw_for_each_element():
    lam = nd.array([1.0, 1000.0])
    assert R.poisson(lam).shape == (2,)
    assert R.poisson(lam, shape=(3, 2)).shape == (2, 3, 2)
    drawn = R.gamma(nd.array([[1.0, 1000.0]]), nd.array([[1.0, 2.0]]), shape=4).asnumpy()
    assert drawn.shape == (1, 2, 4)
    assert drawn[0, 0].max() < 100 < 1000 < drawn[0, 1].min()
    assert (
        R.exponential(lam).shape
        == R.negative_binomial(nd.array([1, 2]), nd.array([0.5, 0.5])).shape
        == (2,)
    )
    assert R.generalized_negative_binomial(nd.array([1.0, 2.0]), nd.array([0.5, 0.5])).shape == (2,)


def test_multinomial_draws_in_proportion_and_never_what_has_no_weight():
    numbers = R.multinomial(nd.array([0.1, 0, 0.7, 0.2]), shape=50_000)
    assert numbers.dtype is np.int32
    np.testing.assert_allclose(
        np.bincount(numbers.asnumpy()) / 50_000, [0.1, 0, 0.7, 0.2], atol=0.01
    )
    assert R.multinomial(nd.array([0, 3, 0.0]), shape=3).tolist() == [1, 1, 1]
    rows = nd.array([[0, 1], [1, 0]])
    assert R.multinomial(rows).tolist() == [1, 0]
    assert R.multinomial(rows, shape=(2, 2), dtype="float32").tolist() == [
        [[1, 1], [1, 1]],
        [[0, 0], [0, 0]],
    ]
    assert R.multinomial(nd.array([0.0, 1.0])).shape == (1,)


def test_multinomial_gives_log_probabilities_that_a_gradient_goes_through():
    weights = nd.array([[0.25, 0.75], [1.0, 0.0]])
    weights.attach_grad()
    with autograd.record():
        numbers, logs = R.multinomial(weights, shape=2, get_prob=True)
    logs.backward()
    picked = numbers.asnumpy()
    p = weights.asnumpy()
    np.testing.assert_allclose(logs.asnumpy(), np.log(np.take_along_axis(p, picked, 1)), rtol=1e-6)
    expected = np.zeros((2, 2), np.float32)
    for row, number in np.ndindex(2, 2):
        expected[row, picked[row, number]] += 1 / p[row, picked[row, number]]
    np.testing.assert_allclose(weights.grad.asnumpy(), expected, rtol=1e-6)


def test_shuffle_moves_whole_rows_and_leaves_the_array_alone():
    x = nd.arange(20).reshape((10, 2))
    y = R.shuffle(x)
    assert sorted(y.tolist()) == x.tolist() != y.tolist()
    out = nd.zeros((10, 2))
    random.seed(11)
    assert R.shuffle(x, out=out) is out
    assert out.tolist() == y.tolist()


@pytest.mark.parametrize(
    ("draw", "options"),
    [
        (R.uniform_like, {"low": 1, "high": 2}),
        (R.normal_like, {"loc": 1, "scale": 2}),
        (R.exponential_like, {"lam": 2}),
        (R.gamma_like, {"alpha": 2, "beta": 3}),
        (R.poisson_like, {"lam": 4}),
        (R.negative_binomial_like, {"k": 2, "p": 0.5}),
        (R.generalized_negative_binomial_like, {"mu": 2, "alpha": 0.5}),
    ],
)
def test_a_draw_like_an_array_has_its_shape_dtype_and_device(draw, options):
    like = nd.ones((2, 3), ctx=cpu(1), dtype="float16")
    drawn = draw(like, **options)
    assert (drawn.shape, drawn.dtype, drawn.context) == ((2, 3), np.float16, cpu(1))
    with pytest.raises(MXNetError, match="only support floating point types, not int32"):
        draw(nd.ones((2,), dtype="int32"), **options)
    with pytest.raises(AssertionError, match="Argument data must have NDArray type"):
        draw(3, **options)


def test_exponential_like_takes_a_rate():
    like = nd.ones((50_000,))
    assert abs(R.exponential_like(like, lam=4).asnumpy().mean() - 0.25) < 0.01


@pytest.mark.parametrize("row", MXNET_EXPONENTIAL, ids=lambda row: str(row["seed"]))
def test_exponential_values_of_mxnets_stream_are_mxnets_bits(row):
    streams.use("mxnet-1.9.1")
    random.seed(row["seed"])
    assert (
        R.exponential(row["scale"], shape=len(row["bits"])).asnumpy().view(np.uint32).tolist()
        == row["bits"]
    )


@pytest.mark.parametrize(
    "draw",
    [
        lambda: R.gamma(2.0),
        lambda: R.poisson(2.0),
        lambda: R.negative_binomial(2, 0.5),
        lambda: R.generalized_negative_binomial(2.0, 0.5),
        lambda: R.multinomial(nd.array([0.5, 0.5])),
        lambda: R.shuffle(nd.arange(3)),
        lambda: R.exponential(2.0, dtype="float64"),
    ],
)
def test_what_mxnets_stream_is_not_known_to_give_is_refused(draw):
    streams.use("mxnet-1.9.1")
    with pytest.raises(
        StreamError, match="not specified yet in stream mxnet-1.9.1 - draw them in stream initlab-1"
    ):
        draw()


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: R.exponential(-1),
            r"param.lam > 0 \(-1 vs. 0\) : lambda parameter in exponential distribution has to be positive",
        ),
        (lambda: R.exponential_like(nd.ones((2,)), lam=0), r"param.lam > 0 \(0 vs. 0\)"),
        (
            lambda: R.gamma(-1, 1),
            r"param.alpha > 0 \(-1 vs. 0\) : alpha parameter in gamma distribution has to be positive",
        ),
        (
            lambda: R.gamma(1, -1),
            r"param.beta > 0 \(-1 vs. 0\) : beta parameter in gamma distribution has to be positive",
        ),
        (
            lambda: R.poisson(-1),
            r"param.lam >= 0 \(-1 vs. 0\) : lambda parameter in poisson distribution has to be non-negative",
        ),
        (
            lambda: R.generalized_negative_binomial(-1, 1),
            "mu parameter in generalized negative binomial distribution has to be non-negative",
        ),
        (
            lambda: R.generalized_negative_binomial(1, -1),
            "alpha parameter in generalized negative binomial distribution has to be non-negative",
        ),
        (lambda: R.negative_binomial(1, 0), "needs k >= 0 and 0 < p <= 1, got k=1 and p=0"),
        (lambda: R.negative_binomial(1, 1e-9), "has too large a mean to be drawn exactly"),
        (
            lambda: R.multinomial(nd.array([0.5, -0.5])),
            "every row needs weights that are not negative, and one above 0",
        ),
        (
            lambda: R.multinomial(nd.zeros((2,))),
            "every row needs weights that are not negative, and one above 0",
        ),
    ],
)
def test_impossible_parameters_are_refused(draw, message):
    with pytest.raises(MXNetError, match=message):
        draw()


def test_drawing_nothing_takes_nothing_and_zeros_are_zeros():
    assert (
        R.poisson(0, shape=3).tolist() == R.negative_binomial(3, 1.0, shape=3).tolist() == [0, 0, 0]
    )


@pytest.mark.parametrize("draw", [R.uniform, R.normal])
def test_arrays_of_parameters_are_written_where_one_says(draw):
    out = nd.zeros((2, 3))
    low = nd.array([1.0, 2.0])
    assert draw(low, low + 1, shape=3, out=out) is out
    assert out.asnumpy().all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_a_uniform_never_reaches_its_upper_bound(dtype):
    drawn = R.uniform(-1, 1, shape=1 << 16, dtype=dtype).asnumpy().astype(np.float64)
    assert drawn.min() >= -1 and drawn.max() < 1
    assert (R.uniform(3, 3, shape=5, dtype=dtype).asnumpy() == 3).all()


@pytest.mark.parametrize(
    "draw",
    [
        nd.random.uniform,
        nd.random.normal,
        nd.random.gamma,
        nd.random.poisson,
        nd.random.exponential,
    ],
)
def test_a_parameter_that_is_no_number_is_a_value_error(draw):
    with pytest.raises(
        ValueError, match="must be either NDArray or numbers, but got <class 'str'>"
    ):
        draw("a")
