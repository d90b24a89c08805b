"""The tape: modes, leaves, what is recorded, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from op_cases import CASES

from initlab.engine import autograd, cpu, gluon, init, nd
from initlab.engine.errors import MXNetError


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
    with pytest.raises(
        MXNetError, match="Cannot differentiate node because it is not in a computational graph"
    ):
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
    with pytest.raises(
        AssertionError, match="heads and head_grads must be lists of the same length"
    ):
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
    with pytest.raises(
        MXNetError, match="with respect to the 1-th variable because it does not require gradient"
    ):
        autograd.grad(y, [nd.ones((2,))])


def test_writing_in_place_to_what_is_recorded_is_refused_and_outside_allowed():
    x = variable(1, 2)
    with autograd.record():
        y = x * 2
        for write in (lambda: x.__iadd__(1), lambda: y.__setitem__(0, 3)):
            with pytest.raises(
                MXNetError, match="Assigning to NDArrays that are already in a computational graph"
            ):
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
    with pytest.raises(
        MXNetError, match=r"add: inputs live on cpu\(0\) and cpu\(1\) - copy one of them first"
    ):
        nd.ones((2,)) + nd.ones((2,), ctx=cpu(1))


def test_gradients_of_any_order():
    x = nd.array([0.3, 2.0], dtype="float64")
    x.attach_grad()
    with autograd.record():
        value = x**5
        for _ in range(3):
            [value] = autograd.grad(value, x, create_graph=True)
    assert value.asnumpy() == pytest.approx(60 * x.asnumpy() ** 2)
    value.backward()
    assert x.grad.asnumpy() == pytest.approx(120 * x.asnumpy())


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_gradient_by_a_single_variable_is_a_list_of_one_as_in_mxnet(create_graph):
    x = variable(1, 2, 3)
    with autograd.record():
        found = autograd.grad(x * x, x, create_graph=create_graph)
    assert isinstance(found, list)
    assert found[0].asnumpy().tolist() == [2, 4, 6]


def test_create_graph_keeps_the_graph_and_the_variables_gradients():
    x = variable(3)
    with autograd.record():
        y = x * x * x
        [g] = autograd.grad(y, x, create_graph=True)
        assert x.grad.asnumpy().tolist() == [0]
    y.backward(retain_graph=True)
    assert x.grad.asnumpy().tolist() == [27]
    g.backward()
    assert x.grad.asnumpy().tolist() == [18]


def test_a_gradient_can_be_given_for_the_head_and_is_differentiated_too():
    x, v = variable(2, 3), variable(1, 10)
    with autograd.record():
        y = x * x
        [g] = autograd.grad(y, x, v, create_graph=True)
    g.backward()
    assert v.grad.asnumpy().tolist() == [4, 6]
    assert x.grad.asnumpy().tolist() == [2, 20]


def test_a_gradient_penalty_trains_a_convolutional_network():
    """The derivative of |d loss / d input|^2 by a weight, against finite differences."""
    net = gluon.nn.HybridSequential()
    net.add(
        gluon.nn.Conv2D(3, 3, activation="tanh"),
        gluon.nn.BatchNorm(),
        gluon.nn.MaxPool2D(),
        gluon.nn.Dense(2),
    )
    net.initialize(init.Normal(0.5))
    x = nd.array(np.random.default_rng(0).normal(size=(2, 1, 6, 6)), dtype="float64")
    net(x.astype("float32"))
    net.cast("float64")
    weight = net[0].weight

    def penalty(create_graph):
        x.attach_grad()
        with autograd.record():
            loss = gluon.loss.SoftmaxCrossEntropyLoss()(net(x), nd.array([0, 1]))
            return (autograd.grad(loss, x, create_graph=create_graph)[0] ** 2).sum()

    penalty(True).backward()
    exact = weight.grad().asnumpy()[0, 0, 0, 1]
    start = weight.data().copy()
    both = []
    for step in (1e-5, -1e-5):
        moved = start.copy()
        moved[0, 0, 0, 1] = moved[0, 0, 0, 1].asscalar() + step
        weight.set_data(moved)
        both.append(penalty(False).asscalar())
    assert exact == pytest.approx((both[0] - both[1]) / 2e-5, rel=1e-4)


class Sigmoid(autograd.Function):
    def forward(self, x):
        y = 1 / (1 + nd.exp(-x))
        self.save_for_backward(y)
        return y

    def backward(self, dy):
        (y,) = self.saved_tensors
        return dy * y * (1 - y)


def test_a_function_has_its_own_gradient():
    x = variable(0, 1)
    with autograd.record():
        y = Sigmoid()(x) * 2
    y.backward()
    s = 1 / (1 + np.exp(-x.asnumpy()))
    assert x.grad.asnumpy() == pytest.approx(2 * s * (1 - s))


def test_a_functions_gradient_can_be_differentiated():
    x = variable(0.5)
    with autograd.record():
        [g] = autograd.grad(Sigmoid()(x), x, create_graph=True)
    g.backward()
    s = 1 / (1 + np.exp(-x.asnumpy()))
    assert x.grad.asnumpy() == pytest.approx(s * (1 - s) * (1 - 2 * s))


class Swap(autograd.Function):
    """(a, b) -> (2b, a): two results, of which one may go unused."""

    def forward(self, a, b):
        return b * 2, a

    def backward(self, da, db):
        return db, da * 2


def test_a_function_may_have_several_results():
    a, b = variable(1), variable(10)
    with autograd.record():
        p, q = Swap()(a, b)
        y = p * 3 + q * 5
    y.backward()
    assert (p.asscalar(), q.asscalar()) == (20, 1)
    assert (a.grad.asscalar(), b.grad.asscalar()) == (5, 6)
    with autograd.record():
        y = Swap()(a, b)[0] * 3
    y.backward()
    assert (a.grad.asscalar(), b.grad.asscalar()) == (0, 6)


def test_a_functions_mistakes_are_named():
    class Short(autograd.Function):
        def forward(self, a, b):
            return a + b

        def backward(self, g):
            return g

    class Bare(Short):
        def backward(self, g):
            return 1.0, 2.0

    class Wide(Short):
        def backward(self, g):
            return g, nd.ones((3,))

    for cls, said in (
        (Short, "Short.backward must return exactly the same number .* Expecting 2 got 1"),
        (Bare, "Bare.backward must return NDArrays, not <class 'float'>"),
        (Wide, r"Wide.backward gives a gradient of shape \(3,\) for an input of shape \(1,\)"),
    ):
        a, b = variable(1), variable(2)
        with autograd.record():
            y = cls()(a, b)
        with pytest.raises(MXNetError, match=said):
            y.backward()
    used = Sigmoid()
    used(variable(1))
    with pytest.raises(AssertionError, match="can only be called once"):
        used(variable(1))


def test_a_function_outside_record_only_computes():
    y = Sigmoid()(variable(0))
    assert y.asscalar() == 0.5
    with pytest.raises(MXNetError, match="not in a computational graph"):
        y.backward()


def test_no_variables_are_an_error():
    with pytest.raises(AssertionError, match="variables cannot be an empty list"):
        autograd.grad(variable(1), [])


def test_every_case_of_a_primitive_is_one_of_a_primitive_that_there_is():
    assert set(CASES) <= set(autograd.PRIMITIVES)


def test_what_a_backward_pass_consumed_is_a_constant_afterwards():
    w, state, seen = variable(3), nd.array([1.0]), []
    for _ in range(3):
        with autograd.record():
            state = state * w
        state.backward()
        seen.append(w.grad.asscalar())
    assert seen == [1, 3, 9]


def test_so_is_what_was_computed_only_from_that():
    w, v = variable(3), variable(1, 2)
    with autograd.record():
        first, second = nd.split(v * w, num_outputs=2, axis=0)
        loss = first * 2
    loss.backward()
    with autograd.record():
        later = second * w
    later.backward()
    assert (w.grad.asscalar(), v.grad.tolist()) == (6, [6, 0])


def test_a_graph_consumed_in_part_is_refused():
    w, v = variable(3), variable(5)
    with autograd.record():
        trunk = w * 2
        one, other = trunk * 3, trunk * v
    one.backward()
    for again in (other, nd.concat(other, one, dim=0)):
        with pytest.raises(MXNetError, match="retain_graph=True"):
            again.backward()
    with autograd.record():
        later = other * w
    with pytest.raises(MXNetError, match="retain_graph=True"):
        later.backward()


def test_a_consumed_graph_is_freed():
    w, state, steps = variable(3), nd.array([1.0]), []
    for _ in range(3):
        with autograd.record():
            state = state * w
        state.backward()
        steps.append(state)
    assert all(not step._node.parents and not step._node.args for step in steps)


def test_a_pass_frees_each_step_once_it_is_done(monkeypatch):
    x, found = variable(1, 2), []
    with autograd.record():
        y = (x * 2).sum()
    head = y._node
    receive = x._node.receive
    monkeypatch.setattr(x._node, "receive", lambda g: (found.append(head.vjp), receive(g)))
    y.backward()
    assert found == [None] and x.grad.asnumpy().tolist() == [2, 2]


def test_a_graph_may_use_a_stored_gradient_that_the_pass_overwrites():
    x, v = variable(2, 3), variable(5, 7)
    with autograd.record():
        y = (x * x).sum()
    y.backward()
    with autograd.record():
        y = (x.grad * v).reshape((2,)) * x
    y.backward()
    assert v.grad.asnumpy().tolist() == [4 * 2, 6 * 3]  # x.grad was 2 x
    assert x.grad.asnumpy().tolist() == [4 * 5, 6 * 7]


def test_a_stored_gradient_may_be_the_gradient_of_the_head():
    x, v = variable(2, 3), variable(5, 7)
    x.grad[:] = nd.array([10.0, 20.0])
    with autograd.record():
        y = x * 2 + v * 1
    y.backward(x.grad)
    assert x.grad.asnumpy().tolist() == [20, 40]
    assert v.grad.asnumpy().tolist() == [10, 20]


def test_a_consumed_array_may_be_written_while_recording():
    w = variable(3)
    with autograd.record():
        y = w * 2
    y.backward()
    with autograd.record():
        y += 1
    assert y.tolist() == [7]


def test_inner_gradients_are_given_as_soon_as_they_are_known_and_each_once():
    w, v = nd.array([[1.0, 2.0]]), nd.array([[3.0], [4.0]])
    for one in (w, v):
        one.attach_grad()
    with autograd.record():
        h = w * 2
        y = nd.dot(h, v) + w.sum()
    told = []
    autograd.receive_inner_gradients(
        y, [w, h, v, h], lambda number, gradient: told.append((number, gradient.asnumpy().tolist()))
    )
    assert [number for number, _ in told] in ([2, 1, 3, 0], [1, 3, 2, 0], [2, 3, 1, 0])
    assert dict(told)[1] == dict(told)[3] == [[3.0, 4.0]]
    assert dict(told)[0] == [[7.0, 9.0]] and dict(told)[2] == [[2.0], [4.0]]
    assert (w.grad.asnumpy() == 0).all(), "variables get no gradients"


def test_modes_are_as_before_however_the_work_ended():
    with pytest.raises(KeyError), autograd.kept():
        autograd.set_recording(True)
        autograd.set_training(True)
        autograd.without_dropout().__enter__()
        raise KeyError
    assert (autograd.is_recording(), autograd.is_training()) == (False, False)
    with autograd.train_mode():
        assert autograd.is_dropping()
