"""Gluon's protocol around laws: names, endings, custom initializers, the registry."""

import logging
from dataclasses import dataclass

import numpy as np
import pytest

from initlab.engine import init, initializer, laws, nd, registry, streams
from initlab.engine.errors import StreamError
from initlab.engine.gluon import nn
from initlab.engine.init import Description
from initlab.engine.init.base import KINDS, REGISTRY
from initlab.engine.streams import Key, Stream

EVERY = [
    init.Zero(),
    init.One(),
    init.Constant(3),
    init.Uniform(),
    init.Normal(),
    init.TruncatedNormal(),
    init.VarianceScaling(),
    init.Xavier(),
    init.MSRAPrelu(),
    init.He(),
    init.Lecun(),
    init.Haar(),
    init.Haar(exact=True),
    init.Orthogonal(),
    init.Identity(),
    init.LSTMBias(),
    init.ResidualScaled(layers=12),
    init.DeltaOrthogonal(exact=True),
]
KEY = Key(11, "0.weight", 2)


def ident(made):
    return made.dumps()


@pytest.fixture
def registering():
    """Undo registrations."""
    tables = [(table, table.entries()) for table in (REGISTRY, KINDS)]
    yield
    for table, before in tables:
        for name in set(table.entries()) - set(before):
            table.remove(name)
        for name, klass in before.items():
            table.add(name, klass)


def fill(made, shape=(4, 6), dtype="float32", key=KEY):
    array = nd.zeros(shape, dtype=dtype)
    with streams.scope(Stream(key)):
        init.Uniform()(init.InitDesc("w", {"__init__": made}), array)
    return array.asnumpy()


class Doubled(init.Normal):
    def _init_weight(self, name, data):
        super()._init_weight(name, data)
        data *= 2


class Drawn(init.Initializer):
    def _init_weight(self, name, data):
        data[:] = nd.random.uniform(low=-10, high=10, shape=data.shape)
        data *= data.abs() >= 5


# --- values
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", EVERY, ids=ident)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_values_are_the_laws_draw_with_the_parameters_key(made, dtype):
    law = made.law(Description("w", "w", (4, 6), dtype))
    assert np.array_equal(fill(made, dtype=dtype), law.draw(KEY, (4, 6), dtype))


@pytest.mark.parametrize("made", EVERY, ids=ident)
def test_values_depend_on_nothing_but_the_key(made):
    first = fill(made)
    nd.random.uniform(shape=(100,))
    assert np.array_equal(fill(made), first)
    assert made.law(Description("w", "w", (4, 6))).random != np.array_equal(
        fill(made, key=Key(12, "0.weight")), first
    )


def test_outside_a_parameter_values_come_from_the_ambient_stream_in_turn():
    streams.seed(5)
    both = nd.zeros((4, 4))
    init.Normal()(init.InitDesc("w_weight"), both)
    streams.seed(5)
    expected = nd.random.normal(0, 0.01, shape=(4, 4))
    assert np.array_equal(both.asnumpy(), expected.asnumpy())
    again = nd.zeros((4, 4))
    init.Normal()(init.InitDesc("w_weight"), again)
    assert not np.array_equal(again.asnumpy(), expected.asnumpy())


def test_a_constant_takes_nothing_from_the_ambient_stream():
    streams.seed(5)
    init.One()(init.InitDesc("w_weight"), nd.zeros((4,)))
    assert streams.ambient().cursor == 0


def test_random_values_of_unspecified_dtypes_are_refused():
    with pytest.raises(StreamError, match="dtype int32 are not specified in stream"):
        fill(init.Uniform(), dtype="int32")


# --- custom initializers
# --------------------------------------------------------------------------------------------------------


def test_a_custom_initializer_draws_from_its_parameters_stream_and_repeats():
    first = fill(Drawn())
    nd.random.uniform(shape=(100,))
    assert np.array_equal(fill(Drawn()), first)
    assert not np.array_equal(fill(Drawn(), key=Key(11, "1.weight", 2)), first)
    drawn = streams.uniform(KEY, 0, 24, -10, 10).reshape(4, 6)
    assert np.array_equal(first, drawn * (np.abs(drawn) >= 5))


