"""`python tests/differential/record.py MXNET_PYTHON [MODULE…]` records the results of real MXNet
1.9.1 for the programs of modules (all of them unless some are named), for machines without MXNet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1]
MODULES = (
    "programs",
    "blocks",
    "optimizers",
    "pictures",
    "operators",
    "texts",
    "iterators",
    "updates",
)
BOTH_WAYS = "files/"
"""The program whose arrays depend on what the other side wrote."""


def record(python: str, module: str) -> None:
    """Write `vectors/mxnet-<module>.npz`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "mxnet.npz"
        subprocess.run(
            [
                python,
                "-m",
                f"differential.{module}",
                "mxnet",
                str(out),
                str(Path(folder) / "mxnet"),
            ],
            check=True,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
        )
        with np.load(out) as file:
            np.savez_compressed(
                TESTS / "vectors" / f"mxnet-{module}.npz",
                **{key: file[key] for key in file.files if not key.startswith(BOTH_WAYS)},
            )


if __name__ == "__main__":
    for name in sys.argv[2:] or MODULES:
        record(sys.argv[1], name)
