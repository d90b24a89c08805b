"""`python -m benchmarks.sweep` times a sweep of small runs here and with Hydra's own sweeper and
basic launcher, in turn, each in its own process. Then it measures how memory and time per run grow
with the number of runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers import ROOT
from benchmarks.rounds import at_least_one, verdict
from benchmarks.snapshot import timed

OURS = [sys.executable, "-m", "runner", "-m"]
STOCK = [
    sys.executable,
    "-m",
    "benchmarks.sweep_stock",
    "-m",
    "hydra/sweeper=basic",
    "hydra/launcher=basic",
]
EACH_MS = 8
"""Milliseconds of processor time that a run of a sweep may cost beyond the sweep's start."""


def words(runs: int) -> list[str]:
    """Return the words of a sweep of `runs` runs over two initializers."""
    return ["init=normal,he", f"seed=range(0,{runs // 2})"]


def seconds(command: list[str]) -> float:
    """Return the wall seconds of a command in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return time.perf_counter() - start


def processor_seconds(runs: int) -> float:
    """Return the processor time of a sweep of `runs` runs without a report, in an empty folder."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    before = used()
    seconds([*OURS, *words(runs), "report=none"])
    return used() - before


def main() -> None:
    """Print both times, their ratio with and without the start of a process, and the cost of more
    runs.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep")
    parser.add_argument("--rounds", type=at_least_one, default=5)
    parser.add_argument(
        "--runs", type=at_least_one, default=100, help="runs in the sweep that is compared"
    )
    parser.add_argument(
        "--many",
        type=at_least_one,
        default=2000,
        help="runs in the sweep whose memory is set against a small one's",
    )
    given = parser.parse_args()
    found: dict[str, list[float]] = {"ours": [], "stock": []}
    for number in range(given.rounds):
        for name, command in (("ours", OURS), ("stock", STOCK))[:: 1 if number % 2 else -1]:
            found[name].append(seconds([*command, *words(given.runs)]))
    print(
        f"{given.runs} runs, median of {given.rounds} interleaved rounds, start of the process included"
    )
    for name, times in found.items():
        median = statistics.median(times)
        print(f"  {name:<6} {median:6.2f} s   {median / given.runs * 1e3:6.1f} ms a run")
    ratio = statistics.median(b / a for a, b in zip(found["ours"], found["stock"], strict=True))
    print(f"  sweep: {ratio:.2f} times as fast as Hydra's own, bar 5: {verdict(ratio >= 5)}")

    peaks = {}
    for runs in (given.runs, given.many):
        with tempfile.TemporaryDirectory() as folder:
            taken, peaks[runs] = timed([*OURS, *words(runs), "report=none"], Path(folder), {})
        print(
            f"{runs:>6} runs without a report   {taken / runs * 1e3:6.1f} ms each   peak "
            f"{peaks[runs] / 1e6:4.0f} MB"
        )
    more = (peaks[given.many] - peaks[given.runs]) / (given.many - given.runs)
    print(f"  memory: {more / 1e3:.1f} kB more a run, bar 2 kB: {verdict(more < 2000)}")

    pairs = [
        (processor_seconds(given.runs), processor_seconds(2 * given.runs))
        for _ in range(given.rounds)
    ]
    each = statistics.median((twice - once) / given.runs for once, twice in pairs) * 1e3
    print(
        f"  processor time: {each:.1f} ms a run beyond the start, bar {EACH_MS} ms: "
        f"{verdict(each <= EACH_MS)}"
    )


if __name__ == "__main__":
    main()
