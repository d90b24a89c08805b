"""Branches join a stream where it can be seen."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import init, nd
from initlab.engine.gluon import nn
from initlab.engine.gluon.nn.joining import Joining


def additions(block, x) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Return (branch's end, stream, branch, sum) of each addition in a call of an initialized block."""
    found = []
    with block.register_join_hook(
        lambda _, end, *arrays: found.append((end, *(a.asnumpy() for a in arrays)))
    ):
        block.output = block(x).asnumpy()
    return found


@pytest.fixture
def x():
    return nd.random.normal(0, 1, (2, 3, 4))


def test_a_residual_block_adds_its_last_child(x):
    block = nn.Residual(nn.Dense(5, flatten=False), nn.Dense(4, flatten=False), activation="relu")
    block.initialize(init.Normal(1))
    [(end, stream, branch, total)] = additions(block, x)
    assert (end, block.branch_ends, block.activated) == ("1", ("1",), True)
    assert np.array_equal(stream, x.asnumpy()) and np.array_equal(total, stream + branch)
    assert np.array_equal(block.output, np.maximum(total, 0))


def test_a_shortcut_is_the_stream(x):
    block = nn.Residual(nn.Dense(5, flatten=False), shortcut=nn.Dense(5, flatten=False))
    block.initialize(init.Normal(1))
    [(end, stream, _, total)] = additions(block, x)
    assert end == "0" and not block.activated
    assert np.array_equal(stream, block._children["shortcut"](x).asnumpy())
    assert np.array_equal(block.output, total)


@pytest.mark.parametrize("pre_norm", [True, False])
def test_a_transformer_block_adds_attention_and_the_feed_forward_network(pre_norm, x):
    block = nn.TransformerBlock(4, 2, pre_norm=pre_norm)
    block.initialize(init.Normal(1))
    (first, stream, _, middle), (second, after, _, last) = additions(block, x)
    assert (first, second) == block.branch_ends == ("attention", "contract")
    assert np.array_equal(stream, x.asnumpy())
    assert np.array_equal(after, middle) is pre_norm
    assert np.array_equal(block.output, last) is pre_norm


def test_nothing_is_seen_after_the_hook_is_removed(x):
    block = nn.Residual(nn.Dense(4, flatten=False))
    block.initialize(init.Normal(1))
    found = additions(block, x)
    block(x)
    assert len(found) == 1


def test_a_block_without_branch_ends_says_so():
    with pytest.raises(NotImplementedError, match="Joining defines no branch_ends"):
        _ = Joining().branch_ends
