"""The tape: modes, leaves, what is recorded, and what is refused."""

from __future__ import annotations

import pytest

from engine import autograd, cpu, nd
from engine.errors import MXNetError


def variable(*numbers: float) -> nd.NDArray:
    x = nd.array(numbers)
    x.attach_grad()
    return x


def test_modes_nest_and_are_restored():
    seen = []
    with autograd.record():
        seen.append((autograd.is_recording(), autograd.is_training()))
        with autograd.pause():
            seen.append((autograd.is_recording(), autograd.is_training()))
            with autograd.train_mode():
                seen.append((autograd.is_recording(), autograd.is_training()))
        with autograd.predict_mode():
            seen.append((autograd.is_recording(), autograd.is_training()))
    assert seen == [(True, True), (False, False), (False, True), (True, False)]
    assert not autograd.is_recording() and not autograd.is_training()


def test_modes_are_restored_after_an_exception():
    with pytest.raises(ZeroDivisionError), autograd.record():
        raise ZeroDivisionError
    assert not autograd.is_recording()


def test_a_variable_used_twice_gets_the_sum():
    x = variable(1, 2)
    with autograd.record():
        y = x * x + x
    y.backward()
    assert x.grad.asnumpy().tolist() == [3, 5]


def test_write_overwrites_add_adds_and_null_keeps_nothing():
    for grad_req, expected in (("write", [2, 2]), ("add", [4, 4])):
        x = nd.ones((2,))
        x.attach_grad(grad_req)
        for _ in range(2):
            with autograd.record():
                y = 2 * x
            y.backward()
        assert x.grad.asnumpy().tolist() == expected
    x.attach_grad("null")
    with autograd.record():
        y = 2 * x
    with pytest.raises(MXNetError, match="Cannot differentiate node because it is not in a computational graph"):
        y.backward()


def test_a_graph_is_used_up_unless_it_is_retained():
    x = variable(1, 2, 3)
    with autograd.record():
        y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.asnumpy().tolist() == [2, 4, 6]
    with pytest.raises(MXNetError, match="retain_graph=True"):
        y.backward()


def test_head_gradients_scale_and_must_fit_in_number():
    x = variable(1, 2)
    with autograd.record():
        y, z = 2 * x, 3 * x
    with pytest.raises(AssertionError, match="heads and head_grads must be lists of the same length"):
        autograd.backward([y, z], [nd.ones((2,))])
    autograd.backward([y, z], [nd.array([10, 100]), None])
    assert x.grad.asnumpy().tolist() == [23, 203]


def test_detach_and_block_grad_and_pause_stop_gradients():
    x = variable(1, 2)
    with autograd.record():
        with autograd.pause():
            outside = x * 100
        y = x * x.detach() + nd.BlockGrad(x * 5) + outside + x
    y.backward()
    assert x.grad.asnumpy().tolist() == [2, 3]


def test_grad_leaves_the_variables_gradients_alone():
    x = variable(1, 2)
    with autograd.record():
        y = x * x
    assert [g.asnumpy().tolist() for g in autograd.grad(y, [x])] == [[2, 4]]
    assert x.grad.asnumpy().tolist() == [0, 0]
    with autograd.record():
        y = x * x
    with pytest.raises(MXNetError, match="with respect to the 1-th variable because it does not require gradient"):
        autograd.grad(y, [nd.ones((2,))])
    with autograd.record():
        y = x * x
    with pytest.raises(MXNetError, match="create_graph=True is not supported"):
        autograd.grad(y, [x], create_graph=True)


def test_writing_in_place_to_what_is_recorded_is_refused_and_outside_allowed():
    x = variable(1, 2)
    with autograd.record():
        y = x * 2
        for write in (lambda: x.__iadd__(1), lambda: y.__setitem__(0, 3)):
            with pytest.raises(MXNetError, match="Assigning to NDArrays that are already in a computational graph"):
                write()
    x += 1
    assert x.asnumpy().tolist() == [2, 3]


def test_a_comparison_on_the_way_takes_no_gradient_and_stops_none():
    x = variable(-2, 3)
    with autograd.record():
        y = nd.where(x > 0, x * x, x) * (x < 10)
    y.backward()
    assert x.grad.asnumpy().tolist() == [1, 6]


def test_nothing_is_recorded_outside_record():
    x = variable(1, 2)
    with pytest.raises(MXNetError, match="not in a computational graph"):
        (x * x).backward()


def test_mark_variables_sends_gradients_where_they_are_wanted():
    x, gradient = nd.ones((2,)), nd.zeros((2,))
    autograd.mark_variables(x, gradient)
    with autograd.record():
        y = x * 7
    y.backward()
    assert gradient.asnumpy().tolist() == [7, 7]


def test_a_long_chain_needs_no_deep_recursion():
    x = variable(1)
    with autograd.record():
        y = x
        for _ in range(5000):
            y = y + 1
    y.backward()
    assert x.grad.asnumpy().tolist() == [1]


def test_arrays_on_two_devices_do_not_mix():
    with pytest.raises(MXNetError, match=r"add: inputs live on cpu\(0\) and cpu\(1\) - copy one of them first"):
        nd.ones((2,)) + nd.ones((2,), ctx=cpu(1))
