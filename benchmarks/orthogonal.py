"""`python -m benchmarks.orthogonal`: what an orthogonal n x n tensor costs, milliseconds,
interleaved medians.

    ours      laws.Haar: normals of the stream, LAPACK's panels and products of matrices in float64, checked
    exact     laws.Haar(exact=True): Householder reflections without BLAS, the same bits everywhere
    numpy     normals and numpy.linalg.qr with the sign fix, float64, unchecked
    torch     nn.init.orthogonal_ of a float32 tensor, where torch is installed

Then several tensors at once: one after the other, and by as many threads as `streams.threads()`
says. That is worth it only with OPENBLAS_NUM_THREADS=1 in the environment; else BLAS's threads wait
for each other.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from initlab.engine import laws, streams
from initlab.engine.streams import Key

SIZES, ROUNDS = (64, 128, 256, 512, 1024, 2048), 7
EXACT_UP_TO = 1024
MANY, MANY_SIZES = 8, (64, 256, 512)


def plain(n: int) -> np.ndarray:
    """Return an orthogonal matrix by NumPy's QR of normals, with the signs corrected."""
    q, r = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))
    return (q * np.sign(np.diagonal(r))).astype(np.float32)


def ways(n: int) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that draw one tensor."""
    found: dict[str, Callable[[], object]] = {
        "ours": lambda: laws.Haar(1.0).draw(Key(0, "w"), (n, n)),
        "numpy": lambda: plain(n),
    }
    if n <= EXACT_UP_TO:
        found["exact"] = lambda: laws.Haar(1.0, True).draw(Key(0, "w"), (n, n))
    try:
        import torch
    except ImportError:
        return found
    tensor = torch.empty(n, n)
    return found | {"torch": lambda: torch.nn.init.orthogonal_(tensor)}


def several(n: int) -> dict[str, Callable[[], object]]:
    """Return {name: function} of functions that draw many tensors."""

    def one(i: int) -> np.ndarray:
        return laws.Haar(1.0).draw(Key(0, f"{i}"), (n, n))

    def in_threads() -> None:
        with ThreadPoolExecutor(streams.threads()) as pool:
            list(pool.map(one, range(MANY)))

    return {"in order": lambda: [one(i) for i in range(MANY)], "in threads": in_threads}


def medians(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return {name: median milliseconds} of ROUNDS rounds. Every function has one turn in each
    round.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:  # the first warms up
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(found) for name, found in times.items()}


def _line(title: str, found: dict[str, float], peer: str) -> None:
    ratios = "".join(f"   {name} {ms:9.2f} ({ms / found[peer]:5.2f})" for name, ms in found.items())
    print(f"{title:<12}{ratios}", flush=True)


def main() -> None:
    """Print a line for each size: the medians, and in brackets the ratio to torch if it is
    installed, else to NumPy.
    """
    print(f"median of {ROUNDS} interleaved rounds, ms (ratio), {streams.threads()} threads of ours")
    for n in SIZES:
        found = medians(ways(n))
        _line(f"{n} x {n}", found, "torch" if "torch" in found else "numpy")
    for n in MANY_SIZES:
        _line(f"{MANY} of {n}", medians(several(n)), "in order")


if __name__ == "__main__":
    main()
