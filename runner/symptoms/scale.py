"""Scales: the figures at which something becomes odd, harmful and fatal."""

from __future__ import annotations

import math
from dataclasses import dataclass

BOUNDED = 0.99
"""The most that a figure beyond a scale without a fatal end comes to within its last step."""


@dataclass(frozen=True)
class Scale:
    """The figures at which something becomes odd, harmful and fatal; None if it never does.

    They rise, or fall if small figures are bad. `docs/diagnosis.md` has the experiment behind each.
    """

    odd: float
    harmful: float | None = None
    fatal: float | None = None

    def place(self, figure: float) -> float:
        """Return where a figure lies: below 0 it is none of these, from 0 odd, from 1 harmful, from 2
        fatal.

        Between two ends, and beyond them, it is interpolated in the logarithm, so that figures can
        be compared across scales. NaN and what is infinite lie at the bad end.
        """
        ends = [end for end in (self.odd, self.harmful, self.fatal) if end is not None]
        falling = len(ends) > 1 and ends[1] < ends[0]
        if math.isnan(figure):
            return float(len(ends) - 1)
        at = [_log(end) * (-1 if falling else 1) for end in ends]
        x = _log(figure) * (-1 if falling else 1)
        width = at[1] - at[0] if len(at) > 1 else 1.0
        if x < at[0]:
            return (x - at[0]) / width
        for number, (low, high) in enumerate(zip(at, at[1:], strict=False)):
            if x < high:
                return number + (x - low) / (high - low)
        last = at[-1] - at[-2] if len(at) > 1 else 1.0
        beyond = (x - at[-1]) / last
        top = len(at) - 1
        return top + (beyond if self.fatal is not None else min(beyond, BOUNDED))


def _log(figure: float) -> float:
    """Return the logarithm, bounded where there is none."""
    return math.log(min(max(figure, 1e-320), 1e300))
