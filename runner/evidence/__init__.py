"""A run's folder: its manifest, snapshot, statuses and members."""

from __future__ import annotations
