"""Initializers: dataclasses that map a parameter's description to a law (MXNet: `mx.init`, `mx.initializer`)."""

from __future__ import annotations

from engine.init.base import InitDesc, Initializer, alias, by_name, create, names, register
from engine.init.bilinear import Bilinear
from engine.init.constant import Constant, One, Zero
from engine.init.description import Description, Fans
from engine.init.fan_scaled import He, Lecun, MSRAPrelu, VarianceScaling, Xavier
from engine.init.identity import Identity
from engine.init.load import Load
from engine.init.mixed import Mixed
from engine.init.orthogonal import DeltaOrthogonal, Haar, Orthogonal
from engine.init.random import Normal, TruncatedNormal, Uniform
from engine.init.recurrent import FusedRNN, LSTMBias
from engine.init.residual import ResidualScaled

__all__ = [
    "Bilinear",
    "Constant",
    "DeltaOrthogonal",
    "Description",
    "Fans",
    "FusedRNN",
    "Haar",
    "He",
    "Identity",
    "InitDesc",
    "Initializer",
    "LSTMBias",
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
