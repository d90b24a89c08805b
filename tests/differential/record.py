"""`python tests/differential/record.py MXNET_PYTHON` records the results of real MXNet 1.9.1 for
the programs, for machines without MXNet.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TARGET = HERE.parent / "vectors" / "mxnet-programs.npz"
BOTH_WAYS = "files/"
"""The program whose arrays depend on what the other side wrote."""

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "mxnet.npz"
        subprocess.run(
            [
                sys.argv[1],
                str(HERE / "programs.py"),
                "mxnet",
                str(out),
                str(Path(folder) / "mxnet"),
            ],
            check=True,
        )
        with np.load(out) as file:
            np.savez_compressed(
                TARGET, **{key: file[key] for key in file.files if not key.startswith(BOTH_WAYS)}
            )
