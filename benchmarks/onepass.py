"""`python -m benchmarks.onepass [--elements N] [--rounds N]`: all statistics of one float32 tensor in memory, against summing it.

One thread each, interleaved, the order turning from round to round; the ratio of medians to `x.sum(dtype=float64)` has a bar.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.normal import at_least_one
from engine import streams
from engine.streams import Key
from runner.stats.onepass import summarize

BARS = {"numpy": 10.0, "numba": 5.0}
"""Times the sum's own time that the statistics may take."""


def contenders(x: np.ndarray) -> dict[str, Callable[[], object]]:
    """Name -> what looks at all elements of x once more."""
    found: dict[str, Callable[[], object]] = {"sum": lambda: x.sum(dtype=np.float64)}
    for implementation in BARS:
        try:
            summarize(x[:1], implementation=implementation)
        except ImportError:
            print(f"{implementation} is not installed, so it is left out")
            continue
        found[implementation] = lambda name=implementation: summarize(x, 1, implementation=name)  # type: ignore[misc]
    return found


def measure(count: int, rounds: int) -> dict[str, list[float]]:
    """Name -> seconds of each round."""
    runners = list(contenders(streams.normal(Key(0, "0.weight"), 0, count, 0.0, 0.01)).items())
    seconds: dict[str, list[float]] = {name: [] for name, _ in runners}
    for number in range(rounds):
        turn = number % len(runners)
        for name, look in runners[turn:] + runners[:turn]:
            start = time.perf_counter()
            look()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    """Print a line a contender: median and range in ns an element, the ratio to the sum, its bar and whether that is reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.onepass")
    parser.add_argument("--elements", type=at_least_one, default=100_000_000)
    parser.add_argument("--rounds", type=at_least_one, default=5)
    given = parser.parse_args()
    seconds = measure(given.elements, given.rounds)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"{given.elements:,} float32, 1 thread, median of {given.rounds} interleaved rounds (numpy {np.__version__})")
    for name, median in medians.items():
        low, high, each = (1e9 * value / given.elements for value in (min(seconds[name]), max(seconds[name]), median))
        ratio = median / medians["sum"]
        verdict = (
            f"{ratio:5.2f} times the sum, bar {BARS[name]:.0f}: {'reached' if ratio <= BARS[name] else 'MISSED'}" if name in BARS else ""
        )
        print(f"{name:<8} {each:6.2f} ns an element ({low:.2f} to {high:.2f})  {verdict}")


if __name__ == "__main__":
    main()
