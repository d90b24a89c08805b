import logging

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
    with pytest.raises(OptionError, match="^param cannot be read: no snapshot format for"):
        init.Load("weights.xyz")
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
