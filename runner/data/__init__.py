"""Data kinds: the inputs of probes. Every module in this folder is imported and registers its
kinds.
"""

from __future__ import annotations

from initlab.runner.data.base import REGISTRY, Batch, Data, register

__all__ = ["REGISTRY", "Batch", "Data", "register"]
