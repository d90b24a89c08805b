"""Data kinds: what a probe sends through the network. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.runner.data.base import REGISTRY, Batch, Data, register

__all__ = ["REGISTRY", "Batch", "Data", "register"]
