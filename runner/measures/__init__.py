"""Measurements of an initialized network. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.engine.registry import import_modules
from initlab.runner.measures.base import REGISTRY, Findings, Measure, register

import_modules(__name__, __path__)

__all__ = ["REGISTRY", "Findings", "Measure", "register"]
