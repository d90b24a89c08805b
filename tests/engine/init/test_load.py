import json
import logging
import struct
import tracemalloc

import numpy as np
import pytest

from initlab.engine import formats, init, laws, nd
from initlab.engine.errors import OptionError
from initlab.engine.formats import Snapshot
from initlab.engine.gluon import nn
from initlab.engine.init import Description
from initlab.engine.streams import Key

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


def described(path, shape, name="w"):
    return Description(name, path, shape)


def net():
    made = nn.Sequential()
    made.add(nn.Dense(2, in_units=3))
    return made


@pytest.fixture(params=[".safetensors", ".npz", ".params"])
def file(request, tmp_path):
    path = tmp_path / f"snapshot{request.param}"
    formats.get(str(path)).write(
        path, Snapshot({"0.weight": WEIGHT, "0.bias": np.array([5.0, 6.0], np.float32)})
    )
    return str(path)


def test_a_net_is_filled_from_a_snapshot_default_biases_included(file):
    made = net()
    made.initialize(init.Load(file))
    assert np.array_equal(made[0].weight.data().asnumpy(), WEIGHT)
    assert made[0].bias.data().asnumpy().tolist() == [5, 6]
    assert made[0].bias.origin.law == laws.Loaded(file, "0.bias")


def test_the_law_draws_what_was_loaded(file):
    law = init.Load(file).law(described("0.weight", (2, 3)))
    assert np.array_equal(law.draw(Key(0, "0.weight"), (2, 3)), WEIGHT)


def test_aliases_are_loaded_from_their_owner(tmp_path):
    path = tmp_path / "tied.safetensors"
    formats.get(str(path)).write(path, Snapshot({"0.weight": WEIGHT}, {"1.weight": "0.weight"}))
    array = nd.zeros((2, 3))
    init.Load(path)(init.InitDesc("1.weight"), array)
    assert np.array_equal(array.asnumpy(), WEIGHT)


@pytest.mark.parametrize("values", [WEIGHT, nd.array(WEIGHT), WEIGHT.tolist()])
def test_a_mapping_serves_as_a_snapshot(values):
    made = net()
    made.initialize(init.Load({"0.weight": values}, default_init="ones"))
    assert np.array_equal(made[0].weight.data().asnumpy(), WEIGHT)
    assert made[0].bias.data().asnumpy().tolist() == [0, 0]
    assert made[0].weight.origin.law == laws.Constant(WEIGHT)


def test_gluon_names_do_where_paths_do_not():
    made = nn.Dense(2, in_units=3, prefix="d_")
    made.initialize(init.Load({"arg:d_weight": WEIGHT, "aux:d_bias": [5, 6]}))
    assert np.array_equal(made.weight.data().asnumpy(), WEIGHT)
    assert made.bias.data().asnumpy().tolist() == [5, 6]


def test_the_path_goes_before_the_name():
    load = init.Load({"0.weight": np.zeros((2, 3)), "w": np.ones((2, 3))})
    assert load.law(described("root_/0.weight", (2, 3))).mean == 0


def test_what_is_missing_comes_from_the_fallback():
    load = init.Load({"0.weight": WEIGHT}, default_init=init.Normal(0.5))
    assert load.law(described("1.weight", (4, 4))) == laws.Normal(0.0, 0.5)
    array = nd.zeros((4, 4))
    load(init.InitDesc("1.weight", {"__init__": load}), array)
    assert array.asnumpy().std() > 0.1


def test_what_is_missing_without_a_fallback_is_an_error_with_the_nearest_name():
    load = init.Load({"0.weight": WEIGHT})
    expected = "^Cannot Initialize w. Not found in loaded param and no default Initializer is provided. Did you mean '0.weight'\\?$"
    with pytest.raises(AssertionError, match=expected):
        load.law(described("0.weigth", (2, 3)))
    made = net()
    with pytest.raises(AssertionError, match="Cannot Initialize"):
        made.initialize(init.Load({}))


def test_another_shape_is_an_error():
    load = init.Load({"0.weight": WEIGHT}, default_init="ones")
    expected = r"Parameter w cannot be initialized from loading. Shape mismatch, target \(3, 2\) vs loaded \(2, 3\)"
    with pytest.raises(AssertionError, match=expected):
        load.law(described("0.weight", (3, 2)))
    with pytest.raises(AssertionError, match="Shape mismatch"):
        load("0.weight", nd.zeros((3, 2)))


def test_values_are_cast_to_the_parameters_dtype():
    array = nd.zeros((2, 3), dtype="float16")
    init.Load({"0.weight": WEIGHT / 3})("0.weight", array)
    assert array.dtype is np.float16
    assert np.array_equal(array.asnumpy(), (WEIGHT / 3).astype(np.float16))


