"""The benchmark's own virtual environment: NumPy, and torch, on which the project does not depend."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / ".venv"
TORCH = "torch==2.13.0"


def python() -> Path:
    """The Python of that environment, made and filled on the first call; one left half made is made anew.

    Without torch where it cannot be installed.
    """
    executable, finished = FOLDER / "bin" / "python", FOLDER / ".installed"
    if not finished.exists():
        print("making the benchmark's environment …", file=sys.stderr, flush=True)
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(executable), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), "numpy"], check=True)
        if subprocess.run([*pip, TORCH]).returncode:
            print(f"{TORCH} cannot be installed here: its row is left out; remove {FOLDER} to try again", file=sys.stderr)
        finished.touch()
    return executable
