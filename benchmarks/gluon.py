"""`python -m benchmarks.gluon [case …]`: forward and backward passes on the engine and on real MXNet 1.9.1, in turn.

Each framework has a process of its own that keeps its networks; the parent asks one, then the other, round by round, and the median over
rounds counts. MXNet runs hybridized with `static_alloc`, its fastest way.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.peers import ROOT, mxnet_python

WORKER = Path(__file__).with_name("gluon_cases.py")
PASSES = {"mlp": 200, "lenet": 50, "lstm": 3, "resnet18": 1}
"""Passes a round, so that a round of each case takes some tenths of a second."""


class Worker:
    """A framework's process."""

    def __init__(self, python: str, name: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [python, str(WORKER), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd="/"
        )
        self.cases = self._line().split()[1:]

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a benchmark's process ended with code {self.process.wait()}")
        return line

    def seconds(self, case: str) -> float:
        """The mean seconds of a pass, over one round."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{case} {PASSES[case]}\n")
        self.process.stdin.flush()
        return float(self._line())


def main() -> None:
    """A line a case: milliseconds a pass of both, and how many times as long ours takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gluon")
    parser.add_argument("cases", nargs="*", choices=[[], *PASSES], default=[])
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    ours, theirs = Worker(sys.executable, "engine"), Worker(str(mxnet_python()), "mxnet")
    print(f"forward and backward, median of {given.rounds} interleaved rounds")
    for case in given.cases or ours.cases:
        found: dict[str, list[float]] = {"ours": [], "mxnet": []}
        for worker in (ours, theirs):
            worker.seconds(case)
        for number in range(given.rounds):
            pairs = [("ours", ours), ("mxnet", theirs)]
            for name, worker in pairs if number % 2 else pairs[::-1]:
                found[name].append(worker.seconds(case))
        medians = {name: statistics.median(times) * 1e3 for name, times in found.items()}
        ratio = statistics.median(a / b for a, b in zip(found["ours"], found["mxnet"], strict=True))
        print(f"{case:<10} ours {medians['ours']:9.3f} ms   MXNet {medians['mxnet']:9.3f} ms   ours takes {ratio:5.2f} times as long")


if __name__ == "__main__":
    main()