def test_a_file_that_is_not_there_or_damaged_is_refused(tmp_path, file):
    with pytest.raises(OptionError, match="^param names a file that does not exist: .*nosuch.npz"):
        init.Load(tmp_path / "nosuch.npz")
    other = tmp_path / "weights.xyz"
    other.write_bytes(b"weights")
    with pytest.raises(OptionError, match="^param cannot be read: no snapshot format for"):
        init.Load(other)
    with open(file, "r+b") as damaged:
        damaged.truncate(40)
    with pytest.raises(OptionError, match="^param cannot be read: .*snapshot"):
        init.Load(file)


@pytest.mark.parametrize("param", [None, 3, ["a"], {"w": "text"}, {"w": None}])
def test_what_is_no_snapshot_is_refused(param):
    with pytest.raises(OptionError, match="^param must"):
        init.Load(param)


def test_a_bad_fallback_is_refused():
    with pytest.raises(
        OptionError, match="^default_init must be an initializer.*nosuch is not registered"
    ):
        init.Load({}, default_init="nosuch")


def test_verbose_says_where_values_came_from(caplog):
    load = init.Load({"x_weight": [5, 6]}, init.One(), True)
    array = nd.zeros((2,))
    with caplog.at_level(logging.INFO):
        load("x_weight", array)
        load(init.InitDesc("z_weight"), array)
    assert caplog.messages == ["Initialized x_weight by loading", "Initialized z_weight by default"]


def test_a_dump_makes_an_equal_load(file):
    for load in (init.Load(file, init.Normal(0.5)), init.Load({"w": [1.0, 2.0]})):
        assert init.create(load.dumps()) == load


# --- what a snapshot and a network do not have in common


PARAMETERS = [described("0.weight", (2, 3)), described("0.bias", (2,))]


def test_a_snapshot_that_fits_is_accepted_without_a_word():
    assert init.Load({"0.weight": WEIGHT, "0.bias": [5, 6]}).check_parameters(PARAMETERS) == []


@pytest.mark.parametrize("default", [None, "ones"])
def test_a_tensor_that_no_parameter_takes_is_refused_or_listed(default):
    values = {"0.weight": WEIGHT, "0.bais": [5, 6]}
    wanted = "the mapping has 1 tensor that no parameter takes: '0.bais' - did you mean '0.bias'. partial=true allows it"
    with pytest.raises(OptionError, match=wanted):
        init.Load(values, default).check_parameters(PARAMETERS)
    assert init.Load(values, default, partial=True).check_parameters(PARAMETERS) == [
        "the mapping has 1 tensor that no parameter takes: '0.bais'",
        "the mapping lacks 1 of 2 parameters: '0.bias'",
    ]


def test_a_parameter_without_a_tensor_is_refused_or_left_to_the_default():
    with pytest.raises(
        OptionError, match="lacks 1 of 2 parameters: '0.bias' - give default_init for them, or"
    ):
        init.Load({"0.weight": WEIGHT}).check_parameters(PARAMETERS)
    assert init.Load({"0.weight": WEIGHT}, "ones").check_parameters(PARAMETERS) == [
        "the mapping lacks 1 of 2 parameters: '0.bias'"
    ]


def test_an_error_names_some_and_a_list_all():
    many = {f"x{i}": [1.0] for i in range(20)}
    with pytest.raises(OptionError, match="20 tensors .* 'x7' and 12 more"):
        init.Load(many, "ones").check_parameters(PARAMETERS)
    said = init.Load(many, "ones", partial=True).check_parameters(PARAMETERS)
    assert said[0].endswith("'x18', 'x19'")


def test_a_rule_of_mixed_checks_what_it_decides_for():
    load = init.Load({"0.weight": WEIGHT, "x": [1.0]})
    mixed = init.Mixed([".*weight", ".*"], [load, init.Zero()])
    with pytest.raises(OptionError, match=r"^rules\[0\].init.param the mapping has 1 tensor"):
        mixed.check_parameters(PARAMETERS)


def tied():
    made = nn.Sequential()
    made.add(nn.Dense(3, in_units=3, use_bias=False))
    made.add(nn.Dense(3, in_units=3, use_bias=False, params=made[0].params))
    return made


@pytest.mark.parametrize("names", [["0.weight"], ["1.weight"], ["0.weight", "1.weight"]])
def test_any_name_of_a_tied_parameter_serves(names):
    values, made = np.arange(9.0).reshape(3, 3), tied()
    load = init.Load(dict.fromkeys(names, values))
    made.initialize(load)
    assert (made[1].weight.data().asnumpy() == values).all()
    tied_one = Description("w", "0.weight", (3, 3), aliases=("1.weight",))
    assert load.check_parameters([tied_one]) == []


