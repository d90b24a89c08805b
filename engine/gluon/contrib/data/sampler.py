"""MXNet's module of contributed samplers, for code that imports from it."""

from __future__ import annotations

from initlab.engine.gluon.data import IntervalSampler

__all__ = ["IntervalSampler"]
