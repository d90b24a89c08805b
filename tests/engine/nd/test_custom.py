"""Operators written in Python: values, gradients and states are those of MXNet 1.9.1."""

from __future__ import annotations

import pytest

import initlab.engine as mx
from initlab.engine import MXNetError, autograd, gluon, nd


class Product(mx.operator.CustomOp):
    def __init__(self, factor):
        self.factor = factor

    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], in_data[0] * in_data[1])
        self.assign(out_data[1], req[1], aux[0] + float(is_train))
        aux[0][:] += 1

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], out_grad[0] * in_data[1] * self.factor)
        self.assign(in_grad[1], "add", out_grad[0] * 10)


@mx.operator.register("product")
class ProductProp(mx.operator.CustomOpProp):
    def __init__(self, factor, flag=False):
        super().__init__(need_top_grad=True)
        self.options = factor, flag

    def list_arguments(self):
        return ["a", "b"]

    def list_outputs(self):
        return ["x", "y"]

    def list_auxiliary_states(self):
        return ["calls"]

    def infer_shape(self, in_shape):
        return in_shape, [in_shape[0], [1]], [[1]]

    def create_operator(self, ctx, in_shapes, in_dtypes):
        assert isinstance(self.options[0], str)
        return Product(float(self.options[0]))


def test_values_gradients_and_states():
    a, b, calls = nd.array([1.0, 2]), nd.array([3.0, 4]), nd.zeros(1)
    a.attach_grad()
    b.attach_grad()
    with autograd.record():
        y, z = nd.Custom(a, b, calls, op_type="product", factor=2, flag=True, name="p")
        total = (y * y).sum()
    total.backward()
    assert (y.tolist(), z.tolist(), calls.tolist()) == ([3, 8], [1], [1])
    assert (a.grad.tolist(), b.grad.tolist()) == ([36, 128], [60, 160])


def test_it_is_part_of_a_network():
    class Net(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.dense = gluon.nn.Dense(2, in_units=2)
                self.calls = self.params.get("calls", shape=(1,), init="zeros", grad_req="null")

        def hybrid_forward(self, F, x, calls):
            return F.Custom(self.dense(x), x, calls, op_type="product", factor=1)[0]

    net = Net()
    net.initialize(mx.init.One())
    with autograd.record():
        total = net(nd.array([[1.0, 2]])).sum()
    total.backward()
    assert total.asscalar() == 9
    assert net.dense.weight.grad().tolist() == [[1, 2], [2, 4]]


def test_the_default_description_has_one_output_like_its_input():
    class Double(mx.operator.CustomOp):
        def forward(self, is_train, req, in_data, out_data, aux):
            self.assign(out_data[0], req[0], 2 * in_data[0])

    @mx.operator.register("double")
    class DoubleProp(mx.operator.CustomOpProp):
        def create_operator(self, ctx, in_shapes, in_dtypes):
            return Double()

    made = nd.Custom(nd.array([1, 2], dtype="float16"), op_type="double")
    assert (made.tolist(), made.dtype) == ([2, 4], nd.ones(1, dtype="float16").dtype)


def test_an_unknown_name_and_a_missing_array_are_one_error():
    with pytest.raises(MXNetError, match="as 'produkt' - did you mean product"):
        nd.Custom(nd.ones(1), op_type="produkt")
    with pytest.raises(MXNetError, match="product takes the arrays a, b, calls, got 1 by position"):
        nd.Custom(nd.ones(1), op_type="product", factor=1)
    with pytest.raises(TypeError, match="not derived from CustomOpProp"):
        mx.operator.register("x")(int)
