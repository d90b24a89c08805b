"""Checks of finished runs: against a recomputation, another run, or a lock."""

from __future__ import annotations
