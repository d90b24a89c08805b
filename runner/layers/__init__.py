"""Layer kinds: what `model.layers` can list. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.runner.layers.base import REGISTRY, Context, Layer, register

__all__ = ["REGISTRY", "Context", "Layer", "register"]
