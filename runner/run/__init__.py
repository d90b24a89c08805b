"""The stages of a run that make values and measure them."""

from __future__ import annotations
