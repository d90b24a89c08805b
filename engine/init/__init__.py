"""Initializers: dataclasses that map a parameter's description to a law (MXNet: `mx.init`,
`mx.initializer`). A module that is put into this folder is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine.init.base import (
    InitDesc,
    Initializer,
    alias,
    by_name,
    choose,
    create,
    filler,
    law_for,
    names,
    register,
)
from initlab.engine.init.bilinear import Bilinear
from initlab.engine.init.constant import Constant, One, Zero
from initlab.engine.init.description import Description, Fans
from initlab.engine.init.fan_scaled import He, Lecun, MSRAPrelu, VarianceScaling, Xavier
from initlab.engine.init.identity import Identity
from initlab.engine.init.load import Load
from initlab.engine.init.lsuv import Lsuv
from initlab.engine.init.mixed import Mixed
from initlab.engine.init.mup import Mup
from initlab.engine.init.orthogonal import DeltaOrthogonal, Haar, Orthogonal
from initlab.engine.init.random import Default, Normal, TruncatedNormal, Uniform
from initlab.engine.init.recurrent import FusedRNN, LSTMBias
from initlab.engine.init.residual import Fixup, ResidualScaled, Skipinit
from initlab.engine.init.sine import Siren
from initlab.engine.init.subpixel import Icnr
from initlab.engine.init.transformer import Deepnorm, TFixup
from initlab.engine.init.vgg import Vgg
from initlab.engine.registry import import_modules
from initlab.lazy import suggesting

import_modules(__name__, __path__)

__all__ = [
    "Bilinear",
    "Constant",
    "Deepnorm",
    "Default",
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
    "Vgg",
    "Xavier",
    "Zero",
    "alias",
    "by_name",
    "choose",
    "create",
    "filler",
    "law_for",
    "names",
    "register",
]

if not TYPE_CHECKING:
    ELSEWHERE = {
        "kaiming": "He or MSRAPrelu",
        "kaimingnormal": "He",
        "kaiminguniform": "He(distribution='uniform')",
        "henormal": "He",
        "heuniform": "He(distribution='uniform')",
        "glorot": "Xavier",
        "glorotuniform": "Xavier",
        "glorotnormal": "Xavier(rnd_type='gaussian')",
        "xavieruniform": "Xavier",
        "xaviernormal": "Xavier(rnd_type='gaussian')",
        "truncnormal": "TruncatedNormal",
        "zeros": "Zero",
        "ones": "One",
        "gaussian": "Normal",
        "randomnormal": "Normal",
        "randomuniform": "Uniform",
        "eye": "Identity",
        "dirac": "Identity",
    }
    __getattr__ = suggesting(__name__, ELSEWHERE)
