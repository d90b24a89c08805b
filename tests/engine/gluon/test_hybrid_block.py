"""Hybrid blocks: their inputs, and the shapes of their parameters."""

from __future__ import annotations

import pytest

from initlab.engine import cpu, init, nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import HybridBlock, nn, rnn
from initlab.engine.gluon.shapes import inferred


def test_an_input_that_does_not_fit_is_logged_and_leaves_the_layer_pending(caplog):
    net = nn.Dense(2)
    net.initialize()
    net.weight.set_data(nd.ones((2, 4)))
    with pytest.raises(
        ValueError,
        match=r"Deferred initialization failed because shape cannot be inferred. .* Shape inconsistent",
    ):
        net(nd.ones((1, 5)))
    assert caplog.messages == ["infer_shape error. Arguments:\n  data: (1, 5)"]
    assert net(nd.ones((1, 4))).tolist() == [[4, 4]]


class Projection(HybridBlock):
    """A block whose parameter's shape MXNet cannot infer, since `dot` does not say it."""

    def __init__(self):
        super().__init__(prefix="p_")
        self.w = self.params.get("w", shape=(3, 0), allow_deferred_init=True)

    def hybrid_forward(self, F, x, w):
        return F.dot(x, w, transpose_b=True)


def test_a_users_block_whose_shapes_do_not_follow_is_told_what_to_do():
    block = Projection()
    block.initialize()
    with pytest.raises(
        ValueError,
        match=r"shape cannot be inferred. .* shape \(3, 0\) of 'p_w' is not known.* define infer_shape",
    ):
        block(nd.ones((1, 4)))


def test_a_users_infer_shape_receives_the_inputs_as_in_mxnet():
    seen = []

    class Inferred(Projection):
        def infer_shape(self, *inputs):
            seen.append(inputs)
            self.w.shape = (3, inputs[0].shape[1])

        def hybrid_forward(self, F, x, others, w):
            return F.dot(x, w, transpose_b=True)

    block = Inferred()
    block.initialize(init.One())
    x, others = nd.ones((1, 4)), [nd.ones((2,)), None]
    assert block(x, others).tolist() == [[4, 4, 4]]
    assert seen == [(x, others)]


def test_known_parameters_may_broadcast_while_others_are_inferred():
    class Scaled(HybridBlock):
        def __init__(self):
            super().__init__()
            self.w = self.params.get("w", shape=(3, 0), allow_deferred_init=True)
            self.s = self.params.get("s", shape=(1,), allow_deferred_init=True)

        def hybrid_forward(self, F, x, w, s):
            return F.FullyConnected(x * s, w, no_bias=True, num_hidden=3)

    block = Scaled()
    block.initialize(init.One())
    assert block(nd.ones((1, 4))).tolist() == [[4, 4, 4]]


@pytest.mark.parametrize(
    "inputs",
    [
        (nd.ones((2,)), None),
        (None, nd.ones((2,))),
        ([nd.ones((2,))], [[None, nd.ones((2,))]]),
        (3, nd.ones((2,))),
    ],
    ids=["None second", "None first", "nested", "a number first"],
)
def test_inputs_of_a_hybrid_block_may_be_none_nested_or_numbers(inputs):
    class Same(HybridBlock):
        def hybrid_forward(self, F, x, y):
            return x, y

    given = Same()(*inputs)
    assert all(one is other for one, other in zip(given, inputs, strict=True))


def test_the_device_of_the_inputs_is_current_in_hybrid_forward():
    class Here(HybridBlock):
        def hybrid_forward(self, F, x):
            return F.zeros((1,))

    assert Here()(nd.ones((1,), ctx=cpu(1))).context == cpu(1)


def test_output_shape_infers_without_arrays():
    class Sized(Projection):
        def output_shape(self, shape):
            self.w.shape = (3, shape[1])
            return shape[0], 3

    block = Sized()
    block.initialize(init.One())
    assert block(nd.ones((1, 4))).tolist() == [[4, 4, 4]]


