"""Managers of names (MXNet: `mx.name`); `engine.naming` defines them."""

from __future__ import annotations

from initlab.engine.naming import NameManager, Prefix

__all__ = ["NameManager", "Prefix"]
