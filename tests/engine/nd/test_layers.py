"""The operators behind layers: options that layers do not pass on, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError

X = nd.array(np.arange(9).reshape((1, 1, 3, 3)))
ONE = nd.ones((1, 1, 3, 3))


def test_a_target_shape_fixes_padding_and_adjustment():
    full = nd.Deconvolution(X, ONE, kernel=(3, 3), stride=(2, 2), num_filter=1)
    assert full.shape == (1, 1, 7, 7)
    cut = nd.Deconvolution(
        X, ONE, kernel=(3, 3), stride=(2, 2), num_filter=1, target_shape=(5, 6), pad=(9, 9)
    )
    assert cut.tolist() == full[:, :, 1:6, 1:7].tolist()


def test_an_operators_bias_is_left_out_on_demand():
    assert nd.Deconvolution(X, ONE, nd.array([9.0]), kernel=(3, 3)).sum().asscalar() == 36 * 9
    y = nd.Convolution(
        X,
        ONE,
        nd.array([1.0]),
        kernel=(3, 3),
        num_filter=1,
        workspace=1,
        cudnn_tune="off",
        cudnn_off=True,
    )
    assert y.tolist() == [[[[37]]]]
    assert nd.Convolution(X, ONE, nd.array([1.0]), kernel=(3, 3), no_bias=True).tolist() == [
        [[[36]]]
    ]


def test_pooling_sums_and_takes_norms():
    x = nd.array(np.arange(4).reshape((1, 1, 2, 2)))
    assert nd.Pooling(x, kernel=(2, 2), pool_type="sum").tolist() == [[[[6]]]]
    np.testing.assert_allclose(
        nd.Pooling(x, kernel=(2, 2), pool_type="lp", p_value=2).asnumpy(), 14**0.5, rtol=1e-6
    )


def test_padding_reflects_repeats_the_edge_or_is_constant():
    widths = (0, 0, 0, 0, 1, 2, 2, 1)
    assert nd.pad(X, mode="reflect", pad_width=widths)[0, 0].tolist() == [
        [5, 4, 3, 4, 5, 4],
        [2, 1, 0, 1, 2, 1],
        [5, 4, 3, 4, 5, 4],
        [8, 7, 6, 7, 8, 7],
        [5, 4, 3, 4, 5, 4],
        [2, 1, 0, 1, 2, 1],
    ]
    small = nd.array(np.arange(4).reshape((1, 1, 2, 2)))
    assert nd.pad(small, mode="constant", constant_value=7, pad_width=(0, 0, 0, 0, 1, 0, 0, 1))[
        0, 0
    ].tolist() == [
        [7, 7, 7],
        [0, 1, 7],
        [2, 3, 7],
    ]
    assert nd.pad(small, mode="edge", pad_width=(0, 0, 0, 0, 1, 0, 0, 1))[0, 0].tolist() == [
        [0, 1, 1],
        [0, 1, 1],
        [2, 3, 3],
    ]


def test_a_leaky_rectifier_has_slope_a_quarter_unless_told():
    x = nd.array([[-2.0, 4.0]])
    assert nd.LeakyReLU(x).tolist() == [[-0.5, 4]]
    assert nd.LeakyReLU(x, nd.array([0.5, 9.0]), act_type="prelu").tolist() == [[-1, 4]]
    np.testing.assert_allclose(
        nd.LeakyReLU(x, act_type="elu", slope=0.3).asnumpy(), [[0.3 * np.expm1(-2), 4]], rtol=1e-6
    )


def test_a_fixed_gamma_counts_as_ones():
    x = nd.array([[1.0], [3.0]])
    args = (x, nd.array([5.0]), nd.array([0.5]), nd.array([1.0]), nd.array([4.0]))
    np.testing.assert_allclose(nd.BatchNorm(*args, eps=0).asnumpy(), [[0.5], [1.5]])
    np.testing.assert_allclose(
        nd.BatchNorm(*args, eps=0, fix_gamma=False).asnumpy(), [[0.5], [5.5]]
    )


ROW = nd.ones((2,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nd.Convolution(X, ONE, kernel=(3, 3), layout="NWHC"),
            "no layout 'NWHC' for 2 spatial axes - did you mean 'NHWC'",
        ),
        (
            lambda: nd.Convolution(X, ONE, kernel=(2, 2)),
            r"kernel \(2, 2\) and 0 filters are not those of a weight of shape \(1, 1, 3, 3\)",
        ),
        (
            lambda: nd.Convolution(X, ONE, kernel=(3, 3), stride=(1,)),
            r"stride \(1,\) has 1 numbers for 2 spatial axes",
        ),
        (
            lambda: nd.Convolution(X, ONE, kernel=(3,)),
            r"kernel \(3,\) needs data of 3 axes, got \(1, 1, 3, 3\)",
        ),
        (
            lambda: nd.Convolution(nd.ones((1, 2, 3, 3)), ONE, kernel=(3, 3)),
            r"2 input channels \(axis 1 of \(1, 2, 3, 3\)\), but the weight \(1, 1, 3, 3\) is for 1",
        ),
        (
            lambda: nd.Deconvolution(nd.ones((1, 2, 3, 3)), ONE, kernel=(3, 3)),
            "2 input channels .* is for 1",
        ),
        (
            lambda: nd.Deconvolution(X, ONE, kernel=(3, 3), target_shape=(9, 9)),
            r"target_shape \(9, 9\) exceeds \(5, 5\)",
        ),
        (lambda: nd.Pooling(X, kernel=(2, 2), pool_type="mean"), "no pool_type 'mean'"),
        (
            lambda: nd.Pooling(X, kernel=(2, 2), pooling_convention="same"),
            "no pooling_convention 'same'",
        ),
        (
            lambda: nd.BatchNorm(X, ROW, ROW, ROW, ROW),
            r"gamma of shape \(2,\) for axis 1 of data of shape \(1, 1, 3, 3\)",
        ),
        (lambda: nd.LayerNorm(X, ROW, ROW, axis=7), r"data of shape \(1, 1, 3, 3\) has no axis 7"),
        (lambda: nd.LayerNorm(X, nd.ones((3,)), ROW), r"beta of shape \(2,\) for axis 3"),
        (lambda: nd.InstanceNorm(X, ROW, ROW), r"Provided = \[2\], inferred shape=\[1\]"),
        (
            lambda: nd.InstanceNorm(ROW, ROW, ROW),
            r"a batch axis, a channel axis and at least one more, got shape \(2,\)",
        ),
        (
            lambda: nd.GroupNorm(X, ROW, ROW, num_groups=2),
            r"axis 1 of data \(1, 1, 3, 3\), 2 groups",
        ),
        (lambda: nd.GroupNorm(X, ROW, ROW), r"gamma of shape \(2,\)"),
        (lambda: nd.LeakyReLU(X, act_type="rrelu"), "no act_type 'rrelu'"),
        (lambda: nd.LeakyReLU(X, act_type="prelu"), "needs gamma"),
        (
            lambda: nd.LeakyReLU(X, ROW, act_type="prelu"),
            r"gamma of shape \(2,\) for 1 channels \(axis 1 of data of shape \(1, 1, 3, 3\)\)",
        ),
        (lambda: nd.pad(X, mode="wrap", pad_width=(0,) * 8), "Invalid Input: 'wrap'"),
        (lambda: nd.pad(ROW, "edge", pad_width=(1, 1)), "only supports 4-D or 5-D input"),
        (lambda: nd.pad(X, "edge", pad_width=(1, 1)), "Input shape vs padding spec mismatch"),
        (lambda: nd.pad(X, "edge", pad_width=(1,) * 8), "padding on the first two axes to be zero"),
        (
            lambda: nd.pad(X, mode="reflect", pad_width=(0, 0, 0, 0, 3, 0, 0, 0)),
            "padding sizes smaller than the input size",
        ),
    ],
)
def test_an_operator_says_what_does_not_fit(call, message):
    with pytest.raises(MXNetError, match=message):
        call()
