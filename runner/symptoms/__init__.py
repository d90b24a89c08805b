"""Symptoms that a diagnosis looks for. Every module in this folder is imported and registers its
symptoms.
"""

from __future__ import annotations

from initlab.runner.symptoms.base import REGISTRY, Examined, Reading, Symptom, register

__all__ = ["REGISTRY", "Examined", "Reading", "Symptom", "register"]
