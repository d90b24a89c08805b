"""Blocks that hold blocks: one after the other, and around a shortcut."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from engine.errors import MXNetError
from engine.gluon.block import Block, HybridBlock, Shape, _listing, located


class _Chain(Block):
    """What both kinds of sequence have in common: children in order, by number or by name."""

    def add(self, *blocks: Block) -> None:
        """Append blocks."""
        for block in blocks:
            self.register_child(block)

    def _chain(self, x: Any, *args: Any) -> Any:
        for block in self._children.values():
            x = block(x, *args)
            args = ()
            if isinstance(x, (tuple, list)):
                args, x = tuple(x[1:]), x[0]
        return (x, *args) if args else x

    def infer_shape(self, shape: Shape) -> Any:  # type: ignore[override]
        """The shape after all children."""
        for name, block in self._children.items():
            with located(name):
                shape = block.infer_shape(shape)
        return shape

    def __repr__(self) -> str:
        return _listing(type(self).__name__, list(self._children.items()))

    def __getitem__(self, key: int | slice) -> Any:
        found = list(self._children.values())[key]
        if not isinstance(found, list):
            return found
        part = type(self)(prefix=self._prefix)
        part.add(*found)
        return part

    def __len__(self) -> int:
        return len(self._children)

    def __iter__(self) -> Iterator[Block]:
        return iter(self._children.values())


class Sequential(_Chain):
    """Blocks one after the other."""

    def forward(self, x: Any, *args: Any) -> Any:
        """The last block's output."""
        return self._chain(x, *args)

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """As `Block.hybridize`; warns where HybridSequential would do."""
        if self._children and all(isinstance(child, HybridBlock) for child in self._children.values()):
            warnings.warn(
                f"All children of this Sequential layer '{self.prefix}' are HybridBlocks. Consider using HybridSequential for the best "
                "performance.",
                stacklevel=2,
            )
        super().hybridize(active, **kwargs)


class HybridSequential(_Chain, HybridBlock):
    """Hybrid blocks one after the other."""

    def forward(self, x: Any, *args: Any) -> Any:
        """The last block's output."""
        return self._chain(x, *args)


class Residual(HybridSequential):
    """x + f(x), f being its children in order. MXNetError where f changes the shape."""

    def __init__(self, *layers: Block, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.add(*layers)

    def _check(self, before: Shape, after: Shape) -> None:
        if before != after:
            raise MXNetError(f"residual: its layers turn shape {before} into {after}, so the input cannot be added")

    def forward(self, x: Any, *args: Any) -> Any:
        """x + f(x)."""
        y = super().forward(x, *args)
        self._check(x.shape, y.shape)
        return x + y

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """The input's."""
        self._check(shape, super().infer_shape(shape))
        return shape

    def __getitem__(self, key: int | slice) -> Any:
        found = list(self._children.values())[key]
        return type(self)(*found, prefix=self._prefix) if isinstance(found, list) else found
