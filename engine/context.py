"""Devices by MXNet's name for them (MXNet: `mx.context`); `engine.device` defines them."""

from __future__ import annotations

from initlab.engine.device import (
    Context,
    cpu,
    cpu_pinned,
    current_context,
    gpu,
    gpu_memory_info,
    num_gpus,
)

__all__ = [
    "Context",
    "cpu",
    "cpu_pinned",
    "current_context",
    "gpu",
    "gpu_memory_info",
    "num_gpus",
]
