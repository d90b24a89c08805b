"""The engine: MXNet Gluon's parameter system on NumPy and CuPy, with exact streams. `import engine as mx` reads like MXNet."""

from __future__ import annotations

from engine import autograd, digest, formats, gluon, init, initializer, laws, lr_scheduler, metric, nd, optimizer, random, registry, streams
from engine.device import Context, Device, cpu, cpu_pinned, current_context, current_device, gpu, num_gpus
from engine.errors import EngineError, MXNetError
from engine.streams import threads

__all__ = [
    "Context",
    "Device",
    "EngineError",
    "MXNetError",
    "autograd",
    "cpu",
    "cpu_pinned",
    "current_context",
    "current_device",
    "digest",
    "formats",
    "gluon",
    "gpu",
    "init",
    "initializer",
    "laws",
    "lr_scheduler",
    "metric",
    "nd",
    "num_gpus",
    "optimizer",
    "random",
    "registry",
    "streams",
    "threads",
]
