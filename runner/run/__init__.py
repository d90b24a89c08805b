"""The stages of a run: initialize, measure, write."""

from __future__ import annotations
