"""Exact streams, version `initlab-1`: every value is a pure function of seed, path, generation, law and element number.

Beside it, for code that must repeat MXNet 1.9.1, its own stream, whose values depend on all that was drawn before.
"""

from __future__ import annotations

from engine.streams import cuda, distribution, variates
from engine.streams.distribution import Distribution, Piece
from engine.streams.draw import draw_many, normal, normal64, truncated_normal, truncated_normal64, uniform, uniform64
from engine.streams.implementation import expect, implementation
from engine.streams.key import VERSION, Key
from engine.streams.mxnet_stream import MXNetStream
from engine.streams.phi import phi_word, truncated_moments
from engine.streams.pool import alone, threads
from engine.streams.source import Source
from engine.streams.stream import DTYPES, VERSIONS, Stream, ambient, current, current_seed, epoch, scope, seed, use, using, version
from engine.streams.words import wide_words, words

__all__ = [
    "DTYPES",
    "VERSION",
    "VERSIONS",
    "Distribution",
    "Key",
    "MXNetStream",
    "Piece",
    "Source",
    "Stream",
    "alone",
    "ambient",
    "cuda",
    "current",
    "current_seed",
    "distribution",
    "draw_many",
    "epoch",
    "expect",
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
    "wide_words",
    "words",
]
