"""Schemes for deep networks: what they need follows from the network, what contradicts it is refused,
and a scheme that finds nothing of what it is for is refused, too.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_nets import named

from initlab.engine import init, laws, nd
from initlab.engine.gluon import nn
from initlab.engine.gluon.flow import Branch, Chain
from initlab.engine.gluon.sites import note_sites
from initlab.engine.init import Description


def dense(units=8, **options):
    return nn.Dense(units, in_units=8, **options)


def residual(layers=2, **options):
    return nn.Residual(*(dense() for _ in range(layers)), **options)


def residual_net(blocks=3, layers=2):
    body = nn.HybridSequential()
    body.add(*(residual(layers) for _ in range(blocks)))
    return named(stem=dense(), body=body, head=dense())


def transformer(blocks=3):
    body = nn.HybridSequential()
    body.add(*(nn.TransformerBlock(8, 2) for _ in range(blocks)))
    return named(
        tokens=nn.Embedding(9, 8),
        positions=nn.PositionEmbedding(9, 8),
        body=body,
        head=dense(flatten=False),
    )


def sines(w0=20.0, first=20.0):
    return named(
        first=dense(),
        a=nn.Scale(first),
        b=nn.Activation("sin"),
        hidden=dense(),
        c=nn.Scale(w0),
        d=nn.Activation("sin"),
        head=dense(),
    )


def skips():
    return named(stem=dense(), body=nn.Residual(dense(), nn.Scale(1, learnable=True)), head=dense())


def drawn(net, initializer) -> dict[str, laws.Law]:
    """The laws by which a network is initialized in a program."""
    net.initialize(initializer, force_reinit=True)
    return {path: one.origin.law for path, one in net.structural_params().items()}


def refusal(net, initializer) -> str:
    with pytest.raises(ValueError) as error:
        net.initialize(initializer, force_reinit=True)
    return str(error.value)


# --- what follows from the network


@given(blocks=st.integers(1, 6), layers=st.integers(1, 4))
def test_fixup_scales_by_the_branches_there_are_and_the_layers_of_each(blocks, layers):
    found = drawn(residual_net(blocks, layers), init.Fixup())
    for block in range(blocks):
        for layer in range(layers):
            law = found[f"body.{block}.{layer}.weight"]
            if layer == layers - 1:
                assert law == laws.Constant(0.0)
            else:
                assert law == laws.Normal(0.0, 0.5 * blocks ** (-1 / (2 * layers - 2)))
    assert found["stem.weight"] == laws.Normal(0.0, 0.5)
    assert found["head.weight"] == laws.Constant(0.0)


def test_fixup_takes_the_layers_of_each_branch_for_its_own():
    found = drawn(named(a=residual(2), b=residual(3), head=dense()), init.Fixup())
    assert found["a.0.weight"].std == pytest.approx(0.5 * 2 ** (-1 / 2))
    assert found["b.1.weight"].std == pytest.approx(0.5 * 2 ** (-1 / 4))


def test_fixup_leaves_shortcuts_alone():
    net = named(a=residual(2, shortcut=dense()), head=dense())
    assert drawn(net, init.Fixup())["a.shortcut.weight"] == laws.Normal(0.0, 0.5)


@given(blocks=st.integers(1, 6), layers=st.integers(1, 3))
def test_the_ends_of_branches_are_divided_by_the_root_of_their_number(blocks, layers):
    found = drawn(residual_net(blocks, layers), init.ResidualScaled())
    stds = {path: law.std for path, law in found.items() if path.endswith("weight")}
    ends = {f"body.{block}.{layers - 1}.weight" for block in range(blocks)}
    assert stds == {path: 0.02 / math.sqrt(blocks) if path in ends else 0.02 for path in stds}


def test_gpt2s_positions_have_a_spread_of_their_own():
    found = drawn(transformer(12), init.ResidualScaled(positions=0.01))
    assert found["positions.weight"].std == 0.01
    assert found["body.11.contract.weight"] == laws.Normal(0.0, 0.02 / math.sqrt(24))


def test_only_multipliers_at_the_ends_of_branches_are_0():
    net = skips()
    net.register_child(nn.Scale(3, learnable=True), "outside")
    found = drawn(net, init.Skipinit())
    assert (found["body.1.scale"], found["outside.scale"]) == (laws.Constant(0), laws.Constant(3))
    assert found["stem.weight"] == laws.Normal(0.0, 0.5)


@pytest.mark.parametrize(("w0", "first"), [(20.0, 20.0), (30.0, 3000.0), (1.0, 1.0)])
def test_siren_takes_w0_and_the_first_layer_from_the_network(w0, first):
    found = drawn(sines(w0, first), init.Siren())
    assert found["first.weight"].high == 1 / 8
    assert found["hidden.weight"].high == found["head.weight"].high == math.sqrt(6 / 8) / w0


def test_deepnorm_scales_all_weights_of_branches_but_queries_and_keys():
    found = drawn(transformer(3), init.Deepnorm())
    std, gain = math.sqrt(1 / 8), 24**-0.25
    assert found["body.0.attention.projection_weight"].std == gain * std
    assert [law.std for law in found["body.2.attention.qkv_weight"].laws] == [std, std, gain * std]
    assert found["head.weight"].std == std


def test_t_fixup_scales_branches_and_tables_by_the_layers():
    found = drawn(transformer(3), init.TFixup())
    bound = math.sqrt(3 / 8)
    assert found["body.0.attention.projection_weight"].high == 0.67 * 3**-0.25 * bound
    assert found["body.0.attention.qkv_weight"].bounds == (bound, bound, 0.67 * 3**-0.25 * bound)
    assert found["tokens.weight"].std == pytest.approx(27**-0.25 * 8**-0.5)
    assert found["positions.weight"].std == pytest.approx(8**-0.5)
    assert found["head.weight"].high == bound


def test_mup_knows_first_and_last_layers():
    net = named(stem=dense(), hidden=dense(), head=dense())
    found = drawn(net, init.Mup(base=2, optimizer="sgd"))
    assert found["hidden.weight"].std ** 2 == pytest.approx(1 / 8)
    assert found["head.weight"].std ** 2 == pytest.approx(2 / 64)
    multipliers = {path: one.lr_mult for path, one in net.structural_params().items()}
    assert set(multipliers.values()) == {1.0}, "a program sets them itself"


# --- what is given by hand

BY_HAND = [
    (residual_net, init.Fixup, {"branches": 3, "layers": 2}),
    (residual_net, init.Fixup, {"branch": [r"body\.\d\.0\.weight"]}),
    (residual_net, init.Fixup, {"zero": [r"body\..*\.1\..*", r"head\..*"]}),
    (transformer, init.ResidualScaled, {"layers": 3, "others": 0.02}),
    (skips, init.Skipinit, {"multiplier": [r".*\.scale"]}),
    (sines, init.Siren, {"w0": 20.0, "first": [r"first\.weight"]}),
    (transformer, init.Deepnorm, {"layers": 3, "scaled": [r"body\..*weight"]}),
    (transformer, init.TFixup, {"layers": 3}),
    (transformer, init.TFixup, {"embedding": [r"(tokens|positions)\.weight"]}),
    (sines, init.Mup, {"input": [r"first\.weight"], "output": [r"head\.weight"]}),
]


@pytest.mark.parametrize(("make", "cls", "options"), BY_HAND)
def test_what_agrees_with_the_network_changes_nothing(make, cls, options):
    assert drawn(make(), cls(**options)) == drawn(make(), cls())


def test_a_decoders_weights_are_scaled_like_one_if_they_are_named():
    found = drawn(transformer(3), init.TFixup(decoder=[r"body\..*weight"]))
    assert found["body.0.contract.weight"].high == pytest.approx(27**-0.25 * math.sqrt(3 / 20))


WRONG = [
    (
        residual_net,
        init.Fixup(branches=1),
        "branches is 1, but the network has 3 residual branches",
    ),
    (residual_net, init.Fixup(layers=3), "layers is 3, but the network has 2 layers in the branch"),
    (residual_net, init.Fixup(zero=[]), "it does not fit 'body.0.1.weight', which ends a residual"),
    (residual_net, init.Fixup(branch=[r"stem\.weight"]), "it fits 'stem.weight', of which is not"),
    (transformer, init.ResidualScaled(layers=12), "layers is 12, but the network has 3 layers: 6"),
    (transformer, init.ResidualScaled(layers=3), "others is not given beside layers"),
    (skips, init.Skipinit(multiplier=[]), "it does not fit 'body.1.scale', which is a multiplier"),
    (sines, init.Siren(w0=30.0), "w0 is 30, but 'hidden.weight' goes into a sine times 20"),
    (
        sines,
        init.Siren(first=[r"hidden\.weight"]),
        "it does not fit 'first.weight', which receives",
    ),
    (transformer, init.Deepnorm(layers=1), "layers is 1, but the network has 3 layers of two"),
    (transformer, init.Deepnorm(scaled=[]), "it does not fit 'body.0.attention.qkv_weight', which"),
    (transformer, init.TFixup(layers=6), "layers is 6, but the network has 3 layers of two"),
    (transformer, init.TFixup(encoder=[r"body\.0\..*"]), "it does not fit 'body.1.attention.qkv"),
    (sines, init.Mup(output=[r"hidden\.weight"]), "it fits 'hidden.weight', of which is not true"),
    (sines, init.Mup(input=[]), "it does not fit 'first.weight', which receives"),
    (
        sines,
        init.Mup(output=[r"head\.weight"], optimizer="sgd"),
        "does not fit 'head.bias', whose learning rate sgd would scale",
    ),
]


@pytest.mark.parametrize(("make", "initializer", "said"), WRONG)
def test_what_contradicts_the_network_is_refused(make, initializer, said):
    found = refusal(make(), initializer)
    assert said in found and "leave" in found, found


# --- schemes that find nothing


def mlp():
    return named(stem=dense(activation="relu"), head=dense())


NOTHING = [
    (mlp, init.Fixup(), "kind is fixup, but none of the weights that it fills is in a residual"),
    (mlp, init.ResidualScaled(), "kind is residual_scaled, but none of the weights"),
    (
        residual_net,
        init.Skipinit(),
        "kind is skipinit, but no residual branch ends with a multiplier",
    ),
    (mlp, init.Siren(), "kind is siren, but none of the layers that it fills goes into a sine"),
    (
        residual_net,
        init.Deepnorm(),
        "kind is deepnorm, but the network has no residual branch with",
    ),
    (residual_net, init.TFixup(), "kind is t_fixup, but the network has no residual branch with"),
    (lambda: named(one=dense()), init.Mup(), "kind is mup, but the network has no last layer"),
]


@pytest.mark.parametrize(("make", "initializer", "said"), NOTHING)
def test_a_scheme_that_finds_nothing_of_what_it_is_for_is_refused(make, initializer, said):
    assert refusal(make(), initializer).startswith(said)
    rule = init.Mixed([{"match": ".*", "init": initializer}])
    assert said.partition(" is ")[2] in refusal(make(), rule)


def test_a_rule_is_checked_against_the_weights_that_it_decides_for():
    rules = [{"match": r"stem\..*", "init": init.Fixup()}, {"match": ".*", "init": init.He()}]
    said = "rules[0].init.kind is fixup, but none of the weights"
    assert refusal(residual_net(), init.Mixed(rules)).startswith(said)
    rules = [
        {"match": r"(stem|head)\..*", "init": init.Zero()},
        {"match": ".*weight", "init": "fixup"},
    ]
    assert drawn(residual_net(), init.Mixed(rules))["body.0.0.weight"].std == 0.5 * 3**-0.5


# --- networks that are not known


class Custom(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        self.first, self.second = dense(), dense()

    def hybrid_forward(self, F, x):
        return x + self.second(self.first(x))


class Said(Custom):
    def data_flow(self):
        return Branch(Chain(["first", "second"]))


UNKNOWN = [init.Fixup(), init.ResidualScaled(), init.Siren(), init.Mup(), init.Skipinit()]


@pytest.mark.parametrize("initializer", UNKNOWN)
def test_a_block_that_says_nothing_needs_options_by_hand(initializer):
    said = refusal(named(stem=dense(), body=Custom()), initializer)
    assert "is not given, and 'body' (Custom) does not say how its layers follow each other" in said
    assert "define data_flow in that class (engine.gluon.flow)" in said


def test_options_by_hand_serve_where_the_network_is_not_known():
    given = init.Fixup(1, 2, [r"first\.weight"], [r"second\.weight"])
    assert drawn(Custom(), given)["second.weight"] == laws.Constant(0.0)


def test_a_class_that_says_its_flow_needs_none():
    found = drawn(named(stem=dense(), body=Said(), head=dense()), init.Fixup())
    assert found["body.second.weight"] == laws.Constant(0.0)


def test_a_parameter_alone_has_no_network():
    with pytest.raises(ValueError, match="layers is not given, and the network is not known here"):
        dense().weight.initialize(init.ResidualScaled())


def test_deferred_initialization_knows_the_network_too():
    net = named(stem=nn.Dense(8), body=nn.Residual(nn.Dense(8), nn.Dense(8)), head=nn.Dense(8))
    net.initialize(init.Fixup())
    assert (net(nd.ones((2, 4))).asnumpy() == 0).all()
    assert net[1][1].weight.origin.law == laws.Constant(0.0)


def test_an_initializer_of_one_layer_knows_its_network():
    net = named(stem=dense(), body=nn.Residual(dense(weight_initializer=init.ResidualScaled())))
    net.initialize(init.Normal())
    assert net[1][0].weight.origin.law == laws.Normal(0.0, 0.02)


def test_branches_without_a_multiplier_are_named():
    net = named(a=skips(), b=residual(), c=residual(), head=dense())
    note_sites(net)
    described = [
        Description(path, path, one.shape, roles=one.roles, site=one.site)
        for path, one in net.structural_params().items()
    ]
    said = "skipinit finds no multiplier at the end of the branch 'b' and 1 more"
    assert init.Skipinit().check_network(described) == [said]
