"""`python -m benchmarks.load` times whole processes that load 2 GB of float32 from a safetensors file:
ours, and a script of torch and safetensors.

Ours composes the config, plans, loads and digests (`init=load stats=[] snapshot=none probe=none`), the
SHA-256 of the file for the run's id included: streamed, and in memory. With `--python`, `initlab.torch`
loads into a module. The script makes a module without values and calls `load_state_dict(load_file(…))`;
it makes no digest.

Each contender starts once in each round; the file is in the system's cache. Times are medians of the
rounds. Memory is the peak of the process less that of a process that imports the same and loads a
network of one small layer; pages of the mapped file count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.gpt2 import Contender
from benchmarks.peers import python
from benchmarks.rounds import at_least_one, verdict

WIDTH = 4096
TENSOR = WIDTH * WIDTH * 4
"""Bytes of the largest tensor."""
TIMES = 1.0
"""How many times as long the script takes, at least."""
MODULE = """
import sys
import torch
from torch import nn
file, count, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with torch.device("meta"):
    module = nn.Sequential(*(nn.Linear(width, width) for _ in range(count)))
module = module.to_empty(device="cpu")
"""
TORCH = f"""{MODULE}
from safetensors.torch import load_file
module.load_state_dict(load_file(file))
"""
APPLIED = f"""{MODULE}
import initlab.torch
initlab.torch.plan(module, {{"kind": "load", "param": file}}).apply(module)
"""
STREAMED, HELD, APPLY, PEER = (
    "ours, streamed",
    "ours, in memory",
    "initlab.torch",
    "torch load_file + load_state_dict",
)


def words(ours: str, layers: int, width: int, *more: str) -> list[str]:
    """Return the command of a run without a probe of a network of dense layers."""
    layer = f"{{kind: dense, units: {width}}}"
    model = [f"model.layers=[{', '.join([layer] * layers)}]", f"model.input=[{width}]"]
    return [ours, "-m", "runner", *model, "probe=none", "show=[]", *more]


def contenders(
    ours: str, peer: str, both: bool, file: Path, layers: int, width: int
) -> dict[str, Contender]:
    """Return {name: contender} that load a file of `layers` layers; `both` says whether the Python
    `peer` has what initlab needs.
    """
    loading = ("init=load", f"init.param={file}", "stats=[]", "snapshot=none")
    given = [str(file), str(layers), str(width)]
    return {
        STREAMED: Contender(words(ours, layers, width, *loading, "init_mode=streamed")),
        HELD: Contender(words(ours, layers, width, *loading, "init_mode=eager")),
        **({APPLY: Contender([peer, "-c", APPLIED, *given])} if both else {}),
        PEER: Contender([peer, "-c", TORCH, *given]),
    }


def written(ours: str, folder: Path, layers: int, width: int) -> Path:
    """Return a new file with the values of a network."""
    made = folder / f"{layers}x{width}"
    options = ("init=normal", "stats=[]", "init_mode=streamed", f"hydra.run.dir={made}")
    run = Contender(words(ours, layers, width, *options))
    (folder / "nothing").mkdir(exist_ok=True)
    run.once(folder / "nothing", str(folder / "bytecode"))
    return made / "snapshot.safetensors"


def report(found: dict[str, Contender], idle: dict[str, Contender], layers: int) -> None:
    """Print medians, ranges and memory, and whether the bars are reached."""
    model = layers * (TENSOR + 4 * WIDTH)
    rounds = len(found[PEER].wall)
    print(
        f"{model / 1e9:.2f} GB of float32, median of {rounds} interleaved rounds, whole processes"
    )
    extra = {name: one.peak - idle[name].peak for name, one in found.items()}
    for name, one in found.items():
        wall, processor = sorted(one.wall), sorted(one.processor)
        print(
            f"  {name:<34} wall {statistics.median(wall):6.2f} s ({wall[0]:.2f} to {wall[-1]:.2f})"
            f"   processor {statistics.median(processor):6.2f} s   memory {extra[name] / 1e6:5.0f} MB "
            f"and {idle[name].peak / 1e6:.0f} MB to start"
        )
    ours = [name for name in found if name != PEER]
    for name in ours:
        pairs = zip(found[name].wall, found[PEER].wall, strict=True)
        ratio = statistics.median(theirs / mine for mine, theirs in pairs)
        said = f"  {name}: {ratio:.2f} times as fast as {PEER}"
        print(said + (f", bar {TIMES:.3g}: {verdict(ratio >= TIMES)}" if name == STREAMED else ""))
    for name in ours:
        bar = TENSOR if name == STREAMED else model + TENSOR
        what = "one tensor" if name == STREAMED else "the model and one tensor"
        print(
            f"  {name}: memory {extra[name] / 1e6:.0f} MB, bar {what}, {bar / 1e6:.0f} MB: "
            f"{verdict(extra[name] <= bar)}"
        )


def main() -> None:
    """Print a line for each contender, and then the bars."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--layers", type=at_least_one, default=30, help="of 67 MB each")
    parser.add_argument("--rounds", type=at_least_one, default=5)
    parser.add_argument("--folder", default=".", help="on the disk that is meant")
    parser.add_argument("--python", help="that has torch and initlab; times initlab.torch, too")
    parser.add_argument("--ours", default=sys.executable, help="the Python that runs initlab")
    given = parser.parse_args()
    peer, start = given.python or str(python()), os.getcwd()
    with tempfile.TemporaryDirectory(dir=Path(given.folder).resolve()) as name:
        folder, empty, bytecode = Path(name), Path(name, "empty"), str(Path(name, "bytecode"))
        empty.mkdir()
        found, idle = (
            contenders(
                given.ours, peer, bool(given.python), written(given.ours, folder, *size), *size
            )
            for size in ((given.layers, WIDTH), (1, 8))
        )
        for one in (*idle.values(), *found.values()):  # writes bytecode, and fills the cache
            one.once(empty, bytecode)
        for one in found.values():
            one.forget()
        for number in range(given.rounds):
            order = list(found.values())
            for one in order[number % len(order) :] + order[: number % len(order)]:
                one.once(empty, bytecode)
        os.chdir(start)
    report(found, idle, given.layers)


if __name__ == "__main__":
    main()
