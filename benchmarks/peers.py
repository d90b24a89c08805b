"""The benchmarks' own virtual environments: one with NumPy and torch, one with MXNet 1.9.1. The
project does not depend on torch or MXNet.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / ".venv"
TORCH = "torch==2.13.0"
NEEDS = ("numpy", "safetensors")
"""What the engine's benchmarks use of the project's own needs, in the versions of constraints.txt
where that names them.
"""


def python() -> Path:
    """Return the Python of the environment with torch. The first call makes it; an incomplete one
    is made again.

    torch is missing from it if it cannot be installed.
    """
    executable, finished = FOLDER / "bin" / "python", FOLDER / ".installed"
    wanted = " ".join([*NEEDS, TORCH])
    if not finished.exists() or finished.read_text(encoding="utf-8") != wanted:
        print("making the benchmark's environment …", file=sys.stderr, flush=True)
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(executable), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), *NEEDS], check=True)
        if subprocess.run([*pip, TORCH]).returncode:
            print(
                f"{TORCH} cannot be installed here: its row is left out; remove {FOLDER} to try again",
                file=sys.stderr,
            )
        finished.write_text(wanted, encoding="utf-8")
    return executable


MXNET = ("mxnet==1.9.1", "numpy==1.23.5", "requests")
MXNET_FOLDER = FOLDER.with_name(".venv-mxnet")
MXNET_PYTHON = (3, 11)
"""The newest Python that its NumPy has wheels for."""


def mxnet_python() -> Path:
    """Return the Python of the environment with MXNet 1.9.1. The first call makes it.

    Raises SystemExit if it cannot be made.
    """
    executable, finished = MXNET_FOLDER / "bin" / "python", MXNET_FOLDER / ".installed"
    if finished.exists():
        return executable
    base = sys.executable if sys.version_info[:2] == MXNET_PYTHON else shutil.which("python3.11")
    if base is None:
        raise SystemExit("MXNet 1.9.1 needs Python 3.11, which is not to be found as python3.11")
    print("making the environment for MXNet …", file=sys.stderr, flush=True)
    subprocess.run([base, "-m", "venv", "--clear", str(MXNET_FOLDER)], check=True)
    pip = [str(executable), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, *MXNET]).returncode:
        raise SystemExit(f"{MXNET[0]} cannot be installed here")
    finished.touch()
    return executable