def test_a_class_with_init_weight_of_its_own_has_a_custom_law():
    description = Description("w", "w", (4, 6))
    assert Drawn().law(description) == laws.Custom("Drawn")
    assert Doubled(0.5).law(description) == laws.Custom("Doubled")


def test_a_class_with_a_law_of_its_own_keeps_it():
    class Both(Drawn):
        def law(self, description):
            return laws.Constant(4)

    class Later(Both):
        pass

    assert Later().law(Description("w", "w", (2, 2))) == laws.Constant(4)


def test_init_weight_may_call_its_parents():
    assert np.array_equal(fill(Doubled(0.5)), 2 * fill(init.Normal(0.5)))


def test_a_class_with_only_a_law_is_filled_by_it():
    @dataclass(eq=False, repr=False)
    class Twos(init.Initializer):
        def law(self, description):
            return laws.Constant(2)

    assert (fill(Twos()) == 2).all()


def test_an_init_that_never_calls_super_works():
    class Bare(init.Initializer):
        def __init__(self, v):
            self.v = v

        def _init_weight(self, name, data):
            data[:] = self.v

    layer = nn.Dense(1, in_units=1)
    layer.initialize(Bare(3), verbose=True)
    assert layer.weight.data().asscalar() == 3
    assert Bare(1) == Bare(1) != Bare(2)
    assert Bare(1).dumps() == '["bare", {"v": 1}]'


def test_an_initializer_that_does_nothing_says_so():
    class Nothing(init.Initializer):
        pass

    for act in (lambda: fill(Nothing()), lambda: Nothing().law(Description("w", "w", (2,)))):
        with pytest.raises(NotImplementedError, match="Must override it"):
            act()


# --- names
# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a_weight", 5),
        ("a_bias", 0),
        ("a_gamma", 1),
        ("a_beta", 0),
        ("a_min", 0),
        ("a_max", 1),
        ("weight", 5),
        ("a_bias_quantize", 0),
    ],
)
def test_without_a_chosen_initializer_the_ending_of_the_name_decides(name, value):
    array = nd.full((2,), -1)
    init.Constant(5)(init.InitDesc(name), array)
    assert array.asnumpy().tolist() == [value, value]


def test_a_quantized_weight_is_of_whole_numbers():
    array = nd.zeros((50,))
    init.One()(init.InitDesc("w_weight_quantize"), array)
    values = array.asnumpy()
    assert (values == np.round(values)).all()
    assert values.min() >= -127
    assert values.max() < 127
    assert len(set(values)) > 10


@pytest.mark.parametrize("name", ["a_running_mean", "a", "a_weight1", "a_moving_mean"])
def test_an_unknown_ending_is_refused(name):
    with pytest.raises(
        ValueError,
        match=f"^Unknown initialization pattern for {name}. Default initialization is now limited",
    ):
        init.One()(init.InitDesc(name), nd.zeros((2,)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a_weight", 5),
        ("a_bias", 0),
        ("a_gamma", 1),
        ("a_beta", 0),
        ("a_moving_mean", 0),
        ("a_moving_var", 1),
        ("a_moving_inv_var", 0),
        ("a_moving_avg", 0),
        ("a_min", 0),
        ("a_max", 1),
        ("stn_loc_weight", 0),
    ],
)
def test_plain_text_names_still_work_with_a_warning(name, value):
    array = nd.full((2,), -1)
    with pytest.warns(DeprecationWarning, match="has been deprecated"):
        init.Constant(5)(name, array)
    assert array.asnumpy().tolist() == [value, value]


def test_a_plain_text_localisation_bias_is_the_identity_map():
    array = nd.zeros((6,))
    with pytest.warns(DeprecationWarning):
        init.One()("stn_loc_bias", array)
    assert array.asnumpy().tolist() == [1, 0, 0, 0, 1, 0]
    with pytest.warns(DeprecationWarning), pytest.raises(ValueError, match="must have shape"):
        init.One()("stn_loc_bias", nd.zeros((5,)))


