"""`python -m benchmarks.gpu`: filling 10^9 float32 on a GPU with normals, by our kernels, CuPy's generator, and torch's where it is."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np

from benchmarks.rounds import at_least_one, interleaved
from engine.device import gpu, gpu_problem
from engine.streams import Key, Piece, cuda, distribution


def contenders(count: int) -> dict[str, Callable[[], object]]:
    """Name -> what fills as many elements and waits for the device."""
    xp = gpu(0).xp
    out = xp.empty(count, np.float32)
    generator = xp.random.default_rng(0)
    kind = distribution.normal(0.0, 0.01)

    def waiting(fill: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            fill()
            xp.cuda.Device(0).synchronize()

        return run

    found = {
        "initlab": waiting(lambda: cuda.fill(gpu(0), [Piece(kind, Key(0, "0.weight"), 0, out)])),
        "cupy standard_normal": waiting(lambda: generator.standard_normal(out=out, dtype=np.float32)),
    }
    try:
        import torch

        tensor = torch.empty(count, device="cuda")
        found["torch normal_"] = waiting(lambda: tensor.normal_(0.0, 0.01))
    except (ImportError, RuntimeError, AssertionError) as error:
        print(f"torch is left out: {error}")
    return found


def main() -> None:
    """A line a contender; one line where there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--elements", type=at_least_one, default=1_000_000_000)
    parser.add_argument("--rounds", type=at_least_one, default=9)
    given = parser.parse_args()
    problem = gpu_problem(0)
    if problem is not None:
        print(f"nothing to measure, no gpu(0): {problem}")
        return
    name = gpu(0).xp.cuda.runtime.getDeviceProperties(0)["name"].decode()
    seconds = interleaved(contenders(given.elements), given.rounds)
    print(f"{given.elements:,} float32 normals on {name}, median of {given.rounds} interleaved rounds")
    for contender, times in seconds.items():
        middle = statistics.median(times)
        print(f"  {contender:<24} {middle * 1e3:8.2f} ms   {middle / given.elements * 1e12:6.2f} ps an element")


if __name__ == "__main__":
    main()
