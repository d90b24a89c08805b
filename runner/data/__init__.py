"""Data kinds: what a probe sends through the network. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.engine.registry import import_modules
from initlab.runner.data.base import REGISTRY, Batch, Data, register

import_modules(__name__, __path__)

__all__ = ["REGISTRY", "Batch", "Data", "register"]
