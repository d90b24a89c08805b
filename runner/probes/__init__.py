"""Probes: what is sent through a network and measured. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.engine.registry import import_modules
from initlab.runner.probes.base import (
    REGISTRY,
    Probe,
    Subject,
    Trace,
    check_scores,
    moments,
    register,
)

import_modules(__name__, __path__)

__all__ = ["REGISTRY", "Probe", "Subject", "Trace", "check_scores", "moments", "register"]
