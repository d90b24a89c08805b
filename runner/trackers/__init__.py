"""Trackers: programs to which a finished run is logged. Every module in this folder is imported and
registers its tracker.
"""

from __future__ import annotations

from initlab.runner.trackers.base import REGISTRY, Tracker, register
from initlab.runner.trackers.evidence import Evidence, Picture, Series, Spread

__all__ = ["REGISTRY", "Evidence", "Picture", "Series", "Spread", "Tracker", "register"]
