"""Measurements of an initialized network. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.runner.measures.base import REGISTRY, Findings, Measure, register

__all__ = ["REGISTRY", "Findings", "Measure", "register"]
