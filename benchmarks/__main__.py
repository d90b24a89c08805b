"""`python -m benchmarks [--elements N] [--rounds N]`: run the comparison in the benchmark's own environment."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.peers import ROOT, python

environment = {**os.environ, "PYTHONPATH": str(ROOT)}
sys.exit(subprocess.run([str(python()), "-m", "benchmarks.normal", *sys.argv[1:]], cwd=ROOT, env=environment).returncode)
