"""Probes: what is sent through a network and measured. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.runner.probes.base import (
    REGISTRY,
    Probe,
    Subject,
    Trace,
    check_scores,
    moments,
    register,
)

__all__ = ["REGISTRY", "Probe", "Subject", "Trace", "check_scores", "moments", "register"]
