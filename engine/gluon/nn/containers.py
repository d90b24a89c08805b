"""Containers: sequences of blocks, and residual connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Block, Shape, _listing, located
from initlab.engine.gluon.flow import Branch, Chain, Function, Part, Sine
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn.joining import Joining
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.engine.registry import advice
from initlab.engine.warning import warn

SHORTCUT = "shortcut"
"""The name of the child whose output a residual block adds."""


class _Chain(Block):
    """Base of both kinds of sequence: children in order, found by number or name."""

    def add(self, *blocks: Block) -> None:
        """Append blocks."""
        for block in blocks:
            self.register_child(block)

    def _chained(self) -> list[tuple[str, Block]]:
        """Return (name, child) of the children that run one after the other."""
        return list(self._children.items())

    def _chain(self, x: Any) -> Any:
        for _, block in self._chained():
            x = block(x)
        return x

    def output_shape(self, shape: Shape) -> Any:
        """Return the shape of the last child's output."""
        for name, block in self._chained():
            with located(name):
                shape = block.output_shape(shape)
        return shape

    def data_flow(self) -> Part | None:
        """The children that run one after the other."""
        return Chain([name for name, _ in self._chained()])

    def __repr__(self) -> str:
        return _listing(type(self).__name__, list(self._children.items()))

    def __getitem__(self, key: int | slice) -> Any:
        found = list(self)[key]
        if not isinstance(found, list):
            return found
        part = type(self)(prefix=self._prefix)
        part.add(*found)
        return part

    def __len__(self) -> int:
        return len(self._chained())

    def __iter__(self) -> Iterator[Block]:
        return iter([block for _, block in self._chained()])


class Sequential(_Chain):
    """Blocks run one after the other."""

    output_shape = _Chain.output_shape
    data_flow = _Chain.data_flow

    def forward(self, x: Any) -> Any:
        """Return the last block's output. Each block receives what the one before it returned."""
        return self._chain(x)

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Like `Block.hybridize`, with a warning if all children are hybrid and HybridSequential
        would do.
        """
        if self._children and all(
            isinstance(child, HybridBlock) for child in self._children.values()
        ):
            warn(
                f"All children of this Sequential layer '{self.prefix}' are HybridBlocks. Consider using "
                "HybridSequential for the best "
                "performance."
            )
        super().hybridize(active, **kwargs)


class HybridSequential(_Chain, HybridBlock):
    """Hybrid blocks run one after the other, unless a subclass has a `hybrid_forward` of its own."""

    output_shape = _Chain.output_shape
    data_flow = _Chain.data_flow

    def hybrid_forward(self, F: Functions, x: Any) -> Any:
        """Return the last block's output. Each block receives what the one before it returned."""
        return self._chain(x)


def is_chain(block: Block) -> bool:
    """Return whether a block only runs its children one after the other, so that its output is that
    of the last.
    """
    if isinstance(block, HybridSequential):
        own = type(block).forward, type(block).hybrid_forward
        return own == (HybridBlock.forward, HybridSequential.hybrid_forward)
    return isinstance(block, Sequential) and type(block).forward is Sequential.forward


class Residual(HybridSequential, Joining):
    """activation(shortcut(x) + f(x)), where f runs the children in order (He et al. 2016).

    Without a `shortcut`, x itself is added. The shortcut is the child named `shortcut` and no part
    of f. Raises MXNetError if x or shortcut(x) does not have the shape of f(x).
    """

    def __init__(
        self,
        *layers: HybridBlock,
        shortcut: HybridBlock | None = None,
        activation: str | None = None,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        if activation is not None and activation not in ACTIVATIONS:
            raise ValueError(
                f"no activation '{activation}' - {advice(str(activation), ACTIVATIONS)}"
            )
        self._activation = activation
        self.add(*layers)
        self.shortcut(shortcut)

    def shortcut(self, block: HybridBlock | None) -> None:
        """Set the block whose output is added instead of the input. None changes nothing."""
        if block is not None:
            self.register_child(block, SHORTCUT)

    @property
    def branch_ends(self) -> tuple[str, ...]:
        """The last of the children that run in order."""
        return tuple(name for name, _ in self._chained()[-1:])

    @property
    def activated(self) -> bool:
        """Whether the block has an activation."""
        return self._activation is not None

    def _chained(self) -> list[tuple[str, Block]]:
        return [(name, block) for name, block in self._children.items() if name != SHORTCUT]

    def _check(self, before: Shape, added: Shape, after: Shape) -> None:
        if tuple(added) != tuple(after):
            said = (
                "the input" if SHORTCUT not in self._children else f"its shortcut's {tuple(added)}"
            )
            raise MXNetError(
                f"residual: its layers turn shape {tuple(before)} into {tuple(after)}, so {said} cannot "
                "be added"
            )

    def hybrid_forward(self, F: Functions, x: Any) -> Any:
        """activation(shortcut(x) + f(x))."""
        y, added = super().hybrid_forward(F, x), x
        if SHORTCUT in self._children:
            added = self._children[SHORTCUT](x)
        self._check(x.shape, added.shape, y.shape)
        total = self.join(added, y, "".join(self.branch_ends))
        return total if self._activation is None else ACTIVATIONS[self._activation](total)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of f(x). Raises MXNetError if the shortcut has another shape."""
        after: Shape = super().output_shape(shape)
        added = shape
        if SHORTCUT in self._children:
            with located(SHORTCUT):
                added = self._children[SHORTCUT].output_shape(shape)
        self._check(shape, added, after)
        return after

    def data_flow(self) -> Part:
        """The children as a branch beside the shortcut, then the activation."""
        body = Chain([name for name, _ in self._chained()])
        total = Branch(body, SHORTCUT if SHORTCUT in self._children else None)
        if self._activation is None:
            return total
        return Chain([total, Sine() if self._activation == "sin" else Function()])

    def __getitem__(self, key: int | slice) -> Any:
        found: Any = list(self)[key]
        if not isinstance(found, list):
            return found
        return type(self)(
            *found,
            shortcut=self._children.get(SHORTCUT),  # type: ignore[arg-type]
            activation=self._activation,
            prefix=self._prefix,
        )
