"""Laws whose values come from somewhere else: a snapshot file, or a user's own code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from initlab.engine import formats
from initlab.engine.errors import FormatError, LawError
from initlab.engine.formats import pages
from initlab.engine.laws.base import Invariant, Law
from initlab.engine.streams import Key


@dataclass(frozen=True)
class Loaded(Law):
    """A tensor of a snapshot file, cast to the parameter's dtype.

    Example: {kind: loaded, file: values.safetensors, tensor: 0.weight}
    """

    random: ClassVar[bool] = False
    file: str
    """The file."""
    tensor: str
    """The name of the tensor in it."""

    @classmethod
    def of(cls, file: str, tensor: str, snapshot: formats.Snapshot) -> Loaded:
        """Return the law of a tensor in a snapshot that `formats.open_shared` gave for the file."""
        law = cls(file, tensor)
        law.__dict__["_snapshot"] = snapshot
        return law

    @cached_property
    def _snapshot(self) -> formats.Snapshot:
        """The file as it was when it was first read: all slices are of the same values."""
        return formats.open_shared(self.file)

    def __reduce__(self) -> tuple[type[Loaded], tuple[str, str]]:
        """A copy opens the file for itself."""
        return type(self), (self.file, self.tensor)

    def read(self) -> np.ndarray:
        """Return the tensor, mapped into memory where the format allows it; nobody may write to it.

        Raises FormatError if the file is damaged, LawError if it lacks the tensor.
        """
        name = self._snapshot.aliases.get(self.tensor, self.tensor)
        if name not in self._snapshot.tensors:
            raise LawError(f"{self.file}: has no tensor '{self.tensor}'")
        return self._snapshot.tensors[name]

    def _write(self, key: Key, shape: tuple[int, ...], start: int, out: np.ndarray) -> None:
        """Copy and cast elements, some at a time, and release the pages that they were in."""
        stored = self.read()
        if stored.shape != tuple(shape):
            raise LawError(
                f"{self.file}: '{self.tensor}' has shape {stored.shape}, the parameter {tuple(shape)}"
            )
        for at in range(0, out.size, pages.BLOCK):
            part = out[at : at + pages.BLOCK]
            found = pages.elements(stored, start + at, start + at + part.size)
            part[:] = self._rounded(found, out.dtype)
            pages.release(found)
        if start + out.size == stored.size:
            pages.release(stored)  # elements in another order came from all over it

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that every element equals the file's; NaN equals NaN."""
        return self._none_wrong("elements that differ from the file", values)

    def check_unchanged(self) -> None:
        """Raise LawError if the file is not as it was when it was first read."""
        try:
            unchanged = formats.open_shared(self.file) is self._snapshot
        except (FormatError, OSError):
            unchanged = False
        if not unchanged:
            raise LawError(f"{self.file}: was changed while it was read - run again")

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
