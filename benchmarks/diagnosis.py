"""`python -m benchmarks.diagnosis` times whole runs with the diagnosis and without it, in turn, in
seconds of processor time, and their peak memory.

The commands run in processes of their own, with one thread for BLAS, so that a busy machine changes
the figures little. Bar: with the diagnosis at most 1.5 times the time without it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.rounds import verdict

ROOT = Path(__file__).parents[1]
BAR = 1.5
ROUNDS = 3
MODELS = {
    "mlp": ["model=mlp", "init=he", "data.batch=32"],
    "resnet18": ["model=resnet18", "init=he", "data.batch=2"],
    "vgg11": ["model=vgg11", "init=he", "data.batch=2"],
    "vgg11 streamed": ["model=vgg11", "init=he", "data.batch=2", "init_mode=streamed"],
}


def run(words: list[str], folder: str) -> tuple[float, float]:
    """Run a config; return (seconds of processor time, MB of peak memory)."""
    command = [sys.executable, "-m", "runner", *words, "show=[]"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with code {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(names: list[str]) -> None:
    """Print a line for each model, or for the named ones."""
    print(f"median of {ROUNDS} rounds in turn: seconds of processor time, and MB of peak memory")
    with tempfile.TemporaryDirectory() as folder:
        for name in names or MODELS:
            seconds: dict[bool, list[float]] = {False: [], True: []}
            memory: dict[bool, float] = {}
            for _ in range(ROUNDS):
                for wanted in (False, True):
                    words = [*MODELS[name], f"diagnose={str(wanted).lower()}"]
                    taken, memory[wanted] = run(words, folder)
                    seconds[wanted].append(taken)
            without, with_it = (statistics.median(seconds[wanted]) for wanted in (False, True))
            ratio = with_it / without
            print(
                f"{name:<15} without {without:6.2f} s {memory[False]:5.0f} MB   with {with_it:6.2f} s "
                f"{memory[True]:5.0f} MB   ratio {ratio:.2f}, bar {BAR}: {verdict(ratio <= BAR)}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
