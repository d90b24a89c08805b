"""The open set of subcommands of `initlab`, one file each: `initlab verify …`, `initlab compare …`."""

from __future__ import annotations

from initlab.engine.registry import import_modules
from initlab.runner.command import REGISTRY, Command, register

import_modules(__name__, __path__)

__all__ = ["REGISTRY", "Command", "register"]
