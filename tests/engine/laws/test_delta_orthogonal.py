"""Delta-orthogonal kernels: one orthonormal matrix at the centre tap, zeros around it, and lengths
that a convolution keeps.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import laws, nd
from initlab.engine.errors import LawError
from initlab.engine.streams import Key, Stream

KEY = Key(3, "conv.weight")


def centre(values: np.ndarray) -> np.ndarray:
    """The centre tap of a kernel (out, in, *kernel), float64."""
    return values[(slice(None), slice(None), *((k - 1) // 2 for k in values.shape[2:]))].astype(
        np.float64
    )


@settings(max_examples=40, deadline=None)
@given(
    inputs=st.integers(1, 12),
    more=st.integers(0, 12),
    kernel=st.lists(st.integers(1, 5), max_size=3),
    gain=st.floats(0.01, 100) | st.just(-2.0),
    exact=st.booleans(),
    dtype=st.sampled_from(["float32", "float64", "float16", "bfloat16"]),
    seed=st.integers(0, 99),
)
def test_columns_are_orthogonal_and_of_length_gain_and_all_else_is_zero(
    inputs, more, kernel, gain, exact, dtype, seed
):
    law = laws.DeltaOrthogonal(gain, exact)
    values = law.draw(Key(seed, "w"), (inputs + more, inputs, *kernel), dtype)
    assert (values.dtype.name, values.shape) == (dtype, (inputs + more, inputs, *kernel))
    matrix = centre(values)
    resolution = {"float64": 1e-12, "float32": 1e-6, "float16": 2e-3, "bfloat16": 2e-2}[dtype]
    assert np.abs(matrix.T @ matrix / gain**2 - np.eye(inputs)).max() < resolution
    assert np.abs(values.astype(np.float64)).sum() == pytest.approx(np.abs(matrix).sum())
    assert all(found.ok for found in law.invariants(values))


@pytest.mark.parametrize(
    ("kernel", "tap"),
    [((1,), (0,)), ((2,), (0,)), ((3,), (1,)), ((4, 5), (1, 2)), ((6, 1, 2), (2, 0, 0))],
    ids=str,
)
def test_the_tap_is_the_one_that_identity_takes(kernel, tap):
    drawn, identity = (
        laws.DeltaOrthogonal().draw(KEY, (3, 2, *kernel)),
        laws.Structured("identity").draw(KEY, (3, 2, *kernel)),
    )
    assert (
        {tuple(i) for i in np.argwhere(drawn)[:, 2:].tolist()}
        == {tuple(i) for i in np.argwhere(identity)[:, 2:].tolist()}
        == {tap}
    )


def test_the_matrix_is_the_haar_matrix_of_the_same_stream():
    for exact in (False, True):
        kernel = laws.DeltaOrthogonal(2.0, exact).draw(KEY, (7, 5, 3, 3))
        assert np.array_equal(centre(kernel), laws.Haar(2.0, exact).draw(KEY, (7, 5)))


def test_each_group_has_a_matrix_of_its_own():
    law = laws.DeltaOrthogonal(1.0, groups=4)
    kernel = law.draw(KEY, (12, 2, 3, 3))
    matrices = centre(kernel).reshape(4, 3, 2)
    assert np.abs(matrices.swapaxes(1, 2) @ matrices - np.eye(2)).max() < 1e-6
    assert len({matrix.tobytes() for matrix in matrices}) == 4
    assert np.array_equal(matrices[0], laws.Haar(1.0).draw(KEY, (3, 2)))
    assert str(law) == "DeltaOrthogonal(1, 4 groups)"


@pytest.mark.parametrize("groups", [1, 3])
def test_channels_last_and_transposed_kernels_hold_the_same_matrices(groups):
    plain = laws.DeltaOrthogonal(1.0, True, groups=groups).draw(KEY, (6, 2, 3, 4))
    last = laws.DeltaOrthogonal(1.0, True, out_axis=0, in_axis=3, groups=groups).draw(
        KEY, (6, 3, 4, 2)
    )
    assert np.array_equal(np.moveaxis(last, -1, 1), plain)
    law = laws.DeltaOrthogonal(1.0, True, out_axis=1, in_axis=0, groups=groups)
    transposed = law.draw(KEY, (2 * groups, 6 // groups, 3, 4))
    back = [block.swapaxes(0, 1) for block in np.split(transposed, groups)]
    assert np.array_equal(np.concatenate(back), plain)
    assert all(found.ok for found in law.invariants(transposed))


def circular(x: np.ndarray, kernel: np.ndarray, groups: int = 1) -> np.ndarray:
    """The correlation of x (batch, in, height, width) with a kernel over a torus, by our own
    convolution.
    """
    before, after = zip(
        *(((k - 1) // 2, k - 1 - (k - 1) // 2) for k in kernel.shape[2:]), strict=True
    )
    wrapped = np.pad(x, [(0, 0), (0, 0), *zip(before, after, strict=True)], mode="wrap")
    arguments = {
        "kernel": kernel.shape[2:],
        "num_filter": kernel.shape[0],
        "num_group": groups,
        "no_bias": True,
    }
    return nd.Convolution(
        nd.array(wrapped, dtype="float64"), nd.array(kernel, dtype="float64"), **arguments
    ).asnumpy()


@pytest.mark.parametrize(
    ("shape", "groups"),
    [((8, 8, 3, 3), 1), ((8, 5, 4, 2), 1), ((8, 2, 3, 5), 4), ((6, 1, 3, 3), 6)],
)
def test_a_circular_convolution_keeps_the_length_of_its_input(shape, groups):
    x = np.random.default_rng(0).standard_normal((4, shape[1] * groups, 7, 6))
    length = np.sqrt((x**2).sum(axis=(1, 2, 3)))
    y = circular(x, laws.DeltaOrthogonal(1.0, groups=groups).draw(KEY, shape, "float64"), groups)
    assert np.sqrt((y**2).sum(axis=(1, 2, 3))) == pytest.approx(length, rel=1e-12)
    other = circular(x, laws.Haar(1.0).draw(KEY, shape, "float64"), groups)
    assert np.abs(np.sqrt((other**2).sum(axis=(1, 2, 3))) / length - 1).max() > 0.01


def test_a_transposed_convolution_keeps_the_length_of_its_input():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 5))
    kernel = laws.DeltaOrthogonal(1.0, out_axis=1, in_axis=0).draw(KEY, (3, 4, 3, 3), "float64")
    y = nd.Deconvolution(
        nd.array(x, dtype="float64"),
        nd.array(kernel, dtype="float64"),
        kernel=(3, 3),
        num_filter=4,
        no_bias=True,
    )
    assert (y.asnumpy() ** 2).sum() == pytest.approx((x**2).sum(), rel=1e-12)


def test_a_slice_is_cut_from_the_whole_and_draws_in_order_take_whole_tensors():
    law = laws.DeltaOrthogonal(1.0, True)
    whole = law.draw(KEY, (4, 3, 3)).reshape(-1)
    assert np.array_equal(law.draw(KEY, (4, 3, 3), start=5, stop=20), whole[5:20])
    assert not law.sliceable
    stream = Stream(KEY)
    first, second = law.draw_from(stream, (4, 3, 3)), law.draw_from(stream, (4, 3, 3))
    assert np.array_equal(first.reshape(-1), whole)
    assert not np.array_equal(first, second) and all(found.ok for found in law.invariants(second))


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.__setitem__((0, 0, 0, 0), 1e-30),
        lambda w: w.__imul__(np.float32(1.001)),
        lambda w: w.__setitem__((1, 1, 0, 2), np.nan),
        lambda w: w.__setitem__((1, 1, 1, 1), np.nan),
    ],
)
def test_the_invariants_fail_on_a_kernel_that_was_changed(change):
    law = laws.DeltaOrthogonal()
    values = law.draw(KEY, (4, 3, 3, 3))
    assert [found.ok for found in law.invariants(values)] == [True, True]
    change(values)
    assert not all(found.ok for found in law.invariants(values))


@pytest.mark.parametrize(
    ("law", "shape", "message"),
    [
        (
            laws.DeltaOrthogonal(),
            (2, 3, 3, 3),
            r"2 outputs cannot hold 3 inputs without loss of length - give the "
            "layer at least 3 outputs, or use `orthogonal` for it",
        ),
        (laws.DeltaOrthogonal(groups=2), (4, 3, 3), "2 outputs cannot hold 3 inputs of each group"),
        (laws.DeltaOrthogonal(groups=3), (4, 1, 3), "axis 0 does not divide into 3 groups"),
        (laws.DeltaOrthogonal(), (4, 0, 3), "an axis is empty"),
        (laws.DeltaOrthogonal(), (4,), "its channels are axes 0 and 1"),
    ],
)
def test_a_shape_that_cannot_keep_lengths_is_refused(law, shape, message):
    with pytest.raises(LawError, match=f"^a delta-orthogonal kernel cannot have shape .*{message}"):
        law.draw(KEY, shape)


@pytest.mark.parametrize(
    "options",
    [
        {"in_axis": 0},
        {"out_axis": -1},
        {"groups": 0},
        {"groups": True},
        {"out_axis": 2, "groups": 2},
    ],
)
def test_axes_that_no_kernel_has_are_refused(options):
    with pytest.raises(LawError, match="^delta orthogonal: no kernel has out_axis"):
        laws.DeltaOrthogonal(**options)


def test_centre_taps_follow_the_haar_measure():
    n, count = 3, 2000
    kernel = laws.DeltaOrthogonal(groups=count).draw(KEY, (n * count, n, 1))
    traces = np.trace(kernel.astype(np.float64).reshape(count, n, n), axis1=1, axis2=2)
    assert abs(np.mean(traces)) < 5 / np.sqrt(count)
    assert abs(np.mean(np.square(traces)) - 1) < 5 * np.sqrt(2 / count)
