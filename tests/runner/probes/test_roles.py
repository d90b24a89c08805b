"""Which layers have a row, and what each is in its network."""

from __future__ import annotations

import pytest

from initlab.engine.gluon import nn, rnn
from initlab.engine.gluon.contrib.nn import HybridConcurrent
from initlab.runner.probes.roles import layers_with_rows, roles_of


def roles(net, declared=()):
    return roles_of(layers_with_rows(net, declared))


def chain(*blocks, **named) -> nn.HybridSequential:
    made = nn.HybridSequential()
    made.add(*blocks)
    for name, block in named.items():
        made.register_child(block, name)
    return made


class Gate(nn.HybridSequential):
    """A container of a plugin: x * f(x)."""

    def hybrid_forward(self, F, x):
        return x * super().hybrid_forward(F, x)


class Last(nn.HybridSequential):
    """A sequence under another name."""


def test_a_layer_has_a_row_and_a_sequence_has_none():
    found = roles(
        chain(stem=nn.Dense(4, activation="relu"), body=chain(nn.Dense(4), nn.BatchNorm()))
    )
    assert list(found) == ["stem", "body.0", "body.1"]
    assert [role.kind for role in found.values()] == ["dense", "dense", "batch_norm"]
    assert not any(role.stream or role.inside or role.joins for role in found.values())


@pytest.mark.parametrize("container", [nn.Residual, HybridConcurrent, Gate])
def test_a_container_whose_output_is_not_its_last_childs_has_a_row_after_them(container):
    block = container()
    block.add(nn.Dense(4), nn.Dense(4))
    found = roles(chain(block=block))
    assert list(found) == ["block.0", "block.1", "block"]
    assert [role.stream for role in found.values()] == [False, False, True]
    assert [role.inside for role in found.values()] == ["block", "block", None]


def test_a_sequence_of_a_plugin_has_no_row_unless_it_is_declared_as_a_layer():
    net = chain(part=Last())
    net[0].add(nn.Dense(3))
    assert list(roles(net)) == ["part.0"]
    declared = roles(net, ("part",))
    assert list(declared) == ["part.0", "part"]
    assert not declared["part"].stream and declared["part.0"].inside == "part"


def test_the_last_row_of_a_branch_says_which_container_adds_it():
    inner = nn.Residual(nn.Dense(4))
    outer = nn.Residual(nn.Dense(4), chain(nn.Dense(4), inner), shortcut=chain(nn.Dense(4)))
    found = roles(chain(outer=outer))
    assert {path: role.joins for path, role in found.items() if role.joins} == {
        "outer.1.1.0": "outer.1.1",
        "outer.1.1": "outer",
    }
    assert found["outer.shortcut.0"].inside == "outer"


def test_a_transformer_block_shows_its_layers_and_both_branches():
    found = roles(chain(block=nn.TransformerBlock(4, 2)))
    assert list(found) == [
        *(f"block.{name}" for name in ("norm1", "attention", "norm2", "expand", "contract")),
        "block",
    ]
    assert {path for path, role in found.items() if role.joins == "block"} == {
        "block.attention",
        "block.contract",
    }


def test_a_block_at_two_places_has_one_row_and_the_steps_of_cells_have_none():
    dense = nn.Dense(4)
    assert list(roles(chain(a=dense, b=dense, c=rnn.LSTMCell(3)))) == ["a"]
