"""No tracker: a run has only its folder."""

from __future__ import annotations

from dataclasses import dataclass

from initlab.runner.trackers.base import Tracker, register
from initlab.runner.trackers.evidence import Evidence


@register
@dataclass
class None_(Tracker):
    """Logs a run nowhere; it writes only its own folder.

    Example: initlab tracker=none
    """

    def track(self, evidence: Evidence) -> None:
        """Do nothing."""
