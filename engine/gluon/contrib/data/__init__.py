"""The sampler of MXNet's gluon/contrib/data."""

from __future__ import annotations

from initlab.engine.gluon.contrib.data import sampler
from initlab.engine.gluon.contrib.data.sampler import IntervalSampler

__all__ = ["IntervalSampler", "sampler"]
