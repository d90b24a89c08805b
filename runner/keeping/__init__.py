"""Runs as a person keeps them: listed, shown again, removed, and cleaned up after."""

from __future__ import annotations
