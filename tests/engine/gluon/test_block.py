"""Blocks: structure, hooks, gradients through shared parameters, and what is refused."""

from __future__ import annotations

import pytest

from initlab.engine import autograd, gluon, init, nd, streams
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import Constant, HybridBlock, Parameter, nn
from initlab.engine.gluon.block import _flatten


class Scaled(HybridBlock):
    """A block with a parameter, a constant and a child."""

    def __init__(self):
        super().__init__(prefix="scaled_")
        with self.name_scope():
            self.scale = self.params.get("scale", shape=(2,), init="ones")
            self.offset = self.params.get_constant("offset", [1.0, 2.0])
            self.dense = nn.Dense(2, use_bias=False)

    def hybrid_forward(self, F, x, scale, offset):
        return F.broadcast_add(F.broadcast_mul(self.dense(x), scale), offset)


def test_own_parameters_come_before_childrens_in_paths_and_full_names():
    block = Scaled()
    assert list(block.structural_params()) == ["scale", "offset", "dense.weight"]
    assert list(block.collect_params().keys()) == [
        "scaled_scale",
        "scaled_offset",
        "scaled_dense0_weight",
    ]


def test_a_hybrid_block_is_given_its_parameters_and_constants_as_arrays():
    block = Scaled()
    block.initialize(init.One())
    x = nd.array([[1.0, 2.0, 3.0]])
    with autograd.record():
        y = block(x)
    y.backward()
    assert y.tolist() == [[7, 8]]
    assert block.scale.grad().tolist() == [6, 6]
    assert isinstance(block.offset, Constant)
    with pytest.raises(
        RuntimeError,
        match="Cannot get gradient array for Parameter 'scaled_offset' because grad_req='null'",
    ):
        block.offset.grad()


def test_gradients_of_a_shared_parameter_are_summed_over_its_uses():
    shared = nn.Dense(2, in_units=2, use_bias=False, weight_initializer="ones")
    net = nn.Sequential()
    net.add(shared, nn.Dense(2, in_units=2, use_bias=False, params=shared.params), shared)
    net.initialize()
    with autograd.record():
        y = net(nd.array([[1.0, 2.0]])).sum()
    y.backward()
    first, second, third = [[4, 8]] * 2, [[6, 6]] * 2, [[6, 6]] * 2
    total = [
        [a + b + c for a, b, c in zip(*rows, strict=True)]
        for rows in zip(first, second, third, strict=True)
    ]
    assert shared.weight.grad().tolist() == total
    assert len(net.collect_params().keys()) == 1


def test_grad_req_add_keeps_adding_until_the_gradients_are_zeroed():
    net = nn.Dense(1, in_units=2, use_bias=False)
    net.initialize()
    net.collect_params().setattr("grad_req", "add")
    for _ in range(3):
        with autograd.record():
            y = net(nd.array([[1.0, 2.0]]))
        y.backward()
    assert net.weight.grad().tolist() == [[3, 6]]
    net.zero_grad()
    assert net.weight.grad().tolist() == [[0, 0]]


def test_hooks_see_inputs_and_output_until_they_are_detached():
    net = nn.Dense(1, in_units=2)
    net.initialize()
    seen = []
    before = net.register_forward_pre_hook(
        lambda block, inputs: seen.append(("before", inputs[0].shape))
    )
    with net.register_forward_hook(
        lambda block, inputs, output: seen.append(("after", output.shape))
    ):
        net(nd.ones((3, 2)))
    before.detach()
    before.detach()
    net(nd.ones((3, 2)))
    assert seen == [("before", (3, 2)), ("after", (3, 1))]


def test_a_block_collected_by_a_regular_expression_keeps_its_paths():
    one, two = (
        nn.Dense(3, in_units=4, prefix="d_", weight_initializer=init.Normal(1)) for _ in range(2)
    )
    streams.seed(0)
    one.initialize()
    streams.seed(0)
    two.collect_params(".*weight").initialize()
    assert one.weight.data().tolist() == two.weight.data().tolist()
    assert [str(place) for place in two.collect_params(".*weight").paths.values()] == ["d_/weight"]


@pytest.mark.parametrize("name", ["", "a.b"])
def test_a_childs_name_that_would_blur_paths_is_refused(name):
    net = nn.Sequential()
    with pytest.raises(
        ValueError,
        match=r"Sequential: a child's name is text without '.', which separates names in paths, got",
    ):
        net.register_child(nn.Dense(1), name)
    assert len(net) == 0


