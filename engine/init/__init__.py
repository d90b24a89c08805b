"""Initializers: from a parameter's description to the law of its first values (MXNet: `mx.init`)."""

from __future__ import annotations

from engine.init.base import Description, Fans, InitDesc, Initializer, alias, by_name, create, names, register
from engine.init.fan_scaled import He, Lecun, MSRAPrelu, VarianceScaling, Xavier
from engine.init.load import Load
from engine.init.mixed import Mixed
from engine.init.simple import Constant, Normal, One, TruncatedNormal, Uniform, Zero
from engine.init.structured import Identity, Orthogonal, ResidualScaled

__all__ = [
    "Constant",
    "Description",
    "Fans",
    "He",
    "Identity",
    "InitDesc",
    "Initializer",
    "Lecun",
    "Load",
    "MSRAPrelu",
    "Mixed",
    "Normal",
    "One",
    "Orthogonal",
    "ResidualScaled",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "Xavier",
    "Zero",
    "alias",
    "by_name",
    "create",
    "names",
    "register",
]
