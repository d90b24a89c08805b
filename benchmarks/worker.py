"""A process of one framework that answers requests for measurements. Two frameworks need not share
an environment.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.peers import ROOT


class Worker:
    """A process that runs `script` with `words`. It prints `ready` and its cases, and answers `case
    passes` with seconds.
    """

    def __init__(self, python: str, script: Path, *words: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [python, str(script), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd="/",
        )
        self.cases = self._line().split()[1:]

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a benchmark's process ended with code {self.process.wait()}")
        return line

    def seconds(self, case: str, passes: int) -> float:
        """Return the mean seconds of a pass in one round."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{case} {passes}\n")
        self.process.stdin.flush()
        return float(self._line())
