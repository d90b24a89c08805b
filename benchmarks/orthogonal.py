"""`python -m benchmarks.orthogonal [--rounds N]` times orthogonal float32 tensors drawn by laws.Haar,
which checks them, against torch's `nn.init.orthogonal_`, with two threads each.

The bars are for one large tensor, and for 64 tensors that `laws.fill_many` draws and a loop of
`orthogonal_` does. Other sizes, tall, wide and convolutional shapes, drawn one by one, follow.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable

import numpy as np

from benchmarks.rounds import Bar, Seconds, at_least_one, interleaved
from initlab.engine import laws, streams
from initlab.engine.streams import Key

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

THREADS = 2
BARS = (
    (1, (2048, 2048), Bar("2048 x 2048", "torch orthogonal_", 1.2)),
    (64, (512, 512), Bar("64 of 512 x 512", "torch orthogonal_", 1.2)),
)
OTHERS = (
    *((n, n) for n in (64, 128, 256, 512, 1024)),
    (4096, 512),
    (512, 4096),
    (64, 3, 7, 7),
    (256, 128, 3, 3),
    (512, 512, 3, 3),
)
ENOUGH = 1 << 18
"""Elements drawn in one round at least."""


def contenders(name: str, times: int, shape: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that draw `times` tensors."""
    out = np.empty((times, int(np.prod(shape))), np.float32)
    law = laws.Haar()
    tasks = [(law, Key(0, f"{i}"), shape, 0, values) for i, values in enumerate(out)]
    found: dict[str, Callable[[], object]] = {name: lambda: laws.fill_many(tasks)}
    if torch is not None:
        tensors = [torch.empty(shape) for _ in range(times)]
        found["torch orthogonal_"] = lambda: [torch.nn.init.orthogonal_(one) for one in tensors]
    return found


def one_by_one(shape: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that draw tensors, each when the last is finished."""
    times = max(1, ENOUGH // int(np.prod(shape)))
    found = contenders("ours", times, shape)
    return found | {"ours": lambda: [laws.Haar().draw(Key(0, "w"), shape) for _ in range(times)]}


def line(title: str, seconds: Seconds) -> str:
    """Return the medians of all contenders."""
    times = (
        f"   {name} {statistics.median(found) * 1e3:9.2f} ms" for name, found in seconds.items()
    )
    return f"{title:<20}{''.join(times)}"


def main() -> None:
    """Print the medians and a line for each bar, then the other shapes with their ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orthogonal")
    parser.add_argument("--rounds", type=at_least_one, default=9)
    given = parser.parse_args()
    streams.threads(THREADS)
    if torch is not None:
        torch.set_num_threads(THREADS)
    print(f"median of {given.rounds} interleaved rounds, {THREADS} threads each")
    for times, shape, bar in BARS:
        seconds = interleaved(contenders(bar.ours, times, shape), given.rounds)
        print(line("", seconds), bar.line(seconds), sep="\n  ", flush=True)
    for shape in OTHERS:
        seconds = interleaved(one_by_one(shape), given.rounds)
        print(line(" x ".join(map(str, shape)), seconds), flush=True)


if __name__ == "__main__":
    variable = "OPENBLAS_NUM_THREADS"  # read when NumPy is loaded
    if os.environ.get(variable) != str(THREADS):
        command = [sys.executable, "-m", "benchmarks.orthogonal", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, variable: str(THREADS)})
    main()