def test_tied_names_with_other_values_are_refused():
    load = init.Load({"0.weight": np.zeros((3, 3)), "1.weight": np.ones((3, 3))})
    wanted = "param has other values for '0.weight' than for '1.weight', which are one parameter"
    with pytest.raises(OptionError, match=wanted):
        tied().initialize(load)


def test_one_name_with_and_without_mxnets_prefix_is_refused():
    with pytest.raises(OptionError, match="param has both 'arg:w' and 'w', which are one name"):
        init.Load({"arg:w": [1.0], "w": [2.0]})


def test_a_file_is_opened_once_for_all_its_tensors(file, monkeypatch):
    opened = []
    for file_format in {type(formats.get(name)) for name in formats.names()}:
        monkeypatch.setattr(
            file_format,
            "open",
            lambda self, path, real=file_format.open: opened.append(path) or real(self, path),
        )
    made = net()
    load = init.Load(file)
    made.initialize(load)
    for name in ("0.weight", "0.bias"):
        laws.Loaded(file, name).read()
    assert len(opened) == 1


def test_a_file_that_was_replaced_is_opened_again(file):
    load = init.Load(file)
    formats.get(file).write(file, Snapshot({"0.weight": WEIGHT + 1}))
    assert (laws.Loaded(file, "0.weight").read() == WEIGHT + 1).all()
    assert (load.param["0.weight"] == WEIGHT).all()


@pytest.mark.parametrize(
    ("found", "relation"),
    [
        ((3, 2), ": transposed"),
        ((6,), ": as many elements"),
        ((2, 3, 1), ": axes of length 1"),
        ((2, 4), ""),
        ((), ""),
    ],
)
def test_a_tensor_of_another_shape_is_said_with_how_it_differs(found, relation):
    with pytest.raises(OptionError) as error:
        init.Load({"0.weight": np.zeros(found)}).check_parameters([described("0.weight", (2, 3))])
    size = "x".join(map(str, found)) or "scalar"
    assert str(error.value) == (
        "param the mapping has 1 tensor of another shape than its parameter: '0.weight' "
        f"({size}, its parameter 2x3{relation}) - change the model, or write the file with this shape"
    )


def test_an_order_of_axes_is_said():
    with pytest.raises(OptionError, match=r"\(3x5x2, its parameter 2x3x5: axes in another order\)"):
        init.Load({"w": np.zeros((3, 5, 2))}).check_parameters([described("w", (2, 3, 5))])


@pytest.mark.parametrize("options", [{}, {"default_init": "zeros"}, {"partial": True}])
def test_a_tensor_that_cannot_be_read_is_not_drawn_in_its_place(options, tmp_path):
    header = {"0.weight": {"dtype": "F8_E4M3", "shape": [2, 3], "data_offsets": [0, 6]}}
    text = json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(6))
    load = init.Load(path, **options)
    said = r"has '0.weight', which cannot be loaded: it is of dtype F8_E4M3 - write it in a type"
    with pytest.raises(OptionError, match=said):
        load.check_parameters([described("0.weight", (2, 3))])
    with pytest.raises(OptionError, match=said):
        load.law(described("0.weight", (2, 3)))


@pytest.mark.parametrize("prefix", ["module.", "model.", "state.net."])
def test_names_that_all_have_something_in_front_are_refused_with_it(prefix):
    values = {f"{prefix}0.weight": np.zeros((2, 3)), f"{prefix}0.bias": np.zeros(2)}
    parameters = [init.Description("w", "0.weight", (2, 3)), init.Description("b", "0.bias", (2,))]
    with pytest.raises(OptionError) as error:
        init.Load(values).check_parameters(parameters)
    assert f"has every name with '{prefix}' in front: '{prefix}0.weight' for '0.weight'" in str(
        error.value
    )


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_deferred_parameter_is_filled_without_another_copy_of_its_tensor(dtype, tmp_path):
    path = tmp_path / "w.npz"
    values = np.random.default_rng(0).normal(size=(1000, 2000)).astype(np.float32)
    np.savez(path, weight=values)
    load, array = init.Load(path), nd.zeros(values.shape, dtype=dtype)
    tracemalloc.start()
    load("weight", array)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 << 20
    assert np.array_equal(array.asnumpy(), values.astype(dtype))


def test_an_array_that_does_not_lie_in_one_piece_is_loaded_too(file):
    array = nd.NDArray(np.zeros((3, 2), np.float32).T, nd.zeros(1).ctx)
    init.Load(file)("0.weight", array)
    assert np.array_equal(array.asnumpy(), WEIGHT)
