"""The plan of a network made in Python."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from initlab.engine import MXNetError, init, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.init.base import KINDS, REGISTRY
from initlab.runner.errors import ConfigError
from initlab.runner.plan.block import plan


class Net(nn.Block):
    def __init__(self, **options):
        super().__init__(**options)
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3)
            self.norm = nn.BatchNorm()
            self.fc = nn.Dense(6)
            self.mix = nn.Dense(6)
            self.again = nn.Dense(6, params=self.mix.params)

    def forward(self, x):
        return self.again(self.mix(self.fc(self.norm(self.conv(x)))))


def dense(**options):
    net = nn.HybridSequential(**options)
    with net.name_scope():
        net.add(nn.Dense(8, activation="relu"), nn.Dense(3, weight_initializer=init.Orthogonal()))
    return net


CASES = {"dense": (dense, (5,)), "own": (Net, (3, 6, 6))}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "chosen",
    [
        init.He(),
        init.Uniform(0.3),
        init.Mixed(
            [
                {"match": r".*\.bias", "init": init.Constant(2)},
                {"match": r".*\.weight", "init": "normal"},
            ]
        ),
    ],
    ids=["he", "uniform", "mixed"],
)
def test_a_plan_gives_the_bits_that_initialize_gives(case, chosen):
    make, sample = CASES[case]
    net = make()
    planned = plan(net, chosen, sample, seed=11)
    streams.seed(11)
    net.collect_params().initialize(chosen)
    net(nd.zeros((1, *sample)))
    for path, parameter in net.structural_params().items():
        values = parameter.data().asnumpy()
        assert planned[path].draw().tobytes() == values.tobytes(), path
        assert planned[path].draw(slice(0, 2)).tobytes() == values[:2].tobytes()


def test_an_initializer_is_an_object_a_name_or_a_mapping():
    net = dense(prefix="net_")
    named = plan(net, "uniform", (5,))
    assert named == plan(net, init.Uniform(), (5,)) == plan(net, {"kind": "uniform"}, (5,))
    scaled = plan(
        net,
        {"kind": "mixed", "rules": [{"match": ".*", "init": {"kind": "normal", "sigma": 2}}]},
        (5,),
    )
    assert str(scaled["0.weight"].law) == "Normal(0, 2)"
    assert (scaled["0.weight"].rule, scaled["1.weight"].rule) == (
        "init.rules[0]",
        "the layer's own",
    )


def alone():
    return nn.Conv2D(4, 3, in_channels=4, use_bias=False, prefix="net_")


GLUON = dict(REGISTRY.entries())
NAMES = sorted(GLUON.keys() | KINDS.entries().keys())


@pytest.mark.parametrize("name", [*NAMES, *(name.upper() for name in NAMES[:1])])
def test_every_name_means_what_it_means_to_initialize(name):
    cls = GLUON.get(name.lower())
    if cls is None:  # only a config has this name
        cls = KINDS.get(name)
        assert name not in REGISTRY
    try:
        made = cls()
    except TypeError:  # it needs options, as `initialize(name)` finds too
        with pytest.raises(ConfigError, match="missing"):
            plan(alone(), name)
        return
    try:
        expected = plan(alone(), made)
    except ConfigError as error:
        with pytest.raises(ConfigError) as caught:
            plan(alone(), name)
        assert str(caught.value) == str(error)
        return
    assert plan(alone(), name) == plan(alone(), {"kind": name}) == expected


@pytest.mark.parametrize("name", ["orthogonal", "Orthogonal", "haar", "he", "zeros", "uniform"])
def test_a_name_gives_the_bits_that_initialize_gives_for_it(name):
    net = dense(prefix="net_")
    planned = plan(net, name, (5,), seed=3)
    streams.seed(3)
    net.collect_params().initialize(name)
    net(nd.zeros((1, 5)))
    for path, parameter in net.structural_params().items():
        assert planned[path].draw().tobytes() == parameter.data().asnumpy().tobytes(), path


def test_a_name_within_a_mapping_is_gluons_as_well():
    rules = [{"match": ".*", "init": {"kind": "orthogonal"}}]
    nested = plan(alone(), {"kind": "mixed", "rules": rules})
    assert nested["weight"].law == plan(alone(), init.Orthogonal())["weight"].law


def test_numpys_whole_numbers_are_a_shape_and_a_seed():
    net = dense(prefix="net_")
    expected = plan(net, "he", (5,), seed=2)
    assert plan(net, "he", (np.int64(5),), seed=np.uint32(2)) == expected
    assert plan(net, "he", np.array([5]), seed=2).digest == expected.digest


def test_tied_parameters_are_one_row_with_values_and_its_aliases():
    planned = plan(Net(), "he", (3, 6, 6))
    assert planned.aliases == {"again.weight": "mix.weight", "again.bias": "mix.bias"}
    assert planned.output == (1, 6)


def test_no_input_is_needed_where_all_shapes_are_known():
    net = nn.Dense(3, in_units=4)
    assert plan(net, "he")["weight"].shape == (3, 4)
    with pytest.raises(
        ConfigError, match="shape of '0.weight' and 1 more is not known - give input="
    ):
        plan(dense(), "he")


def test_planning_leaves_the_network_as_it_is():
    net = dense()
    plan(net, "he", (5,))
    net.initialize()
    assert net(nd.zeros((2, 7))).shape == (2, 3)


def test_the_same_network_with_a_prefix_has_the_same_digest():
    first, second = (plan(dense(prefix="net_"), "he", (5,)) for _ in range(2))
    assert first.digest == second.digest
    assert first.digest != plan(dense(prefix="other_"), "he", (5,)).digest
    assert first.digest != plan(dense(prefix="net_"), "he", (5,), seed=1).digest
    assert first.digest != plan(dense(prefix="net_"), "he", (6,)).digest


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((3, "he", (5,)), TypeError, "net must be a Block .* got int"),
        (("net", "hee", (5,)), ConfigError, "init.kind: no initializer 'hee' - did you mean 'he'"),
        (
            ("net", {"kind": "normal", "sigm": 1}, (5,)),
            ConfigError,
            "init.sigm: .* did you mean 'sigma'",
        ),
        (("net", {"kind": "normal", "sigma": -1}, (5,)), ConfigError, "init.sigma: must"),
        (("net", 3, (5,)), ConfigError, "init: must be an initializer's name or a mapping"),
        (
            ("net", {"kind": "normal", 5: 1}, (5,)),
            ConfigError,
            "init: the names of options must be",
        ),
        (("net", "he", (True,)), TypeError, "input must be the shape of one sample"),
        (("net", "he", (5.0,)), TypeError, "input must be the shape of one sample"),
        (("net", "he", 5), TypeError, "input must be the shape of one sample"),
        (("net", "he", (0,)), TypeError, "input must be the shape of one sample"),
        (("net", "he", (5,), -1), ValueError, "seed must be 0 ... 2\\^64-1, got -1"),
        (("conv", "he", (5,)), MXNetError, "needs an input of 4 axes"),
        (
            ("net", {"kind": "mixed", "rules": [{"match": "3.*", "init": "zeros"}]}, (5,)),
            ConfigError,
            "matches nothing",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments, error, said):
    made = {"net": dense, "conv": lambda: nn.Conv2D(2, 3)}
    net, *rest = arguments
    with pytest.raises(error, match=said):
        plan(made[net]() if net in made else net, *rest)


def test_no_hydra_is_imported():
    script = (
        "import sys\nfrom initlab.engine.gluon import nn\nfrom initlab.runner.plan.block import plan\n"
        "plan(nn.Dense(3), 'he', (4,))\n"
        "print([name for name in ('hydra', 'omegaconf', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_part_of_a_large_parameter_is_drawn_without_the_rest():
    planned = plan(nn.Dense(1 << 30, in_units=1 << 10), "he")
    part = planned["weight"].draw(np.s_[5:7, :3])
    assert part.shape == (2, 3) and part.dtype == np.float32


@pytest.mark.parametrize("chosen", ["xavier", "msra_prelu", {"kind": "xavier"}], ids=str)
def test_mxnets_classes_have_mxnets_law_in_the_plan_of_a_block(chosen):
    net = nn.Conv2D(8, 3, groups=8, in_channels=8, prefix="net_")
    made = init.MSRAPrelu() if chosen == "msra_prelu" else init.Xavier()
    assert plan(net, chosen)["weight"].law == plan(net, made)["weight"].law
    streams.seed(0)
    net.initialize(made)
    assert (plan(net, chosen)["weight"].draw() == net.weight.data().asnumpy()).all()


SCHEMES = [
    init.Fixup(),
    init.ResidualScaled(),
    init.Mixed([{"match": ".*weight", "init": init.Fixup()}]),
    "fixup",
]


@pytest.mark.parametrize("chosen", SCHEMES, ids=["fixup", "residual_scaled", "mixed", "name"])
def test_a_scheme_for_deep_networks_finds_the_branches_of_a_network_made_in_python(chosen):
    def made():
        net = nn.HybridSequential(prefix="net_")
        net.add(nn.Dense(4), nn.Residual(nn.Dense(4), nn.Dense(4)), nn.Dense(3))
        return net

    net = made()
    planned = plan(net, chosen, (5,), seed=3)
    assert planned["1.1.weight"].law != planned["1.0.weight"].law or chosen == SCHEMES[1]
    streams.seed(3)
    net.initialize(chosen)
    net(nd.ones((2, 5)))
    for path, parameter in net.structural_params().items():
        assert (parameter.data().asnumpy() == planned[path].draw()).all(), path


def test_a_scheme_that_finds_nothing_in_a_network_made_in_python_is_refused():
    with pytest.raises(ConfigError, match="init.kind: is fixup, but none of the weights"):
        plan(dense(), "fixup", (5,))
    with pytest.raises(ConfigError, match="init.layers: is not given, and Net does not say how"):
        plan(Net(), init.ResidualScaled(), (3, 6, 6))
