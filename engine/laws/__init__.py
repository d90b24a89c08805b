"""Laws: each draws any slice of a tensor from a key, and states properties that the values can be
tested against. A module that is put into this folder is found.
"""

from __future__ import annotations

from initlab.engine.laws.base import NOWHERE, Invariant, Law, fill_many, from_description
from initlab.engine.laws.composed import Blocks, DataScaled, Repeated, Stacked
from initlab.engine.laws.delta_orthogonal import DeltaOrthogonal
from initlab.engine.laws.elementwise import Constant, ForgetGate, Normal, TruncatedNormal, Uniform
from initlab.engine.laws.given import Custom, Loaded
from initlab.engine.laws.haar import Haar, SingularVectors, Structured
from initlab.engine.laws.zero_rows import ZeroRows
from initlab.engine.registry import import_modules

import_modules(__name__, __path__)

__all__ = [
    "NOWHERE",
    "Blocks",
    "Constant",
    "Custom",
    "DataScaled",
    "DeltaOrthogonal",
    "ForgetGate",
    "Haar",
    "Invariant",
    "Law",
    "Loaded",
    "Normal",
    "Repeated",
    "SingularVectors",
    "Stacked",
    "Structured",
    "TruncatedNormal",
    "Uniform",
    "ZeroRows",
    "fill_many",
    "from_description",
]
