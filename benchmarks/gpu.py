"""`python -m benchmarks.gpu` times filling 10^9 float32 on a GPU with our kernels, CuPy's
generator, torch's if it is installed, and zeros; and all statistics of as many, beside CuPy's sum.

The zeros show the cost of writing to memory alone, the sum that of reading. The last line is a row for
the table in docs/gpu.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np

from benchmarks.rounds import at_least_one, interleaved
from initlab.engine.device import check_gpu, gpu
from initlab.engine.errors import DeviceError
from initlab.engine.streams import Key, cuda, distribution
from initlab.runner.stats import onepass

OURS = {
    "uniform": distribution.uniform(-0.07, 0.07),
    "normal": distribution.normal(0.0, 0.01),
    "truncated normal": distribution.truncated_normal(0.0, 0.01, -2.0, 2.0),
}
COLUMNS = (
    *(*OURS, "CuPy's standard_normal", "torch's normal_", "zeros"),
    *("statistics", "CuPy's float64 sum"),
)
"""Of the table, after those that say where it was measured."""


def contenders(count: int) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that each fill or measure `count` elements and wait for the
    device.
    """
    xp = gpu(0).use()
    out = xp.empty(count, np.float32)
    generator = xp.random.default_rng(0)

    def waiting(fill: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            fill()
            xp.cuda.Device(0).synchronize()

        return run

    found = {}
    for name, kind in OURS.items():
        found[name] = waiting(
            lambda kind=kind: cuda.fill(gpu(0), [(kind, Key(0, "0.weight"), 0, out)])
        )  # type: ignore[misc]
    found["CuPy's standard_normal"] = waiting(
        lambda: generator.standard_normal(out=out, dtype=np.float32)
    )
    found["zeros"] = waiting(lambda: out.fill(0))
    normals = cuda.draw(gpu(0), OURS["normal"], Key(0, "0.weight"), 0, count, np.dtype(np.float32))
    found["statistics"] = lambda: onepass.cuda.summarize(normals, gpu(0))
    found["CuPy's float64 sum"] = waiting(lambda: xp.sum(normals, dtype=np.float64))
    try:
        import torch

        tensor = torch.empty(count, device="cuda")
        found["torch's normal_"] = waiting(lambda: tensor.normal_(0.0, 0.01))
    except (ImportError, RuntimeError, AssertionError) as error:
        print(f"torch is left out: {str(error).splitlines()[0]}")
    return found


def where() -> list[str]:
    """Return the GPU's name, the driver's CUDA version and CuPy's version."""
    xp = gpu(0).use()
    version = xp.cuda.runtime.driverGetVersion()
    return [
        xp.cuda.runtime.getDeviceProperties(0)["name"].decode(),
        f"{version // 1000}.{version % 1000 // 10}",
        xp.__version__,
    ]


def main() -> None:
    """Print a line for each contender, or one line if there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--elements", type=at_least_one, default=1_000_000_000)
    parser.add_argument("--rounds", type=at_least_one, default=9)
    given = parser.parse_args()
    try:
        check_gpu(0)
    except DeviceError as error:
        print(f"nothing to measure, no gpu(0): {error}")
        return
    seconds = interleaved(contenders(given.elements), given.rounds)
    each = {
        name: statistics.median(times) / given.elements * 1e12 for name, times in seconds.items()
    }
    print(
        f"{given.elements:,} float32 on {where()[0]}, picoseconds an element, median of {given.rounds} "
        "interleaved rounds"
    )
    for name, figure in each.items():
        print(f"  {name:<24} {figure:8.2f}")
    row = [*where(), *(f"{each[name]:.2f}" if name in each else "" for name in COLUMNS)]
    print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
