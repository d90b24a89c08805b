"""Measurements of an initialized network. Every module in this folder is imported and registers its
measurements.
"""

from __future__ import annotations

from initlab.runner.measures.base import REGISTRY, Findings, Measure, register

__all__ = ["REGISTRY", "Findings", "Measure", "register"]
