"""`engine.sym` is `engine.symbol`."""

from __future__ import annotations

import importlib

import initlab.engine as mx


def test_it_is_the_module_itself():
    assert mx.sym is mx.symbol
    assert importlib.import_module("initlab.engine.sym") is mx.symbol
