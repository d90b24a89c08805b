"""Probes: data sent through a network, and measurements of it. Every module in this folder is
imported and registers its probes.
"""

from __future__ import annotations

from initlab.runner.probes.base import (
    REGISTRY,
    Probe,
    Subject,
    Trace,
    check_scores,
    register,
)
from initlab.runner.probes.watching import moments

__all__ = ["REGISTRY", "Probe", "Subject", "Trace", "check_scores", "moments", "register"]
