"""Layer kinds: the entries of `model.layers`. Every module in this folder is imported and registers
its kinds.
"""

from __future__ import annotations

from initlab.runner.layers.base import REGISTRY, Context, Layer, register

__all__ = ["REGISTRY", "Context", "Layer", "register"]
