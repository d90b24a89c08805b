"""Exact streams, version `initlab-1`: every value is a pure function of seed, path, generation, law and element number."""

from __future__ import annotations

from engine.streams import variates
from engine.streams.draw import normal, threads, truncated_normal, uniform
from engine.streams.key import VERSION, Key
from engine.streams.mxnet_stream import MXNetStream
from engine.streams.phi import phi_word, truncated_moments
from engine.streams.source import Source
from engine.streams.stream import Stream, ambient, current, current_seed, epoch, scope, seed, use, version
from engine.streams.words import words

__all__ = [
    "VERSION",
    "Key",
    "MXNetStream",
    "Source",
    "Stream",
    "ambient",
    "current",
    "current_seed",
    "epoch",
    "normal",
    "phi_word",
    "scope",
    "seed",
    "threads",
    "truncated_moments",
    "truncated_normal",
    "uniform",
    "use",
    "variates",
    "version",
    "words",
]
