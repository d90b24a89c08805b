"""Laws whose values come from somewhere else: a snapshot file, or a user's own code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from initlab.engine import formats
from initlab.engine.errors import LawError
from initlab.engine.laws.base import Invariant, Law
from initlab.engine.streams import Key


@dataclass(frozen=True)
class Loaded(Law):
    """A tensor of a snapshot file, cast to the parameter's dtype.

    Example: {kind: loaded, file: values.safetensors, tensor: 0.weight}
    """

    random: ClassVar[bool] = False
    sliceable: ClassVar[bool] = False
    file: str
    """The file."""
    tensor: str
    """The name of the tensor in it."""

    def read(self) -> np.ndarray:
        """Return the tensor in the file. Raises FormatError if the file is damaged, LawError if it
        lacks it.
        """
        snapshot = formats.open_shared(self.file)
        name = snapshot.aliases.get(self.tensor, self.tensor)
        if name not in snapshot.tensors:
            raise LawError(f"{self.file}: has no tensor '{self.tensor}'")
        return snapshot.tensors[name]

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        values = self.read()
        if values.shape != tuple(shape):
            raise LawError(
                f"{self.file}: '{self.tensor}' has shape {values.shape}, the parameter {tuple(shape)}"
            )
        return self._rounded(values.reshape(-1)[start:end], dtype)

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that every element equals the file's; NaN equals NaN."""
        expected = self._rounded(self.read(), values.dtype)
        both_nan = (values != values) & (expected != expected)
        wrong = int(((values != expected) & ~both_nan).sum())
        return [Invariant("elements that differ from the file", wrong, 0, wrong == 0)]

    def __str__(self) -> str:
        return f"Loaded({Path(self.file).name}: {self.tensor})"


@dataclass(frozen=True)
class Custom(Law):
    """The values of a user's `_init_weight`. What it draws from `nd.random` comes from the
    parameter's own stream.

    Example: {kind: custom, name: MyInit}
    """

    sliceable: ClassVar[bool] = False
    name: str
    """The name of the user's class."""

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        raise LawError(
            f"the values of {self.name} come from its own code - initialize a parameter with it"
        )

    def check_stream(self, name: str) -> None:
        """Do nothing: the user's code draws from `nd.random`, which itself refuses what a stream
        does not have.
        """

    def __str__(self) -> str:
        return f"Custom({self.name})"
