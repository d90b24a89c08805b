"""Checks of a watched construction: each looks for one kind of fault. Every module in this folder is
imported and registers its checks.
"""

from __future__ import annotations

from initlab.runner.torch.watch.checks.base import REGISTRY, Check, register

__all__ = ["REGISTRY", "Check", "register"]
