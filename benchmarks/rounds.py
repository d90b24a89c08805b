"""Time contenders in turn, and compare ratios with bars.

The order changes from round to round, every contender runs once before timing starts, and a ratio
is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Seconds = dict[str, list[float]]


REACHED, MISSED = "reached", "NOT reached"


def verdict(reached: bool) -> str:
    """Return the end of a line about a bar."""
    return REACHED if reached else MISSED


@dataclass(frozen=True)
class Bar:
    """`theirs` should take at least `times` as long as `ours`."""

    ours: str
    theirs: str
    times: float

    def line(self, seconds: Seconds) -> str:
        """Return the line that says which ratio was reached, or that the other library is not
        installed.
        """
        if self.theirs not in seconds:
            return f"{self.ours}: not measured against {self.theirs}, which is not installed"
        ratio = statistics.median(
            b / a for a, b in zip(seconds[self.ours], seconds[self.theirs], strict=True)
        )
        return (
            f"{self.ours}: {ratio:.2f} times as fast as {self.theirs}, bar {self.times:.3g}: "
            f"{verdict(ratio >= self.times)}"
        )


def interleaved(contenders: Mapping[str, Callable[[], object]], rounds: int) -> Seconds:
    """Return {name: seconds of each round}."""
    runners = list(contenders.items())
    seconds: Seconds = {name: [] for name, _ in runners}
    for _, run in runners:
        run()
    for number in range(rounds):
        turn = number % len(runners)
        for name, run in runners[turn:] + runners[:turn]:
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def at_least_one(text: str) -> int:
    """Return a command line argument as a whole number above zero. Raises ArgumentTypeError
    otherwise.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number
