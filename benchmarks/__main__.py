"""`python -m benchmarks [name …]` runs the benchmarks that have bars, one after the other, and
prints at the end whether each bar is reached.

normal      one large tensor, against NumPy and torch
small       400 small arrays, against torch
orthogonal  one large orthogonal tensor and 64 smaller ones, against torch
initialize  a network of small layers, against MXNet 1.9.1
onepass     statistics, against a sum
plan        1.56 billion parameters planned
snapshot    a billion parameters streamed, against torch with safetensors, and against zeros
gpt2        whole processes that write GPT-2 small, against torch with safetensors
load        a file of 2 GB loaded, against torch with safetensors
gluon       forward and backward passes of four networks, against MXNet 1.9.1
sweep       100 small runs in one command, against Hydra's own sweeper and launcher
runs        2,000 runs listed, against reading all their files

Each benchmark runs in its own process. A library that we are compared with runs in its own
environment. `python -m benchmarks.<name> --help` prints the options. `overhead`,
`diagnosis` and `gpu` run by `python -m benchmarks.<name>` only.
"""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.peers import ROOT, python
from benchmarks.rounds import MISSED, REACHED
from initlab.engine.registry import advice

WITH_TORCH = ("normal", "small", "orthogonal")
NAMES = (
    *(*WITH_TORCH, "initialize", "onepass", "plan", "snapshot", "gpt2", "load", "gluon"),
    *("sweep", "runs"),
)


def run(name: str) -> list[str]:
    """Run one benchmark and print its output. Returns its lines about bars."""
    print(f"== {name}", flush=True)
    interpreter = str(python()) if name in WITH_TORCH else sys.executable
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [interpreter, "-m", f"benchmarks.{name}"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    bars = []
    for line in process.stdout:
        print(line, end="", flush=True)
        if line.rstrip().endswith((f": {REACHED}", f": {MISSED}")) or "not measured" in line:
            bars.append(line.strip())
    if process.wait():
        bars.append(f"ended with code {process.returncode}: {MISSED}")
    return bars


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all. Returns the exit code: 2 for an unknown name."""
    for name in names:
        if name not in NAMES:
            print(f"error: no benchmark '{name}' - {advice(name, NAMES)}", file=sys.stderr)
            return 2
    bars = {name: run(name) for name in names or NAMES}
    print("== bars")
    for name, lines in bars.items():
        for line in lines:
            print(f"{name:<11} {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
