"""Vectors of tokens to which vectors of positions are added, however a network does it: by a layer for
positions, a second embedding, or a parameter of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from initlab.engine import gluon, nd
from initlab.engine.tape import Node as Step
from initlab.runner.observation.signals import rms_of
from initlab.runner.observation.tree import DEEPEST, Node, host

ADDITIONS = ("add", "broadcast_add")


@dataclass(frozen=True)
class Placed:
    """A sum of token vectors and position vectors: the path of each table, and the rms of what it adds."""

    tokens: str
    token_rms: float
    positions: str
    position_rms: float


@dataclass(frozen=True)
class _Addend:
    """What a sum adds: the path of the table it comes from, whether it is the same for all samples, and
    the values.
    """

    path: str
    same: bool
    values: nd.NDArray


def placed_in(whole: Node, parameters: Mapping[str, gluon.Parameter], batch: int) -> list[Placed]:
    """Return the sums of token vectors and position vectors, each pair of tables once.

    `whole` is the call of the network, whose tape is still there. What is added is of tokens if it comes from
    an embedding and differs between samples, and of positions if it is the same for all of them.
    """
    calls = list(whole.calls())
    sources: dict[int, tuple[str, bool]] = {
        id(node.left): (f"{node.path}.weight", _is_same(node.entered, batch))
        for node in calls
        if isinstance(node.block, gluon.nn.Embedding)
    }
    if not sources:
        return []
    sources |= {
        id(one.data()): (path, True) for path, one in parameters.items() if len(one.shape) > 1
    }
    found: dict[tuple[str, str], Placed] = {}
    for array in (one for node in calls for one in (node.entered, node.left)):
        added = list(_addends(array, array, sources))
        tokens = [one for one in added if not one.same]
        for position in (one for one in added if one.same):
            for token in tokens[:1]:
                sizes = rms_of(host(token.values)), rms_of(host(position.values))
                pair = Placed(token.path, sizes[0], position.path, sizes[1])
                found.setdefault((token.path, position.path), pair)
    return list(found.values())


def _is_same(entered: nd.NDArray, batch: int) -> bool:
    """Return whether what enters an embedding is the same for all samples of a batch of several."""
    given = host(entered)
    if given.ndim < 2 or len(given) != batch:
        return batch > 1
    return batch > 1 and bool(np.all(given == given[:1]))


def _addends(
    array: nd.NDArray, values: nd.NDArray, sources: Mapping[int, tuple[str, bool]], deep: int = 0
) -> Iterator[_Addend]:
    """Yield what a sum on the tape adds; `values` is the addend as it enters the innermost addition."""
    if id(array) in sources:
        yield _Addend(*sources[id(array)], values)
        return
    step = array._node
    if not isinstance(step, Step) or deep > DEEPEST:
        return
    given = [one for one in step.args if isinstance(one, nd.NDArray)]
    if step.name in ADDITIONS and len(given) == 2:
        for one in given:
            yield from _addends(one, one, sources, deep + 1)
    elif len(given) == 1:
        # A function of one array between an addition and a table, like a factor or a slice.
        yield from _addends(given[0], values, sources, deep + 1)
