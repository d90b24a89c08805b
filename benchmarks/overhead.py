"""`python -m benchmarks.overhead` times operations on two elements here and in NumPy, in
microseconds, in turn.
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable

import numpy as np

from initlab.engine import autograd, nd

CALLS, ROUNDS = 20_000, 9


def pairs() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return {name: (our function, NumPy's)}."""
    x, y = np.array([1.0, 2.0], np.float32), np.array([3.0, 4.0], np.float32)
    a, b = nd.array(x), nd.array(y)
    return {
        "a + b": (lambda: a + b, lambda: x + y),
        "a * 2": (lambda: a * 2, lambda: x * 2),
        "exp(a)": (a.exp, lambda: np.exp(x)),
        "relu(a)": (a.relu, lambda: np.maximum(x, 0)),
        "a.sum()": (a.sum, x.sum),
        "a[0]": (lambda: a[0], lambda: x[0:1]),
        "a.reshape": (lambda: a.reshape((2, 1)), lambda: x.reshape((2, 1))),
    }


def main() -> None:
    """Print a line for each operation: both medians, and our time minus twice NumPy's."""
    a, b = nd.array([1.0, 2.0]), nd.array([3.0, 4.0])
    a.attach_grad()
    print(f"median of {ROUNDS} interleaved rounds of {CALLS} calls, microseconds a call")
    for name, (ours, theirs) in pairs().items():
        _line(name, ours, theirs)
    with autograd.record():
        _line("a + b, recorded", lambda: a + b, pairs()["a + b"][1])


def _line(name: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    times: dict[str, list[float]] = {"ours": [], "numpy": []}
    for _ in range(ROUNDS):
        times["ours"].append(timeit.timeit(ours, number=CALLS) / CALLS * 1e6)
        times["numpy"].append(timeit.timeit(theirs, number=CALLS) / CALLS * 1e6)
    mine, numpy = (statistics.median(times[key]) for key in ("ours", "numpy"))
    print(
        f"{name:<18} ours {mine:6.2f}   NumPy {numpy:6.2f}   beyond twice NumPy's {mine - 2 * numpy:6.2f}"
    )


if __name__ == "__main__":
    main()
