"""`python -m benchmarks.runs` compares the processor time of `initlab ls` over many runs with that of
reading every run's files again, as it would without an index.

The runs are copies of three: a small network, a deep one, and a ResNet of 62 parameters, in equal
parts. Each command is a new Python process; its time is user plus system time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rounds import at_least_one, verdict
from initlab.runner.evidence.folder import MANIFEST
from initlab.runner.evidence.index import SETTLED

ROOT = Path(__file__).resolve().parents[1]
MADE = (
    ("model=mlp", "init=he"),
    ("model=deep_mlp", "init=normal"),
    ("model=resnet18", "init=he", "probe=none", "snapshot=none"),
)
SECONDS = 2.0
"""Processor time of the list with its index, at most."""
TIMES = 2.0
"""How many times as long the list takes without one, at least."""


def main() -> None:
    """Print the seconds of both lists, and a line for each bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs")
    parser.add_argument("--runs", type=at_least_one, default=2000)
    parser.add_argument("--rounds", type=at_least_one, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), given.runs)
        time.sleep(SETTLED / 1e9)
        caches = {"with the index": f"{folder}/cache", "without": os.devnull}
        found: dict[str, list[float]] = {name: [] for name in caches}
        for number in range(given.rounds + 1):
            for name, cache in list(caches.items())[:: 1 if number % 2 else -1]:
                seconds = processor_seconds(folder, cache, given.runs)
                if number:  # the first one writes the index
                    found[name].append(seconds)
    print(f"initlab ls of {given.runs} runs, median of {given.rounds} interleaved rounds")
    for name, measured in found.items():
        print(f"  {name:<14} {statistics.median(measured):5.2f} s of processor time")
    ours = statistics.median(found["with the index"])
    print(f"  list: {ours:.2f} s, bar {SECONDS:.3g} s: {verdict(ours < SECONDS)}")
    ratio = statistics.median(
        without / indexed
        for indexed, without in zip(found["with the index"], found["without"], strict=True)
    )
    print(
        f"  list: {ratio:.2f} times as fast as without, bar {TIMES:.3g}: {verdict(ratio >= TIMES)}"
    )


def make(folder: Path, count: int) -> None:
    """Make the runs: three, and copies of them with other seeds and ids."""
    for words in MADE:
        command = [sys.executable, "-m", "initlab", *words, "name=made", "show=[]"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    made = sorted((folder / "outputs" / "made").iterdir())
    for number in range(count - len(made)):
        source = made[number % len(made)]
        content = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        name = f"copy-seed{number}-{number:016x}"
        content |= {"run_id": name, "config": content["config"] | {"seed": number}}
        target = folder / "outputs" / f"study{number % 7}" / name
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("snapshot.*", MANIFEST))
        (target / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")


def processor_seconds(folder: str, cache: str, count: int) -> float:
    """Return user plus system time of the list, which must have so many runs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": cache}
    command = [sys.executable, "-m", "initlab", "ls"]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    assert f"\n{count} runs: {count} finished\n" in done.stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
