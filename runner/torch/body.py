"""The module behind a tree of blocks."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from initlab.engine.arrays import Array
from initlab.engine.gluon.flow import Part


def is_sequence(module: nn.Module) -> bool:
    """Return whether a module only runs those that it holds, one after the other."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


class Body:
    """The module behind a tree of blocks. `build` makes it anew, for one that is on meta."""

    def __init__(
        self, module: nn.Module, build: Callable[[], nn.Module] | None = None, tokens: bool = False
    ) -> None:
        self._build = build
        self.module = module
        self.tokens = tokens
        self.flows: dict[str, Part] = {}
        """Path -> in which order data passes the parts of the module there, where that is known."""
        self.bound: dict[str, Array] = {}
        """Path -> the raw array whose memory the module's parameter uses."""

    def gives_tokens(self, path: str) -> bool:
        """Return whether token numbers enter the module at a path."""
        first, part = "", self.module
        while is_sequence(part) and len(part):
            name, part = next(iter(part.named_children()))
            first = f"{first}.{name}" if first else name
        tables = nn.Embedding | nn.EmbeddingBag
        return isinstance(self.at(path), tables) or (self.tokens and path in ("", first))

    def is_last(self, path: str) -> bool:
        """Return whether the whole module returns what the module at a path returns."""
        last, part = "", self.module
        while is_sequence(part) and len(part):
            name, part = list(part.named_children())[-1]
            last = f"{last}.{name}" if last else name
        return path in ("", last)

    def at(self, path: str) -> nn.Module:
        """Return the module at a path."""
        return self.module.get_submodule(path)

    def make(self) -> None:
        """Make the module for real, if it has no values yet."""
        if self._build is not None:
            self.module, self._build = self._build(), None
