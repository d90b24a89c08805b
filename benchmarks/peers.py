"""The benchmark's own virtual environment, which holds what the project does not depend on (torch) and the project itself."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / ".venv"
TORCH = "torch==2.13.0"


def python() -> Path:
    """The Python of that environment, made and filled on the first call. Without torch where it cannot be installed."""
    executable = FOLDER / "bin" / "python"
    if not executable.exists():
        print("making the benchmark's environment …", file=sys.stderr, flush=True)
        venv.create(FOLDER, with_pip=True)
        pip = [str(executable), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), "numpy", "hydra-core", "safetensors", "rich"], check=True)
        if subprocess.run([*pip, TORCH]).returncode:
            print(f"{TORCH} cannot be installed here: its rows are left out", file=sys.stderr)
    return executable
