"""Where parameters stand in a network: which layers come first and last, and which end a branch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_nets import named

from initlab.engine import init
from initlab.engine.gluon import nn, rnn
from initlab.engine.gluon.contrib.nn import HybridConcurrent
from initlab.engine.gluon.flow import Branch, Chain
from initlab.engine.gluon.sites import note_sites


def sites(net):
    note_sites(net)
    return {path: one.site for path, one in net.structural_params().items()}


def having(net, attribute):
    """The paths of the parameters whose site has something true, without biases."""
    return [
        path
        for path, site in sites(net).items()
        if getattr(site, attribute) and not path.endswith(("bias", "gamma", "beta"))
    ]


def residual(*layers, **options):
    return nn.Residual(*layers, **options)


def dense(**options):
    return nn.Dense(4, **options)


def test_the_first_and_the_last_layer_and_the_ends_of_branches_are_found():
    net = named(
        stem=dense(activation="relu"),
        a=residual(dense(), nn.Activation("relu"), dense()),
        b=residual(nn.LayerNorm(), dense(), nn.Dropout(0.5)),
        head=dense(),
    )
    assert having(net, "input") == ["stem.weight"]
    assert having(net, "output") == ["head.weight"]
    assert having(net, "ends") == ["a.2.weight", "b.1.weight"]
    assert having(net, "branch") == ["a.0.weight", "a.2.weight", "b.1.weight"]
    found = sites(net)
    assert [found[path].layers for path in ("a.0.weight", "b.1.weight", "head.weight")] == [2, 1, 0]
    assert found["a.0.bias"] == found["a.0.weight"]
    assert {site.layout.branches for site in found.values()} == {2}
    assert found["b.0.gamma"].branch is None


def test_a_network_that_ends_in_a_branch_has_its_end_as_last_layer_but_not_the_stem():
    net = named(stem=dense(), a=residual(dense(), dense()))
    assert having(net, "output") == ["a.1.weight"]


def test_each_layer_side_by_side_is_followed():
    side = HybridConcurrent(axis=1)
    side.add(named(a=dense(), b=dense(), c=dense()), dense())
    net = named(wide=residual(side, dense()), heads=HybridConcurrent(axis=1))
    net[1].add(dense(), dense())
    found = sites(net)
    assert having(net, "input") == ["wide.0.0.a.weight", "wide.0.1.weight"]
    assert having(net, "output") == ["heads.0.weight", "heads.1.weight"]
    assert having(net, "ends") == ["wide.1.weight"]
    assert [found[f"wide.0.{one}.weight"].layers for one in ("0.a", "0.c", "1")] == [4, 4, 2]
    ends = residual(side)
    assert having(ends, "ends") == ["0.0.c.weight", "0.1.weight"]


def test_a_shortcut_is_in_no_branch_and_a_branch_in_a_branch_has_its_own_layers():
    net = named(
        down=residual(dense(), dense(), shortcut=dense()),
        outer=residual(residual(dense(), dense()), residual(dense(), dense()), dense()),
    )
    assert having(net, "ends") == ["down.1.weight", "outer.0.1.weight", "outer.1.1.weight"] + [
        "outer.2.weight"
    ]
    found = sites(net)
    assert found["down.shortcut.weight"].branch is None
    assert found["outer.0.0.weight"].branch == "outer.0"
    assert (found["outer.2.weight"].branch, found["outer.2.weight"].layers) == ("outer", 1)
    assert found["outer.2.weight"].layout.branches == 4


def test_only_a_learned_factor_behind_the_last_layer_of_a_branch_is_a_multiplier():
    learned = {"learnable": True}
    net = named(
        start=nn.Scale(1, **learned),
        a=residual(nn.Scale(1, **learned), dense(), nn.Scale(1, **learned), nn.Shift()),
        b=residual(dense(), nn.Scale(2)),
        end=nn.Scale(1, **learned),
    )
    assert having(net, "multiplier") == ["a.2.scale"]


def test_attention_and_feed_forward_layers_are_two_branches():
    for pre_norm in (True, False):
        net = named(
            embed=nn.Embedding(9, 4),
            positions=nn.PositionEmbedding(9, 4),
            block=nn.TransformerBlock(4, 2, pre_norm=pre_norm),
            head=dense(flatten=False),
        )
        assert having(net, "ends") == ["block.attention.projection_weight", "block.contract.weight"]
        assert having(net, "packs") == ["block.attention.qkv_weight"]
        assert having(net, "offset") == ["positions.weight"]
        assert having(net, "input") == ["embed.weight"]
        found = sites(net)["block.expand.weight"]
        assert (found.layers, found.layout.branches, found.layout.attention) == (2, 2, True)


def test_the_factor_before_a_sine_and_those_of_streams_are_found():
    net = named(
        first=dense(),
        w0=nn.Scale(30),
        sine=nn.Activation("sin"),
        a=dense(activation="sin"),
        b=residual(dense(), shortcut=nn.Scale(1.5)),
        c=dense(),
        relu=nn.Activation("relu"),
        late=nn.Activation("sin"),
    )
    found = sites(net)
    sine = {path: site.sine for path, site in found.items() if path.endswith("weight")}
    assert sine == {"first.weight": 30, "a.weight": 1, "b.0.weight": None, "c.weight": None}
    assert found["c.weight"].layout.sines == (30, 1)
    assert found["c.weight"].layout.skips == (1.5,)


def test_a_recurrent_layers_own_output_is_no_input_of_the_network():
    net = named(rnn=rnn.LSTM(3, layout="NTC"), head=dense())
    found = sites(net)
    assert [path for path, site in found.items() if site.input and path.endswith("weight")] == [
        path for path in found if path.startswith("rnn") and path.endswith("i2h_weight")
    ]


def test_a_tied_weight_is_first_and_last_if_one_of_its_places_is():
    embed = nn.Embedding(4, 4)
    net = named(embed=embed, hidden=dense(in_units=4), head=dense(in_units=4, use_bias=False))
    net[2].tie("weight", embed.weight)
    found = sites(net)["embed.weight"]
    assert found.input and found.output and sites(net)["head.weight"] == found


class Net(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        self.first, self.second = dense(), dense()

    def hybrid_forward(self, F, x):
        return x + self.second(self.first(x))


class Said(Net):
    def data_flow(self):
        return Branch(Chain(["first", "second"]))


def test_a_block_that_does_not_say_how_it_computes_leaves_all_sites_unknown():
    found = sites(named(stem=dense(), body=Net()))
    assert {site.layout.unknown for site in found.values()} == {"'body' (Net)"}
    assert not any(site.input or site.branch for site in found.values())
    assert {site.layout.unknown for site in sites(Net()).values()} == {"Net"}


def test_a_class_of_ones_own_can_say_it():
    assert having(named(stem=dense(), body=Said()), "ends") == ["body.second.weight"]


def test_a_layer_of_ones_own_is_one_layer_of_all_its_parameters():
    class Linear(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.a = self.params.get("a", shape=(4, 4))
            self.b = self.params.get("b", shape=(4,))

    found = sites(named(one=residual(Linear()), two=Linear()))
    assert [path for path, site in found.items() if site.ends] == ["one.0.a", "one.0.b"]
    assert [path for path, site in found.items() if site.output] == ["two.a", "two.b"]


def test_initializing_notes_sites_only_for_an_initializer_that_asks():
    net = named(a=dense(in_units=4), b=residual(dense(in_units=4)))
    net.initialize(init.Normal())
    assert {one.site for one in net.structural_params().values()} == {None}
    net.initialize(init.Fixup(), force_reinit=True)
    assert net.b[0].weight.site.ends if hasattr(net, "b") else net[1][0].weight.site.ends


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_branches_and_their_layers_are_counted(layers):
    net = nn.HybridSequential()
    net.add(dense(), *(residual(*(dense() for _ in range(m))) for m in layers), dense())
    found = sites(net)
    assert found["0.weight"].layout.branches == len(layers)
    counted = [found[f"{number}.0.weight"].layers for number in range(1, len(layers) + 1)]
    assert counted == layers
    assert sum(site.ends for path, site in found.items() if path.endswith("weight")) == len(layers)


@pytest.mark.parametrize("depth", [3000])
def test_a_deep_network_takes_time_in_proportion_to_its_depth(depth):
    net = nn.HybridSequential()
    net.add(*(residual(dense(use_bias=False)) for _ in range(depth)))
    assert sites(net)["0.0.weight"].layout.branches == depth
