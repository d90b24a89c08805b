"""`python -m benchmarks.normal` times filling one large float32 tensor with normals, uniforms and
truncated normals: by NumPy and by the fastest core on one and two threads, by NumPy's Generator and by torch.

Every contender writes into an array that it has written to before.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np

from benchmarks.rounds import Bar, Seconds, at_least_one, interleaved
from initlab.engine import native, streams
from initlab.engine.streams import Distribution, Key, distribution

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

NORMAL_BARS = (
    Bar("compiled, 1 thread", "torch normal_, 1 thread", 3.5),
    Bar("compiled, 2 threads", "torch normal_, 1 thread", 6.5),
    Bar("numpy, 1 thread", "NumPy PCG64 standard_normal", 1.6),
)
UNIFORM_BARS = (Bar("compiled, 1 thread", "torch uniform_, 1 thread", 2),)
TRUNCATED_BARS = (
    Bar("compiled, 1 thread", "torch trunc_normal_, 1 thread", 25),
    Bar("numpy, 1 thread", "torch trunc_normal_, 1 thread", 8),
)


def ours(kind: Distribution, out: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that fill `out`: each available implementation, on one
    and two threads.
    """

    def filling(name: str, threads: int) -> Callable[[], object]:
        def fill() -> object:
            streams.implementation(name)
            streams.threads(threads)
            return streams.draw_many([(kind, Key(0, "0.weight"), 0, out)])

        return fill

    names = {"numpy": "numpy", **({"compiled": "auto"} if native.cores() else {})}
    return {
        f"{shown}, {n} thread{'s' * (n > 1)}": filling(name, n)
        for shown, name in names.items()
        for n in (1, 2)
    }


def normals(count: int) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that fill a tensor of `count` elements with normals."""
    out = np.empty(count, np.float32)
    generator = np.random.Generator(np.random.PCG64(0))
    found = ours(distribution.normal(0.0, 0.01), out)
    found["NumPy PCG64 standard_normal"] = lambda: generator.standard_normal(
        out=out, dtype=np.float32
    )
    if torch is not None:
        tensor = torch.empty(count)
        torch.set_num_threads(1)
        found["torch normal_, 1 thread"] = lambda: tensor.normal_(0.0, 0.01)
    return found


def uniforms(count: int) -> dict[str, Callable[[], object]]:
    """Return the same for uniforms."""
    found = ours(distribution.uniform(-0.01, 0.01), np.empty(count, np.float32))
    if torch is not None:
        tensor = torch.empty(count)
        torch.set_num_threads(1)
        found["torch uniform_, 1 thread"] = lambda: tensor.uniform_(-0.01, 0.01)
    return found


def truncated_normals(count: int) -> dict[str, Callable[[], object]]:
    """Return the same for normals cut at two standard deviations."""
    found = ours(distribution.truncated_normal(0.0, 0.01, -2.0, 2.0), np.empty(count, np.float32))
    if torch is not None:
        tensor = torch.empty(count)
        torch.set_num_threads(1)
        found["torch trunc_normal_, 1 thread"] = lambda: torch.nn.init.trunc_normal_(
            tensor, 0.0, 0.01, -0.02, 0.02
        )
    return found


def table(what: str, count: int, rounds: int, seconds: Seconds, bars: tuple[Bar, ...]) -> None:
    """Print a line for each contender, with median, range and ns per element, and a line for each
    bar.
    """
    versions = f"numpy {np.__version__}" + (
        f", torch {torch.__version__}" if torch is not None else ", torch is not installed"
    )
    print(f"{count:,} float32 {what}, median of {rounds} interleaved rounds ({versions})")
    for name, times in seconds.items():
        spread = f"{min(times):.3f} to {max(times):.3f}"
        print(
            f"  {name:<32} {statistics.median(times):7.3f} s ({spread})  "
            f"{statistics.median(times) / count * 1e9:6.2f} ns an element"
        )
    for bar in bars:
        if bar.ours in seconds:
            print("  " + bar.line(seconds))


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.normal")
    parser.add_argument("--elements", type=at_least_one, default=100_000_000)
    parser.add_argument("--rounds", type=at_least_one, default=5)
    given = parser.parse_args()
    table(
        "normals",
        given.elements,
        given.rounds,
        interleaved(normals(given.elements), given.rounds),
        NORMAL_BARS,
    )
    table(
        "uniforms",
        given.elements,
        given.rounds,
        interleaved(uniforms(given.elements), given.rounds),
        UNIFORM_BARS,
    )
    fewer = -(-given.elements // 4)  # torch takes its time
    table(
        "truncated normals",
        fewer,
        given.rounds,
        interleaved(truncated_normals(fewer), given.rounds),
        TRUNCATED_BARS,
    )


if __name__ == "__main__":
    main()
