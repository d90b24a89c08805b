"""Where a finished run is shown besides its own folder. A module dropped into this folder is found."""

from __future__ import annotations

from initlab.runner.trackers.base import REGISTRY, Tracker, register
from initlab.runner.trackers.evidence import Evidence, Picture, Series, Spread

__all__ = ["REGISTRY", "Evidence", "Picture", "Series", "Spread", "Tracker", "register"]
