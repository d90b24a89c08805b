"""Whether a layer is an activation, and its mean square."""

from __future__ import annotations

import pytest

from initlab.engine.gluon import HybridBlock, nn
from initlab.runner.observation.elementwise import power_of
from initlab.runner.theory.meanfield import mean_square


class Power(HybridBlock):
    """x^n."""

    def __init__(self, n):
        super().__init__()
        self._n = n

    def hybrid_forward(self, F, x):
        return x**self._n


@pytest.mark.parametrize(("n", "moment"), [(2, 3.0), (3, 15.0)])
@pytest.mark.parametrize("shape", [(2, 5), (4, 3, 2, 2)])
def test_the_mean_square_of_a_power_is_a_moment_of_the_normal_law(n, moment, shape):
    assert power_of(Power(n), shape) == pytest.approx(moment, rel=1e-6)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (nn.HybridLambda("tanh"), "tanh"),
        (nn.SELU(), "selu"),
        (nn.GELU(), "gelu"),
        (nn.Swish(), "silu"),
        (nn.LeakyReLU(0.01), "leaky"),
    ],
)
def test_the_layer_itself_gives_what_the_closed_form_says(layer, name):
    assert power_of(layer, (4, 2, 3, 3)) == pytest.approx(mean_square(name, 1.0), rel=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        nn.HybridLambda("softmax"),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.HybridLambda(lambda F, x: 3 * x + 1),
        nn.HybridLambda(lambda F, x: F.softmax(x, axis=1)),
        nn.HybridLambda(lambda F, x: F.mean(x, axis=1)),
    ],
    ids=["softmax", "flatten", "dropout", "line", "softmax of channels", "mean"],
)
@pytest.mark.parametrize("shape", [(4, 7), (4, 3, 4, 4)])
def test_what_mixes_numbers_or_is_a_line_is_no_activation(layer, shape):
    assert power_of(layer, shape) is None
