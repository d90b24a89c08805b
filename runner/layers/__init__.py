"""Layer kinds: what `model.layers` can list. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.engine.registry import import_modules
from initlab.runner.layers.base import REGISTRY, Context, Layer, register

import_modules(__name__, __path__)

__all__ = ["REGISTRY", "Context", "Layer", "register"]
