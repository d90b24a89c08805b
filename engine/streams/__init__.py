"""Exact streams, version `initlab-1`: every value is a pure function of seed, path, generation, law
and element number.

MXNet 1.9.1's and torch 2.13's own streams are here too, for code that must repeat these libraries.
Their values depend on everything that was drawn before.
"""

from __future__ import annotations

from initlab.engine.streams import cuda, distribution, variates
from initlab.engine.streams.distribution import Distribution, Piece
from initlab.engine.streams.draw import (
    draw_many,
    normal,
    normal64,
    truncated_normal,
    truncated_normal64,
    uniform,
    uniform64,
)
from initlab.engine.streams.implementation import core, implementation, why_core
from initlab.engine.streams.key import VERSION, Key
from initlab.engine.streams.mxnet_stream import MXNetStream
from initlab.engine.streams.names import Place, StreamName
from initlab.engine.streams.phi import phi_word, truncated_moments
from initlab.engine.streams.pool import alone, threads
from initlab.engine.streams.source import Source
from initlab.engine.streams.stream import (
    DTYPES,
    LAWS,
    TORCH,
    VERSIONS,
    Stream,
    ambient,
    current,
    current_seed,
    epoch,
    kept,
    scope,
    seed,
    use,
    using,
    version,
)
from initlab.engine.streams.torch_stream import TorchStream, check_cut
from initlab.engine.streams.words import wide_words, words

__all__ = [
    "DTYPES",
    "LAWS",
    "TORCH",
    "VERSION",
    "VERSIONS",
    "Distribution",
    "Key",
    "MXNetStream",
    "Piece",
    "Place",
    "Source",
    "Stream",
    "StreamName",
    "TorchStream",
    "alone",
    "ambient",
    "check_cut",
    "core",
    "cuda",
    "current",
    "current_seed",
    "distribution",
    "draw_many",
    "epoch",
    "kept",
    "implementation",
    "normal",
    "normal64",
    "phi_word",
    "scope",
    "seed",
    "threads",
    "truncated_moments",
    "truncated_normal",
    "truncated_normal64",
    "uniform",
    "uniform64",
    "use",
    "using",
    "variates",
    "version",
    "why_core",
    "wide_words",
    "words",
]
