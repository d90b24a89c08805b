"""`nd.contrib`: control flow, masks and comparisons; the rest is in the recorded vectors."""

from __future__ import annotations

import nd_checks
import pytest

from initlab.engine import autograd, nd
from initlab.engine.errors import MXNetError


def test_foreach_runs_over_the_first_axis_with_states_and_gradients():
    x = nd.array([[1.0, 2.0], [3.0, 4.0]])
    x.attach_grad()
    with autograd.record():
        rows, total = nd.contrib.foreach(
            lambda row, state: (row + state, row + state), x, nd.zeros((2,))
        )
        y = rows.sum()
    y.backward()
    assert rows.tolist() == [[1, 2], [4, 6]]
    assert total.tolist() == [4, 6]
    assert x.grad.tolist() == [[2, 2], [1, 1]]
    outs, states = nd.contrib.foreach(
        lambda d, s: ([d[0], d[1] * 2], [s[0] + 1]), [x, x], [nd.zeros((1,))]
    )
    assert [o.shape for o in outs] == [(2, 2), (2, 2)]
    assert states[0].tolist() == [2]


def test_while_loop_stops_by_its_condition_and_pads_with_zeros():
    def step(i, total):
        return [i + total], [i + 1, total + i]

    outputs, (i, total) = nd.contrib.while_loop(
        lambda i, total: i <= 3, step, [nd.array([1.0]), nd.array([0.0])], max_iterations=5
    )
    assert outputs[0].tolist() == [[1], [3], [6], [0], [0]]
    assert (i.asscalar(), total.asscalar()) == (4, 6)
    with pytest.raises(ValueError, match="max_iterations should be specified"):
        nd.contrib.while_loop(lambda i: i, step, nd.array([1.0]))
    with pytest.raises(ValueError, match="loop_vars should contain at least one element"):
        nd.contrib.while_loop(lambda: 1, step, [], max_iterations=1)


def test_cond_takes_one_of_two_ways():
    for value, expected in ((1, 3), (0, 4)):
        assert (
            nd.contrib.cond(
                nd.array([value]), lambda: nd.array([3]), lambda: nd.array([4])
            ).asscalar()
            == expected
        )


def test_allclose_says_one_or_zero():
    a = nd.array([1.0, float("nan")])
    assert nd.contrib.allclose(a, a + 1e-9).tolist() == [1]
    assert nd.contrib.allclose(a, a, equal_nan=False).tolist() == [0]


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(MXNetError, match=r"the mask must have shape \(2,\) for axis 0, got \(3,\)"):
        nd.contrib.boolean_mask(nd.zeros((2, 3)), nd.ones((3,)))
    assert nd.contrib.boolean_mask(nd.zeros((2, 3)), nd.array([1, 0, 1]), axis=1).shape == (2, 2)
    with pytest.raises(AssertionError, match="Argument data must have NDArray type"):
        nd.contrib.isnan(3)


def test_a_function_gives_what_mxnet_gave(number):
    nd_checks.check_recorded(number)


def test_a_function_stays_on_its_device(number):
    nd_checks.check_stays_on_its_device(number)


def test_a_function_runs_on_what_cupy_has(number):
    nd_checks.check_on_what_cupy_has(number)


def test_loops_return_outputs_and_variables_in_the_form_they_were_given():
    def run(step, variables):
        return nd.contrib.while_loop(lambda i: i < 2, step, variables, max_iterations=3)

    zero = nd.array([0.0])
    outputs, i = run(lambda i: (i, i + 1), zero)
    assert (outputs.tolist(), i.tolist()) == ([[0], [1], [0]], [2])
    outputs, (i,) = run(lambda i: ([i], [i + 1]), [zero])
    assert (outputs[0].tolist(), i.tolist()) == ([[0], [1], [0]], [2])
    assert run(lambda i: (None, [i + 1]), [zero])[0] == []
    whole, _ = nd.contrib.foreach(lambda x, s: ((x, [x, x + s]), s), nd.ones((3, 2)), zero)
    assert [whole[0].shape, whole[1][0].shape, whole[1][1].tolist()[0]] == [(3, 2), (3, 2), [1, 1]]
