"""Blocks that add branches to a stream: `join` is the one place where they do, so it can be seen.

A residual network is a stream x to which each block adds the output of a branch, x + f(x).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from initlab.engine.gluon.block import HookHandle
from initlab.engine.gluon.hybrid_block import HybridBlock
from initlab.engine.gluon.parameter_dict import ParameterDict


class Joining(HybridBlock):
    """Base of blocks that add the outputs of some children to what enters them.

    A subclass says in `branch_ends` which children end a branch, and adds with `join`.
    """

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        super().__init__(prefix, params)
        self._join_hooks: OrderedDict[int, Callable[..., object]] = OrderedDict()

    @property
    def branch_ends(self) -> tuple[str, ...]:
        """The names of the children whose outputs are added, in the order of the additions."""
        raise NotImplementedError(f"{type(self).__name__} defines no branch_ends")

    @property
    def activated(self) -> bool:
        """Whether an activation follows the last addition."""
        return False

    def join(self, stream: Any, branch: Any, end: str) -> Any:
        """Return stream + branch; `end` is the name of the child that ends the branch."""
        total = stream + branch
        for hook in tuple(self._join_hooks.values()):
            hook(self, end, stream, branch, total)
        return total

    def register_join_hook(
        self, hook: Callable[[Joining, str, Any, Any, Any], object]
    ) -> HookHandle:
        """Call `hook(block, end, stream, branch, total)` after every addition."""
        return HookHandle(self._join_hooks, hook)
