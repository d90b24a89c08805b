"""`python -m benchmarks.plan` compares time and memory of `task=plan` for 1.56 billion parameters
with those for the smallest model.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.rounds import at_least_one, verdict
from benchmarks.snapshot import timed

PLAN = [sys.executable, "-m", "runner", "task=plan", "init=he"]
LARGE = [
    *PLAN,
    "model=deep_mlp",
    "model.input=[4096]",
    "model.layers=[{kind: repeat, name: body, times: 93, layers: [{kind: dense, name: fc, units: 4096, "
    "activation: relu}]}]",
]
LAYERS = [word.replace("4096", "406").replace("93", "9450") for word in LARGE]
"""As many parameters, in a hundred times as many layers: no bar, but worth knowing."""


def main() -> None:
    """Print a line for each plan, and a line for each bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan")
    parser.add_argument("--rounds", type=at_least_one, default=9)
    given = parser.parse_args()
    named = {"smallest": PLAN, "1.56 billion in 93 layers": LARGE, "in 9450 layers": LAYERS}
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in named}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds + 1):
            for name, words in list(named.items())[:: 1 if number % 2 else -1]:
                measured = timed(words, Path(folder), {})
                if number:
                    found[name].append(measured)
    print(f"task=plan, median of {given.rounds} interleaved rounds")
    for name, measured in found.items():
        print(
            f"  {name:<28} {statistics.median(s for s, _ in measured):6.2f} s   "
            f"{max(m for _, m in measured) / 1e6:4.0f} MB"
        )
    more = statistics.median(
        b[0] - a[0]
        for a, b in zip(found["smallest"], found["1.56 billion in 93 layers"], strict=True)
    )
    peak = max(memory for _, memory in found["1.56 billion in 93 layers"]) / 1e6
    print(f"  plan of 1.56 billion: {more:.2f} s more than start-up, bar 1 s: {verdict(more < 1)}")
    print(f"  plan of 1.56 billion: {peak:.0f} MB, bar 150 MB: {verdict(peak < 150)}")


if __name__ == "__main__":
    main()