def test_layers_given_to_a_container_at_construction_are_refused():
    with pytest.raises(
        TypeError,
        match=r"Sequential: prefix must be text, got Dense\(None -> 1, linear\) - blocks are added .* by add",
    ):
        nn.Sequential(nn.Dense(1))


def test_an_unknown_source_of_the_dtype_is_refused():
    parameter = Parameter("w", shape=(1,))
    with pytest.raises(ValueError, match="dtype_source must be one of 'current' or 'saved'"):
        parameter._load_init(nd.ones((1,)), None, dtype_source="other")


# --- where an error happened
# --------------------------------------------------------------------------------------------------------


class Named(gluon.Block):
    """Children as attributes, called in an order of its own."""

    def __init__(self):
        super().__init__()
        self.body = nn.HybridSequential()
        self.body.add(nn.Dense(3), nn.Dense(4, in_units=7))

    def forward(self, x):
        return self.body(x)


def test_an_error_says_in_which_layer_it_happened():
    net = nn.Sequential()
    net.add(nn.Dense(5), Named())
    net.initialize()
    with pytest.raises(MXNetError) as caught:
        net(nd.ones((2, 6)))
    assert caught.value.path == "1.body.1"
    assert "Provided = [4,7], inferred shape=(4,3)" in str(caught.value)
    assert caught.value.__notes__ == ["in layer '1.body.1' (Dense), which was given (2, 3)"]


def test_a_deferred_initialization_that_fails_says_where():
    net = nn.HybridSequential()
    inner = nn.HybridSequential()
    inner.add(nn.Conv2D(2, 3))
    net.add(nn.Dense(4), inner)
    net.initialize()
    with pytest.raises(ValueError, match="shape cannot be inferred") as caught:
        net(nd.ones((2, 5)))
    assert type(caught.value) is ValueError
    assert caught.value.__notes__ == ["in layer '1.0' (Conv2D), which was given (2, 4)"]


def test_other_errors_are_left_as_they_are():
    class Broken(gluon.Block):
        def forward(self, x):
            raise ZeroDivisionError("mine")

    net = nn.Sequential()
    net.add(Broken())
    with pytest.raises(ZeroDivisionError, match="^mine$"):
        net(nd.ones((1,)))


def test_what_the_array_library_refuses_names_operation_and_shapes():
    with pytest.raises(MXNetError, match=r"replace of \(3, 2\) and \(2, 3\)"):
        nd.contrib.index_copy(nd.zeros((3, 2)), nd.array([0, 1]), nd.ones((2, 3)))
    with pytest.raises(MXNetError, match=r"Provided = \[5\], inferred shape=\[2\]"):
        gluon.loss.SoftmaxCELoss()(nd.ones((2, 3)), nd.ones((5,)))


def test_an_error_in_a_layer_of_no_network_has_the_layers_own_name():
    layer = nn.Dense(2, in_units=5, prefix="head_")
    layer.initialize()
    with pytest.raises(MXNetError) as caught:
        layer(nd.ones((1, 3)))
    said = "MXNetError: Shape inconsistent, Provided = [2,5], inferred shape=(2,3)"
    assert str(caught.value) == said
    assert caught.value.__notes__ == ["in layer 'head' (Dense), which was given (1, 3)"]


def test_pythons_own_errors_name_their_layer_too():
    class Stretch(nn.HybridSequential):
        def hybrid_forward(self, F, x):
            return x.broadcast_to((3, 3))

    net = nn.HybridSequential()
    net.add(nn.Flatten(), Stretch())
    with pytest.raises(ValueError, match="remapped shapes") as caught:
        net(nd.ones((2, 2)))
    assert caught.value.__notes__ == ["in layer '1' (Stretch), which was given (2, 2)"]


def test_flatten_gives_arrays_and_their_form():
    x = nd.ones((1,))
    arrays, form = _flatten([x, [None, (x,)]], "input")
    assert (len(arrays), form) == (3, [0, [-1, [0]]])
    assert arrays[0] is x and arrays[1] is None
    assert _flatten(x, "input") == ([x], 0)
    with pytest.raises(ValueError, match="HybridBlock output must be .* but got 3 of type"):
        _flatten([3], "output")
