"""`python -m benchmarks.starting` compares the processor time of commands that do little with that
of `python -c "import hydra, numpy, omegaconf"`, which they all need.

Each round starts every command once, in its own folder. The figures are medians of user plus system
time. Python's bytecode is kept between the rounds, as in normal use; a first round, which is not
counted, writes it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.rounds import at_least_one

ROOT = Path(__file__).resolve().parents[1]
PEER = "import hydra, numpy, omegaconf"
COMMANDS = {
    PEER: ("-c", PEER),
    "import numpy": ("-c", "import numpy"),
    "import initlab": ("-c", "import initlab"),
    "import initlab.engine": ("-c", "import initlab.engine"),
    "python -m runner --help": ("-m", "runner", "--help"),
    "python -m runner init=normal": ("-m", "runner", "init=normal"),
}
BARS = {"python -m runner --help": 1.5, "python -m runner init=normal": 2.0}
"""Times the peer, at most."""


def processor_seconds(words: tuple[str, ...], folder: str, bytecode: str) -> float:
    """Return user plus system time of a new Python process with these arguments. Its `.pyc` files
    are in `bytecode`.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *words]
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Print a line for each command: its seconds, the ratio to the imports, and whether its bar is
    reached.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting")
    parser.add_argument("--rounds", type=at_least_one, default=7)
    rounds = parser.parse_args().rounds
    measured: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as bytecode:
        for _ in range(rounds + 1):
            for name, words in COMMANDS.items():
                measured[name].append(processor_seconds(words, folder, bytecode))
    measured = {name: seconds[1:] for name, seconds in measured.items()}
    peer = statistics.median(measured[PEER])
    print(f"processor time, median of {rounds} interleaved rounds")
    for name, seconds in measured.items():
        ratio = statistics.median(seconds) / peer
        bar = BARS.get(name)
        said = (
            "" if bar is None else f"   bar {bar}: {'reached' if ratio <= bar else 'not reached'}"
        )
        print(
            f"  {name:<40} {statistics.median(seconds):6.3f} s   {ratio:5.2f} times the first{said}"
        )


if __name__ == "__main__":
    main()
