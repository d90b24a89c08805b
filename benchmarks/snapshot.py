"""`python -m benchmarks.snapshot` times writing a snapshot of a billion parameters: streamed here,
by torch with safetensors, and as zero bytes.

Ours draws, measures moments, digests and writes; torch draws with `normal_` and writes with
`save_file`. Each contender is a process that syncs its file before it ends; contenders take turns.
The time is the wall time of the process minus that of a process that only starts, as the median
over rounds; the memory is the peak resident memory. It needs 4 GB of disk, and 10 GB of memory for
torch.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import ROOT, python
from benchmarks.rounds import Bar, at_least_one, verdict

WIDTH = 4096
COMPILED, PLAIN, TORCH_NAME, ZEROS_NAME = (
    "compiled",
    "numpy",
    "torch normal_ + save_file",
    "as many zero bytes",
)
ZEROS = """
import os, sys
block, left = bytes(1 << 22), int(sys.argv[1])
file = os.open("zeros.bin", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
while left:
    left -= os.write(file, block[:left])
os.fsync(file)
"""
TORCH = """
import os, sys
import torch
from safetensors.torch import save_file
torch.set_num_threads(2)
tensors = {}
for layer in range(int(sys.argv[1]) // (4 * 4096 * 4097)):
    tensors[f"body.{layer}.fc.weight"] = torch.empty(4096, 4096).normal_(0, 0.01)
    tensors[f"body.{layer}.fc.bias"] = torch.zeros(4096)
save_file(tensors, "torch.safetensors")
file = os.open("torch.safetensors", os.O_RDONLY)
os.fsync(file)
"""
TORCH_START = "import torch, safetensors.torch"


@dataclass
class Contender:
    """A command, the command that only starts a process, and their measurements."""

    words: list[str]
    idle: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    peak: int = 0

    def once(self, folder: Path) -> None:
        """Run both commands in an empty folder."""
        start, _ = timed(self.idle, folder, self.environment)
        whole, peak = timed(self.words, folder, self.environment)
        self.seconds.append(whole - start)
        self.peak = max(self.peak, peak)


def timed(words: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Return (wall seconds, peak resident bytes) of a command. The folder is emptied afterwards."""
    before = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        spawn = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
        os.chdir(folder)
        process = os.posix_spawn(
            words[0],
            words,
            {**os.environ, "PYTHONPATH": str(ROOT), **environment},
            file_actions=spawn,
        )
        _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - before
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(
            f"{' '.join(words[:3])} … ended with code {os.waitstatus_to_exitcode(status)}"
        )
    for made in folder.iterdir():
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    return seconds, usage.ru_maxrss * 1024


def contenders(layers: int) -> dict[str, Contender]:
    """Return {name: contender} for a network of `layers` layers of 4096 x 4096."""
    count = str(layers * WIDTH * (WIDTH + 1) * 4)
    model = [
        f"model.layers=[{{kind: repeat, name: body, times: {layers}, layers: [{{kind: dense, name: fc, "
        f"units: {WIDTH}}}]}}]",
        f"model.input=[{WIDTH}]",
    ]
    words = [sys.executable, "-m", "runner", "init=normal", "probe=none", "stats=[moments]"]
    streamed, idle = [*words, "init_mode=streamed", *model], [*words, "task=plan", *model]
    peer = str(python())
    return {
        COMPILED: Contender(streamed, idle, {"ENGINE_DRAW": "auto"}),
        PLAIN: Contender(streamed, idle, {"ENGINE_DRAW": "numpy"}),
        TORCH_NAME: Contender([peer, "-c", TORCH, count], [peer, "-c", TORCH_START]),
        ZEROS_NAME: Contender([sys.executable, "-c", ZEROS, count], [sys.executable, "-c", ""]),
    }


def main() -> None:
    """Print a line for each contender, and then the bars."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.snapshot")
    parser.add_argument(
        "--layers", type=at_least_one, default=60, help="of 16.8 million parameters each"
    )
    parser.add_argument("--rounds", type=at_least_one, default=5)
    parser.add_argument("--folder", default=".", help="on the disk that is meant")
    given = parser.parse_args()
    found = contenders(given.layers)
    with tempfile.TemporaryDirectory(dir=Path(given.folder).resolve()) as folder:
        for name in (COMPILED, ZEROS_NAME):
            found[name].once(
                Path(folder)
            )  # compiles, once a machine; and gives the disk's blocks a first use
            found[name].seconds.clear()
        for number in range(given.rounds):
            order = list(found.values())
            for contender in order[number % len(order) :] + order[: number % len(order)]:
                contender.once(Path(folder))
        os.chdir(ROOT)
    report(found, given.layers * WIDTH * (WIDTH + 1))


def report(found: dict[str, Contender], count: int) -> None:
    """Print medians, ranges, memory, and whether the bars are reached."""
    seconds = {name: contender.seconds for name, contender in found.items()}
    rounds = len(next(iter(seconds.values())))
    print(
        f"{count:,} float32 parameters, wall time beyond start-up, median of {rounds} interleaved rounds"
    )
    for name, contender in found.items():
        middle, low, high = (
            statistics.median(contender.seconds),
            min(contender.seconds),
            max(contender.seconds),
        )
        print(
            f"  {name:<28} {middle:6.2f} s ({low:.2f} to {high:.2f})   peak memory "
            f"{contender.peak / 1e6:7.0f} MB"
        )
    for ours, times in ((COMPILED, 6.0), (PLAIN, 1.0)):
        print("  " + Bar(ours, TORCH_NAME, times).line(seconds))
    print("  " + Bar(COMPILED, ZEROS_NAME, 1 / 1.5).line(seconds))
    for name, most in ((COMPILED, True), (PLAIN, True), (TORCH_NAME, False)):
        peak, bar = found[name].peak / 1e6, 300 if most else 4000
        said = "at most" if most else "more than"
        print(
            f"  {name}: peak memory {peak:.0f} MB, bar {said} {bar} MB: {verdict((peak <= bar) == most)}"
        )


if __name__ == "__main__":
    main()
