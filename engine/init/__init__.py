"""Initializers: dataclasses that map a parameter's description to a law (MXNet: `mx.init`, `mx.initializer`)."""

from __future__ import annotations

from engine.init.base import InitDesc, Initializer, alias, by_name, create, names, register
from engine.init.bilinear import Bilinear
from engine.init.constant import Constant, One, Zero
from engine.init.description import Description, Fans
from engine.init.fan_scaled import He, Lecun, MSRAPrelu, VarianceScaling, Xavier
from engine.init.identity import Identity
from engine.init.load import Load
from engine.init.lsuv import Lsuv
from engine.init.mixed import Mixed
from engine.init.mup import Mup
from engine.init.orthogonal import DeltaOrthogonal, Haar, Orthogonal
from engine.init.random import Normal, TruncatedNormal, Uniform
from engine.init.recurrent import FusedRNN, LSTMBias
from engine.init.residual import Fixup, ResidualScaled, Skipinit
from engine.init.sine import Siren
from engine.init.subpixel import Icnr
from engine.init.transformer import Deepnorm, TFixup

__all__ = [
    "Bilinear",
    "Constant",
    "Deepnorm",
    "DeltaOrthogonal",
    "Description",
    "Fans",
    "Fixup",
    "FusedRNN",
    "Haar",
    "He",
    "Icnr",
    "Identity",
    "InitDesc",
    "Initializer",
    "LSTMBias",
    "Lecun",
    "Load",
    "Lsuv",
    "MSRAPrelu",
    "Mixed",
    "Mup",
    "Normal",
    "One",
    "Orthogonal",
    "ResidualScaled",
    "Siren",
    "Skipinit",
    "TFixup",
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
