"""The calls of blocks, as they begin and end, and the additions within."""

from __future__ import annotations

import pytest

from initlab.engine import nd
from initlab.engine.gluon import nn
from initlab.runner.probes.following import blocks_by_path, following


def net_with_a_branch():
    net = nn.HybridSequential()
    net.add(nn.Dense(3, activation="relu"), nn.Residual(nn.Dense(3), activation="relu"))
    net.initialize()
    return net


def test_a_container_begins_before_and_ends_after_what_it_holds():
    net, told = net_with_a_branch(), []
    blocks = {"": net, "1": net[1], "1.0": net[1][0]}
    with following(
        blocks,
        lambda call: told.append(f"end {call.path}"),
        lambda addition: told.append(f"{addition.path} adds {addition.end}"),
        lambda path: told.append(f"begin {path}"),
    ):
        net(nd.ones((2, 4)))
    wanted = ["begin ", "begin 1", "begin 1.0", "end 1.0", "1 adds 0", "end 1", "end "]
    assert told == wanted


def test_a_call_has_what_was_given_and_returned_and_what_its_activation_was_given():
    net, calls = net_with_a_branch(), {}
    x = nd.array([[1.0, -2.0, 3.0, 4.0]])
    with following({"a": net[0], "b": net[1]}, lambda call: calls.setdefault(call.path, call)):
        out = net(x)
    assert calls["a"].arguments == (x,) and calls["b"].returned is out
    for path in "ab":
        before = calls[path].before.asnumpy()
        assert (before.clip(0) == calls[path].returned.asnumpy()).all() and (before < 0).any()


def test_nothing_is_followed_after_an_error_or_at_the_end():
    net, calls = net_with_a_branch(), []
    with pytest.raises(RuntimeError), following(blocks_by_path(net), calls.append):
        raise RuntimeError
    net(nd.ones((2, 4)))
    assert calls == []


def test_a_block_at_several_places_has_its_first_path():
    dense, net = nn.Dense(2), nn.HybridSequential()
    net.add(dense, nn.Dense(2), dense)
    assert list(blocks_by_path(net)) == ["", "0", "1"]
