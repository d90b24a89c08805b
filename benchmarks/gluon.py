"""`python -m benchmarks.gluon [case …]`: forward and backward passes on the engine and on real
MXNet 1.9.1, in turn.

Each framework has a process of its own that keeps its networks; the parent asks one, then the
other, round by round, and the median over rounds counts. MXNet runs hybridized with `static_alloc`,
its fastest way.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from benchmarks.peers import mxnet_python
from benchmarks.rounds import verdict
from benchmarks.worker import Worker

SCRIPT = Path(__file__).with_name("gluon_cases.py")
PASSES = {"mlp": 200, "lenet": 50, "lstm": 3, "resnet18": 1}
"""Passes a round, so that a round of each case takes some tenths of a second."""
BARS = {"mlp": 1.0, "lenet": 1.3, "lstm": 1.0, "resnet18": 1.3}
"""The most that our time may be, in times of MXNet's."""


def main() -> None:
    """Print a line for each case: the milliseconds of a pass for both frameworks, the ratio of our
    time to MXNet's, and whether it reached its bar.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gluon")
    parser.add_argument("cases", nargs="*", choices=[[], *PASSES], default=[])
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    ours, theirs = (
        Worker(sys.executable, SCRIPT, "engine"),
        Worker(str(mxnet_python()), SCRIPT, "mxnet"),
    )
    print(f"forward and backward, median of {given.rounds} interleaved rounds")
    for case in given.cases or ours.cases:
        found: dict[str, list[float]] = {"ours": [], "mxnet": []}
        for worker in (ours, theirs):
            worker.seconds(case, PASSES[case])
        for number in range(given.rounds):
            pairs = [("ours", ours), ("mxnet", theirs)]
            for name, worker in pairs if number % 2 else pairs[::-1]:
                found[name].append(worker.seconds(case, PASSES[case]))
        medians = {name: statistics.median(times) * 1e3 for name, times in found.items()}
        ratio = statistics.median(a / b for a, b in zip(found["ours"], found["mxnet"], strict=True))
        print(
            f"{case:<10} ours {medians['ours']:9.3f} ms   MXNet {medians['mxnet']:9.3f} ms   ours takes "
            f"{ratio:5.2f} times as long, bar {BARS[case]}: {verdict(ratio <= BARS[case])}"
        )


if __name__ == "__main__":
    main()
