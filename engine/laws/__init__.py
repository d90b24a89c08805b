"""Laws: what is drawn, from a key, in any slice, and what it can be tested against."""

from __future__ import annotations

from engine.laws.base import Invariant, Law, from_description
from engine.laws.elementwise import Constant, Normal, TruncatedNormal, Uniform
from engine.laws.given import Custom, Loaded
from engine.laws.haar import Haar, Structured

__all__ = [
    "Constant",
    "Custom",
    "Haar",
    "Invariant",
    "Law",
    "Loaded",
    "Normal",
    "Structured",
    "TruncatedNormal",
    "Uniform",
    "from_description",
]
