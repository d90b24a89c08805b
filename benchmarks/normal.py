"""Filling one large float32 tensor with normals: ours, NumPy's Generator and torch's `normal_`, one after the other in each round.

The order within a round turns, every contender writes into an array it has touched before, and the median over rounds counts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from engine import streams
from engine.streams import Key

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def contenders(count: int) -> dict[str, Callable[[], object]]:
    """Name -> what fills a tensor of `count` elements."""
    out = np.empty(count, np.float32)
    generator = np.random.Generator(np.random.PCG64(0))

    def ours(threads: int) -> Callable[[], object]:
        def fill() -> object:
            streams.threads(threads)
            return streams.normal(Key(0, "0.weight"), 0, count, 0.0, 0.01, out=out)

        return fill

    found: dict[str, Callable[[], object]] = {
        "initlab, 1 thread": ours(1),
        "initlab, 2 threads": ours(2),
        "NumPy PCG64 standard_normal, 1 thread": lambda: generator.standard_normal(out=out, dtype=np.float32),
    }
    if torch is not None:
        tensor = torch.empty(count)
        torch.set_num_threads(1)
        found["torch normal_, 1 thread"] = lambda: tensor.normal_(0.0, 0.01)
    return found


def measure(count: int, rounds: int) -> dict[str, list[float]]:
    """Name -> seconds of each round."""
    runners = list(contenders(count).items())
    seconds: dict[str, list[float]] = {name: [] for name, _ in runners}
    for _, fill in runners:
        fill()
    for number in range(rounds):
        turn = number % len(runners)
        for name, fill in runners[turn:] + runners[:turn]:
            start = time.perf_counter()
            fill()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def at_least_one(text: str) -> int:
    """A command line's whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def main() -> None:
    """Print a line a contender: median and range, ns an element, and how many times faster ours with one thread is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--elements", type=at_least_one, default=100_000_000)
    parser.add_argument("--rounds", type=at_least_one, default=5)
    given = parser.parse_args()
    seconds = measure(given.elements, given.rounds)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = medians["initlab, 1 thread"]
    versions = f"numpy {np.__version__}" + (f", torch {torch.__version__}" if torch is not None else ", torch is not installed")
    print(f"{given.elements:,} float32 normals, median of {given.rounds} interleaved rounds ({versions})")
    for name, median in medians.items():
        spread = f"{min(seconds[name]):.3f} to {max(seconds[name]):.3f}"
        each = f"{median / given.elements * 1e9:6.2f} ns an element"
        print(f"{name:<38} {median:7.3f} s ({spread})  {each}  {median / ours:5.2f} times ours with 1 thread")


if __name__ == "__main__":
    main()