def test_infer_shape_takes_arrays_and_sets_the_shapes_of_all_parameters():
    net = nn.HybridSequential(prefix="n_")
    with net.name_scope():
        net.add(nn.Dense(4), nn.BatchNorm(), nn.HybridLambda(lambda F, x: x * 2), nn.Dense(2))
    net.initialize()
    net.infer_shape(nd.ones((2, 3)))
    assert [tuple(p.shape) for p in net.collect_params().values()] == [
        *((4, 3), (4,)),
        *((4,), (4,), (4,), (4,)),
        *((2, 4), (2,)),
    ]
    with pytest.raises(TypeError, match="infer_shape takes the inputs, as arrays"):
        net.infer_shape((2, 3))
    with pytest.raises(MXNetError, match=r"Provided = \[4,3\], inferred shape=\(4,5\)"):
        net.infer_shape(nd.ones((2, 5)))
    layer = rnn.LSTM(4)
    layer.initialize()
    layer.infer_shape(nd.ones((5, 2, 3)), layer.begin_state(2))
    assert layer.l0_i2h_weight.shape == (16, 3)


def test_a_subclass_with_a_computation_of_its_own_has_no_inherited_output_shape():
    class Sum(nn.HybridSequential):
        def hybrid_forward(self, F, x):
            return F.add_n(*[block(x) for block in self._children.values()])

    net = Sum(prefix="sum_")
    net.add(nn.Dense(3), nn.Dense(3))
    with inferred(net, (2, 5)) as shape:
        assert shape == (2, 3)
        assert [tuple(layer.weight.shape) for layer in net] == [(3, 5), (3, 5)]
    assert [tuple(layer.weight.shape) for layer in net] == [(3, 0), (3, 0)]
    assert net.output_shape((2, 5)) == (2, 3)


def test_a_block_without_a_rule_is_called_once_on_zeros():
    class Pair(HybridBlock):
        def __init__(self):
            super().__init__(prefix="pair_")
            self.w = self.params.get("w", shape=(3, 0), allow_deferred_init=True)

        def hybrid_forward(self, F, x, w):
            y = F.FullyConnected(x, w, no_bias=True, num_hidden=3)
            return y, [y + x.sum()]

    net = nn.HybridSequential()
    net.add(nn.Dense(4), Pair())
    assert net.output_shape((2, 5)) == [(2, 3), [(2, 3)]]
    assert net[1].w.shape == (3, 4)
    with pytest.raises(
        MXNetError,
        match=r"block 'pair' \(Pair\) .* cannot be called on zeros.* define output_shape",
    ):
        Pair().output_shape((2, 5), (2, 5))


def test_it_is_found_where_mxnet_has_it():
    from initlab.engine.gluon import block  # where code for MXNet imports it

    assert block.HybridBlock is HybridBlock


class Sums(HybridBlock):
    def hybrid_forward(self, F, a, b=None):
        return a if b is None else (a + b, [a, b])


def test_a_hybridized_block_takes_other_arguments_and_keeps_the_form_of_its_outputs():
    block, x = Sums(), nd.ones((2,))
    block.hybridize()
    assert block(x) is not None
    total, parts = block(x, x)
    assert total.asnumpy().tolist() == [2, 2] and len(parts) == 2
    assert isinstance(block(x, x), tuple)


class Carrying(HybridBlock):
    """Changes the list of its states, and the first of them, in place."""

    def __init__(self):
        super().__init__()
        self.weight = self.params.get("weight", shape=(3, 0), init="ones", allow_deferred_init=True)

    def hybrid_forward(self, F, x, states, weight):
        states[0][:] = states[0] * 2
        states[1] = states[1] * 2 + F.FullyConnected(x, weight, no_bias=True, num_hidden=3)
        return states[1]


def test_inputs_that_a_block_changes_are_changed_once_in_its_first_call_too():
    block, states = Carrying(), [nd.ones((1, 3)), nd.ones((1, 3)) * 5]
    first = states[0]
    block.initialize()
    assert block(nd.ones((1, 2)), states).asnumpy().tolist() == [[12, 12, 12]]  # MXNet's
    assert states[1].asnumpy().tolist() == [[12, 12, 12]]
    assert first.asnumpy().tolist() == [[2, 2, 2]]
