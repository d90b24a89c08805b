"""Checks of a diagnosis. Every module in this folder is imported and registers its checks."""

from __future__ import annotations

from initlab.runner.diagnosis.checks.base import REGISTRY, Check, Examined, Reading, register

__all__ = ["REGISTRY", "Check", "Examined", "Reading", "register"]
