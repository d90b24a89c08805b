"""`python -m benchmarks.gpt2` times whole processes that write the 124 million parameters of GPT-2
small: ours from the shell, and a script of torch and safetensors.

Ours composes the config, plans, draws, measures (`stats=[moments,law]`, the default), digests, and
writes values, plan, statistics and manifest with `init_mode=streamed`. The script imports torch and
safetensors, fills each tensor with `normal_` (zeros, ones for what is no matrix) and calls
`save_file`; it makes no digest and no statistic. `probe=none` leaves out the forward pass and the
diagnosis, which the script has not; `--probe` adds a row that makes them. Every process syncs its
file to the disk before it ends, unless a name says `no sync`.

Each contender starts, as from a shell, once in each round, in an empty folder. Times are medians of
the rounds: wall time, and user plus system time as `os.wait4` counts them. Python's bytecode is
kept between the rounds, as in normal use. It needs 0.5 GB of disk and 1 GB of memory.
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
from benchmarks.rounds import at_least_one, verdict

TIMES = 2.0
"""How many times as long the script takes, at least."""
WORDS = (
    *("model=gpt2", "init=gpt2", "data=tokens", "data.vocabulary=50257", "init_mode=streamed"),
    "show=[]",
)
NO_SYNC = """
import os, sys
os.sync = os.fsync = os.fdatasync = lambda *descriptor: None
from initlab.__main__ import main
main()
"""
TORCH = """
import os, sys
import torch
from safetensors.torch import save_file
width = 768
shapes = {"wte.weight": (50257, width), "wpe.weight": (1024, width)}
for layer in range(12):
    name = f"h.{layer}."
    shapes[name + "ln_1.weight"] = shapes[name + "ln_1.bias"] = (width,)
    shapes[name + "attn.c_attn.weight"] = (width, 3 * width)
    shapes[name + "attn.c_attn.bias"] = (3 * width,)
    shapes[name + "attn.c_proj.weight"] = (width, width)
    shapes[name + "attn.c_proj.bias"] = (width,)
    shapes[name + "ln_2.weight"] = shapes[name + "ln_2.bias"] = (width,)
    shapes[name + "mlp.c_fc.weight"] = (width, 4 * width)
    shapes[name + "mlp.c_fc.bias"] = (4 * width,)
    shapes[name + "mlp.c_proj.weight"] = (4 * width, width)
    shapes[name + "mlp.c_proj.bias"] = (width,)
shapes["ln_f.weight"] = shapes["ln_f.bias"] = (width,)
tensors = {}
for name, shape in shapes.items():
    if len(shape) == 2:
        tensors[name] = torch.empty(shape).normal_(0, 0.02)
    else:
        tensors[name] = torch.ones(shape) if "ln" in name and "weight" in name else torch.zeros(shape)
assert len(tensors) == 148 and sum(t.numel() for t in tensors.values()) == 124_439_808
save_file(tensors, "torch.safetensors")
if sys.argv[1:] == ["sync"]:
    os.fsync(os.open("torch.safetensors", os.O_RDONLY))
"""
OURS, NUMPY, PEER = "ours", "ours by NumPy", "torch normal_ + save_file"


@dataclass
class Contender:
    """A command, what it adds to the environment, and its measurements."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peak: int = 0

    def once(self, folder: Path, bytecode: str) -> None:
        """Run the command in an empty folder, and empty it again."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": bytecode,
            "XDG_CACHE_HOME": bytecode,
            **self.environment,
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        os.chdir(folder)
        before = time.perf_counter()
        with open(os.devnull, "wb") as nowhere:
            spawn = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
            process = os.posix_spawn(self.words[0], self.words, environment, file_actions=spawn)
            _, status, usage = os.wait4(process, 0)
        self.wall.append(time.perf_counter() - before)
        self.processor.append(usage.ru_utime + usage.ru_stime)
        self.peak = max(self.peak, usage.ru_maxrss * 1024)
        code = os.waitstatus_to_exitcode(status)
        if code:
            raise SystemExit(f"{' '.join(self.words[:3])} … ended with code {code}")
        for made in folder.iterdir():
            shutil.rmtree(made) if made.is_dir() else made.unlink()

    def forget(self) -> None:
        """Drop the measurements."""
        self.wall, self.processor, self.peak = [], [], 0


def contenders(ours: str, peer: str, probe: bool) -> dict[str, Contender]:
    """Return {name: contender}; `ours` and `peer` are the Pythons that run them."""
    run, bare = [ours, "-m", "runner", *WORDS], [ours, "-c", NO_SYNC, *WORDS]
    found = {
        OURS: Contender([*run, "probe=none"]),
        NUMPY: Contender([*run, "probe=none"], {"ENGINE_DRAW": "numpy"}),
        PEER: Contender([peer, "-c", TORCH, "sync"]),
        f"{OURS}, no sync": Contender([*bare, "probe=none"]),
        f"{PEER}, no sync": Contender([peer, "-c", TORCH]),
    }
    return found | ({f"{OURS}, with probe": Contender(run)} if probe else {})


def report(found: dict[str, Contender], rounds: int) -> None:
    """Print medians, ranges and memory, and whether the bars are reached."""
    print(
        f"GPT-2 small, 124,439,808 float32 parameters: median of {rounds} interleaved rounds, "
        "whole processes"
    )
    for name, contender in found.items():
        wall, processor = sorted(contender.wall), sorted(contender.processor)
        print(
            f"  {name:<34} wall {statistics.median(wall):6.2f} s ({wall[0]:.2f} to {wall[-1]:.2f})"
            f"   processor {statistics.median(processor):6.2f} s ({processor[0]:.2f} to "
            f"{processor[-1]:.2f})   peak memory {contender.peak / 1e6:5.0f} MB"
        )
    for ours, peer in (
        (OURS, PEER),
        (f"{OURS}, no sync", f"{PEER}, no sync"),
        (NUMPY, PEER),
    ):
        for what in ("wall", "processor"):
            pairs = zip(getattr(found[ours], what), getattr(found[peer], what), strict=True)
            ratio = statistics.median(theirs / mine for mine, theirs in pairs)
            said = f"{ours}: {what} time {ratio:.2f} times as short as that of {peer}"
            barred = ours == OURS
            print(f"  {said}" + (f", bar {TIMES:.3g}: {verdict(ratio >= TIMES)}" if barred else ""))


def main() -> None:
    """Print a line for each contender, and then the bars."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpt2")
    parser.add_argument("--rounds", type=at_least_one, default=5)
    parser.add_argument("--folder", default=".", help="on the disk that is meant")
    parser.add_argument("--python", help="that has torch and safetensors, in place of our own")
    parser.add_argument("--ours", default=sys.executable, help="the Python that runs initlab")
    parser.add_argument("--probe", action="store_true", help="also time the default probe")
    given = parser.parse_args()
    found = contenders(given.ours, given.python or str(python()), given.probe)
    with (
        tempfile.TemporaryDirectory(dir=Path(given.folder).resolve()) as folder,
        tempfile.TemporaryDirectory() as bytecode,
    ):
        for number in range(given.rounds + 1):
            order = list(found.values())
            for contender in order[number % len(order) :] + order[: number % len(order)]:
                contender.once(Path(folder), bytecode)
            if not number:  # it writes bytecode, and gives the disk's blocks a first use
                for contender in order:
                    contender.forget()
        os.chdir(ROOT)
    report(found, given.rounds)


if __name__ == "__main__":
    main()
