"""The sampler of MXNet's gluon/contrib/data."""

from __future__ import annotations

from initlab.engine.gluon.data import IntervalSampler

__all__ = ["IntervalSampler"]
