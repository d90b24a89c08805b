"""A pytest plugin that pretends to have two GPUs: NumPy with our kernels compiled for the host. It
proves that the tests in tests/gpu work. With `PRETENDED_GPU=wrong` a constant of the normal
transform is off by one unit.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import host_kernels
import numpy as np

from initlab.engine import device as devices
from initlab.runner.plan import parts


def compiler(device: devices.Device) -> devices.Compile:
    """Of the kernels' text as it is, or with the wrong constant."""
    wrong = os.environ.get("PRETENDED_GPU") == "wrong"
    given = "-71.6337890625f"
    written = f"{float(np.nextafter(np.float32(-71.6337890625), np.float32(0)))!r}f"
    return lambda text: host_kernels.launching(text.replace(given, written) if wrong else text)


class Library:
    """NumPy, and what a benchmark asks of CuPy besides."""

    cuda = SimpleNamespace(
        Device=lambda number: SimpleNamespace(synchronize=lambda: None),
        runtime=SimpleNamespace(
            driverGetVersion=lambda: 12080,
            getDeviceProperties=lambda number: {"name": b"pretended"},
        ),
    )

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


devices.check_gpu = parts.check_gpu = lambda number: None
devices.num_gpus = lambda: 2
devices._NAMESPACES["gpu"] = devices.Namespace(
    lambda device: Library(), lambda raw: raw, lambda array, device: np.array(array), compiler
)
