"""`python -m benchmarks.small` times filling the 400 arrays of 200 small layers with normals,
against a loop of torch's `normal_`, and making one tensor of 256 x 20.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np

from benchmarks.rounds import Bar, at_least_one, interleaved
from initlab.engine import laws, native, streams
from initlab.engine.laws.base import Task
from initlab.engine.streams import Key

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

LAYERS = 200
WIDTHS = (8, 96, 17, 64, 40, 33, 80, 24, 12, 56)
BARS = (
    Bar("compiled", "torch", 2.0),
    Bar("numpy", "torch", 1 / 1.5),
    Bar("one, compiled", "one, torch", 1.0),
)
ONE = (256, 20)
"""The shape of the single tensor."""


def shapes() -> list[tuple[int, ...]]:
    """Return the shapes of weights and biases of dense layers, with widths from 8 to 96."""
    found: list[tuple[int, ...]] = []
    before = WIDTHS[0]
    for number in range(LAYERS):
        width = WIDTHS[(7 * number + 3) % len(WIDTHS)]
        found += [(width, before), (width,)]
        before = width
    return found


def tasks() -> list[Task]:
    """Return the arrays, each with its own law, as fan-scaled initializers give them."""
    found: list[Task] = []
    for number, shape in enumerate(shapes()):
        law = laws.Normal(0.0, 0.01 * (1 + number % 20))
        found.append((law, Key(0, f"{number}"), shape, 0, np.empty(shape, np.float32).reshape(-1)))
    return found


def contenders() -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that fill all arrays on one thread."""
    streams.threads(1)
    work = tasks()

    def by_numpy() -> None:
        streams.implementation("numpy")
        laws.fill_many(work)
        streams.implementation("auto")

    found: dict[str, Callable[[], object]] = {"numpy": by_numpy}
    if native.cores():
        found["compiled"] = lambda: laws.fill_many(work)
    if torch is not None:
        tensors = [
            (torch.empty(shape), 0.01 * (1 + number % 20)) for number, shape in enumerate(shapes())
        ]
        torch.set_num_threads(1)
        found["torch"] = lambda: [tensor.normal_(0.0, std) for tensor, std in tensors]
    return found


def makers_of_one() -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that make a single tensor on one thread."""
    law, key = laws.Normal(0.0, 0.01), Key(0, "one")
    found: dict[str, Callable[[], object]] = {}
    if native.cores():
        found["one, compiled"] = lambda: law.draw(key, ONE)
    if torch is not None:
        found["one, torch"] = lambda: torch.empty(ONE).normal_(0.0, 0.01)
    return found


def main() -> None:
    """Print a line for each contender, and a line for each bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small")
    parser.add_argument("--rounds", type=at_least_one, default=99)
    given = parser.parse_args()
    seconds = interleaved(contenders(), given.rounds)
    seconds |= interleaved(makers_of_one(), given.rounds)
    size = sum(int(np.prod(shape)) for shape in shapes())
    print(
        f"{2 * LAYERS} arrays of together {size:,} float32 normals, one thread, median of {given.rounds} "
        "interleaved rounds"
    )
    for name, times in seconds.items():
        print(f"  {name:<14} {statistics.median(times) * 1e3:7.3f} ms")
    for bar in BARS:
        if bar.ours in seconds:
            print("  " + bar.line(seconds))


if __name__ == "__main__":
    main()
