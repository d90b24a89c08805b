"""`python -m benchmarks.onepass [--elements N] [--rounds N]` times all statistics of one float32
tensor in memory, against summing it.

It uses one thread. The bars: 1.2 times the time of `x.sum(dtype=float64)` for the kernels in C, and
ten times for NumPy's.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np

from benchmarks.rounds import Bar, at_least_one, interleaved
from initlab.engine import native, streams
from initlab.engine.streams import Key
from initlab.runner.stats.onepass import summarize

BARS = (Bar("numpy", "sum", 1 / 10), Bar("compiled", "sum", 1 / 1.2))


def contenders(x: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that read all elements of x once."""
    found: dict[str, Callable[[], object]] = {
        "sum": lambda: x.sum(dtype=np.float64),
        "numpy": lambda: summarize(x, 1, implementation="numpy"),
    }
    if native.cores():
        found["compiled"] = lambda: summarize(x, 1, implementation=native.cores()[0])
    else:
        print(f"there are no kernels in C: {native.why_not()}")
    return found


def main() -> None:
    """Print a line for each contender, in ns per element, and a line for each bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.onepass")
    parser.add_argument("--elements", type=at_least_one, default=100_000_000)
    parser.add_argument("--rounds", type=at_least_one, default=5)
    given = parser.parse_args()
    seconds = interleaved(
        contenders(streams.normal(Key(0, "0.weight"), 0, given.elements, 0.0, 0.01)), given.rounds
    )
    print(
        f"statistics of {given.elements:,} float32, 1 thread, median of {given.rounds} interleaved rounds "
        f"(numpy {np.__version__})"
    )
    for name, times in seconds.items():
        low, high, each = (
            1e9 * value / given.elements
            for value in (min(times), max(times), statistics.median(times))
        )
        print(f"  {name:<8} {each:6.2f} ns an element ({low:.2f} to {high:.2f})")
    for bar in BARS:
        if bar.ours in seconds:
            print("  " + bar.line(seconds))


if __name__ == "__main__":
    main()