def test_a_plain_text_upsampling_kernel_is_bilinear():
    array = nd.zeros((1, 1, 4, 4))
    with pytest.warns(DeprecationWarning):
        init.One()("upsampling", array)
    edge, middle = [0.0625, 0.1875, 0.1875, 0.0625], [0.1875, 0.5625, 0.5625, 0.1875]
    assert array.asnumpy()[0, 0].tolist() == [edge, middle, middle, edge]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [(3, nd.zeros((2,)), "name must be string"), ("w", np.ones(2), "arr must be NDArray")],
)
def test_plain_text_names_check_what_they_are_given(name, array, message):
    with pytest.warns(DeprecationWarning), pytest.raises(TypeError, match=message):
        init.One()(name, array)


def test_a_desc_is_text_with_attributes():
    desc = init.InitDesc("x_weight", {"__init__": "ones"})
    assert (repr(desc), desc.attrs, desc.global_init, desc.description) == (
        "'x_weight'",
        {"__init__": "ones"},
        None,
        None,
    )
    network, array = init.Zero(), nd.zeros((2,))
    network(desc, array)
    assert array.asnumpy().tolist() == [1, 1]
    assert desc.global_init is network
    assert init.InitDesc("anything").attrs == {}


def test_a_desc_may_carry_the_description():
    description = Description(
        "dense0_weight", "net_/0.weight", (3, 8, 5), roles=("in", "out", "spatial")
    )
    array = nd.zeros((3, 8, 5))
    init.He(0.0, "in", "uniform")(init.InitDesc("dense0_weight", description=description), array)
    assert np.abs(array.asnumpy()).max() <= np.sqrt(6 / 15)
    assert np.abs(array.asnumpy()).max() > np.sqrt(6 / 40)


def test_verbosity_logs_what_was_filled(caplog):
    array = nd.zeros((2, 2))
    with caplog.at_level(logging.INFO):
        init.One().set_verbosity(True)(init.InitDesc("w_weight"), array)
        init.One().set_verbosity(True, lambda x: f"sum={x.sum().asscalar():g}")(
            init.InitDesc("w", {"__init__": "ones"}), array
        )
        init.One()(init.InitDesc("w_weight"), array)
    assert caplog.messages == [
        "Initialized w_weight as weight: 1.0",
        "Initialized w as ones: sum=4",
    ]


# --- equality and text
# ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", EVERY, ids=ident)
def test_a_dump_makes_an_equal_initializer(made):
    assert init.create(made.dumps()) == made


def test_equality_is_of_class_and_options():
    assert init.Normal(0.5) == init.Normal(0.5) != init.Normal(0.4)
    assert init.Normal(0.5) != init.Uniform(0.5)
    assert init.One() != "ones"
    with pytest.raises(TypeError, match="unhashable type: 'One'"):
        hash(init.One())


# --- the registry
# ---------------------------------------------------------------------------------------------------------------


def test_the_kinds_are_the_catalogue_and_no_second_names():
    catalogue = {
        "constant",
        "he",
        "identity",
        "lecun",
        "load",
        "mixed",
        "msra_prelu",
        "normal",
        "one",
        "orthogonal",
        "residual_scaled",
        "truncated_normal",
        "uniform",
        "variance_scaling",
        "xavier",
        "zero",
    }
    assert catalogue <= set(init.names())
    assert not {"zeros", "ones", "msraprelu", "fan_scaled", "initializer"} & set(init.names())


def test_every_kind_gives_its_class():
    """Haar is what the field calls orthogonal; Gluon's class of that name draws something else."""
    other = {"orthogonal": init.Haar, "gluon_orthogonal": init.Orthogonal}
    for kind in init.names():
        assert (
            init.by_name(kind) is other[kind]
            if kind in other
            else registry.snake_case(init.by_name(kind).__name__) == kind
        )
    assert type(init.create("orthogonal")) is init.Orthogonal  # a Gluon name
    assert "fused_rnn" not in init.names()


