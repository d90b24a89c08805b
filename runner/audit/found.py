"""What an audit finds in one tensor: a kind of law, its numbers, and what cannot be told apart from
it.

    zeros ones constant    every element is the same number
    identity               one number on a diagonal, else 0; at the centre of a convolution's kernel
    pattern                numbers in an order that no chance gives: equal rows, steps, a sequence
    uniform normal truncated normal (2σ, 3σ)
                           independent elements of one law
    orthogonal             rows or columns of one length, at right angles
    blocks                 equal parts of an axis, each with a law of its own
    whole numbers empty    nothing to judge
    trained                the elements depend on each other as no fresh ones do
    unknown                independent elements of none of these laws
    unset                  values that only memory holds which nobody wrote: NaN, infinities, 1e-38
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

ZEROS, ONES, CONSTANT, IDENTITY, PATTERN = "zeros", "ones", "constant", "identity", "pattern"
UNIFORM, NORMAL, CUT_2, CUT_3 = (
    "uniform",
    "normal",
    "truncated normal (2σ)",
    "truncated normal (3σ)",
)
ORTHOGONAL, BLOCKS, INTEGERS, EMPTY = "orthogonal", "blocks", "whole numbers", "empty"
TRAINED, UNKNOWN, UNSET = "trained", "unknown", "unset"
DRAWN = (UNIFORM, NORMAL, CUT_2, CUT_3)
NOT_FRESH = (TRAINED, UNKNOWN, UNSET)


@dataclass(frozen=True)
class Found:
    """The result for one tensor. `numbers` are those of the kind: `bound` of a uniform law, `std`,
    `mean`, `value`, `gain`. `remarks` says what else is seen, like zero rows; `others` maps kinds
    that the values do not exclude to the reason.
    """

    kind: str
    elements: int
    numbers: dict[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    others: dict[str, str] = field(default_factory=dict)
    parts: tuple[Found, ...] = ()
    axis: int | None = None
    """The axis that is divided into `parts`."""

    @property
    def spread(self) -> tuple[float, float] | None:
        """(standard deviation, its relative error) of a law of independent elements, or None."""
        std = self.numbers.get("std")
        if std is None or self.kind not in DRAWN:
            return None
        excess = {UNIFORM: 1.8, NORMAL: 3.0, CUT_2: 2.3662, CUT_3: 2.8303}[self.kind] - 1
        return std, float((excess / 4 / max(1, self.elements)) ** 0.5)

    @property
    def fresh(self) -> bool:
        """Whether nothing says that the values are other than freshly initialized."""
        return self.kind not in NOT_FRESH

    def each(self) -> Iterator[Found]:
        """Yield this, or the parts of blocks."""
        yield from self.parts if self.kind == BLOCKS else (self,)

    def __str__(self) -> str:
        """Return the kind and its numbers in a few words."""
        numbers = ", ".join(f"{name} {value:.5g}" for name, value in self.numbers.items())
        text = f"{self.kind}{f': {numbers}' if numbers else ''}"
        if self.parts:
            said = list(dict.fromkeys(map(str, self.parts)))
            text += f" on axis {self.axis}: {' | '.join(map(str, self.parts)) if len(said) > 1 else said[0]}"
        return text
