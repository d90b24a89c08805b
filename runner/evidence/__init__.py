"""A run's folder: its manifest, snapshot, statistics and status, and the members of a sweep."""

from __future__ import annotations
