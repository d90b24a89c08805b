"""`python -m benchmarks.initialize` times `net.initialize(init.Normal(0.01))` of 200 small dense
layers, on the engine and on MXNet 1.9.1.

The case `fresh` initializes new networks; the case `again` initializes one network again with
`force_reinit`. Each framework has its own process, and they take turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from benchmarks.peers import mxnet_python
from benchmarks.rounds import Bar, at_least_one
from benchmarks.worker import Worker
from initlab.engine import native

SCRIPT = Path(__file__).with_name("initialize_cases.py")
PASSES = 5
TIMES = 6


def workers() -> dict[str, Worker]:
    """Return {name: process}."""
    found = {"numpy": Worker(sys.executable, SCRIPT, "engine", "numpy")}
    if native.cores():
        found["compiled"] = Worker(sys.executable, SCRIPT, "engine", "auto")
    return found | {"MXNet": Worker(str(mxnet_python()), SCRIPT, "mxnet")}


def main() -> None:
    """Print a line for each case and framework, and a line for each bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.initialize")
    parser.add_argument("--rounds", type=at_least_one, default=9)
    given = parser.parse_args()
    running = list(workers().items())
    for case in ("fresh", "again"):
        seconds: dict[str, list[float]] = {name: [] for name, _ in running}
        for _, worker in running:
            worker.seconds(case, PASSES)
        for number in range(given.rounds):
            turn = number % len(running)
            for name, worker in running[turn:] + running[:turn]:
                seconds[name].append(worker.seconds(case, PASSES))
        print(f"initialize, {case}, median of {given.rounds} interleaved rounds")
        for name, times in seconds.items():
            print(f"  {name:<8} {statistics.median(times) * 1e3:8.2f} ms")
        for name in seconds:
            if name != "MXNet":
                print("  " + Bar(name, "MXNet", TIMES).line(seconds))


if __name__ == "__main__":
    main()