def test_gluons_names_give_the_same_classes():
    pairs = {
        "zeros": init.Zero,
        "ones": init.One,
        "msraprelu": init.MSRAPrelu,
        "truncatednormal": init.TruncatedNormal,
    }
    for name, cls in pairs.items():
        assert init.by_name(name) is cls
        assert registry.get_registry(init.Initializer)[name] is cls


def test_an_unknown_kind_is_answered_with_the_nearest():
    with pytest.raises(KeyError, match="no initializer 'xaver' - did you mean 'xavier'"):
        init.by_name("xaver")


def test_create_takes_a_name_a_description_or_an_instance():
    assert init.create("ZEROS") == init.Zero()
    assert init.create("normal", sigma=3) == init.Normal(3)
    assert init.create({"initializer": "uniform", "scale": 2}) == init.Uniform(2)
    assert init.create('{"initializer": "normal", "sigma": 0.25}') == init.Normal(0.25)
    made = init.One()
    assert init.create(made) is made
    with pytest.raises(
        AssertionError,
        match="nope is not registered. Please register with initializer.register first",
    ):
        init.create("nope")
    with pytest.raises(AssertionError, match="initializer must be of string type"):
        init.create(None)


def test_a_users_class_is_known_by_both_its_names(registering):
    @init.register
    @init.alias("mine", "own")
    class MyOwnInit(init.Initializer):
        def _init_weight(self, name, data):
            data[:] = 42

    for name in ("myowninit", "my_own_init", "mine", "own"):
        assert init.by_name(name) is MyOwnInit
        assert isinstance(init.create(name), MyOwnInit)
    assert [kind for kind in init.names() if init.by_name(kind) is MyOwnInit] == ["my_own_init"]


def test_a_second_class_of_a_name_takes_its_place_with_one_warning(registering):
    def define():
        class MyOwnInit(init.Initializer):
            pass

        return MyOwnInit

    init.register(define())
    later = define()
    with pytest.warns(
        UserWarning, match="New initializer .*MyOwnInit registered with name myowninit isoverriding"
    ) as caught:
        init.register(later)
    assert len(caught) == 1
    assert init.by_name("my_own_init") is init.by_name("myowninit") is later


def test_only_initializers_can_be_registered():
    with pytest.raises(AssertionError, match="Can only register subclass of Initializer"):
        init.register(int)


def test_mxnets_other_name_of_the_module_has_the_same_contents():
    assert all(getattr(initializer, name) is getattr(init, name) for name in init.__all__)


class Claiming(init.Constant):
    def claims(self, path, name=None):
        return path == "mine"


@pytest.mark.parametrize(
    ("own", "path", "winner"),
    [
        (None, "mine", "network"),
        (None, "other", "network"),
        ("zeros", "mine", "network"),
        ("zeros", "other", "own"),
        (init.Constant(3).dumps(), "mine", "network"),
        (init.Constant(3).dumps(), "other", "own"),
        (init.Zero(), "mine", "own"),
        (init.Zero(), "other", "own"),
    ],
)
def test_one_function_says_which_initializer_wins(own, path, winner):
    network = Claiming(1)
    chosen = init.choose(own, network, init.Description("w", path, (2,)))
    assert (chosen is network) == (winner == "network")
    if winner == "own":
        assert chosen == init.create(own)


def test_a_call_of_ones_own_fills_every_parameter_as_in_mxnet():
    class Sevens(init.Initializer):
        def __call__(self, desc, arr):
            arr[:] = 7

    class Doubled(init.Constant):
        def __call__(self, desc, arr):
            super().__call__(desc, arr)
            arr[:] *= 2

    for made, weight, bias in ((Sevens(), 7, 7), (Doubled(3), 6, 0)):
        layer = nn.Dense(2, in_units=2)
        layer.initialize(made)
        assert layer.weight.data().tolist() == [[weight] * 2] * 2
        assert layer.bias.data().tolist() == [bias] * 2
        assert layer.bias.origin.law == laws.Custom(type(made).__name__)
