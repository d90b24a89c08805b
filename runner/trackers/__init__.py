"""Where a finished run is shown besides its own folder. A module dropped into this folder is found."""

from __future__ import annotations

from runner.kinds import import_modules
from runner.trackers.base import REGISTRY, Tracker, register
from runner.trackers.evidence import Evidence, Picture, Series, Spread

import_modules(__name__, __path__)

__all__ = ["REGISTRY", "Evidence", "Picture", "Series", "Spread", "Tracker", "register"]
