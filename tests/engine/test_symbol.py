"""`Symbol` is good for annotations and isinstance; using one is one clear error."""

from __future__ import annotations

import importlib

import pytest

import initlab.engine as mx
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import tensor_types
from initlab.engine.symbol import Symbol


def test_no_array_is_a_symbol():
    def forward(x: mx.sym.Symbol | mx.nd.NDArray) -> bool:
        return isinstance(x, Symbol)

    assert not forward(mx.nd.ones((2,)))
    assert isinstance(mx.nd.ones((2,)), tensor_types)


def test_a_parameters_symbol_is_its_name():
    symbol = mx.gluon.Parameter("net_weight", shape=(1,)).var()
    assert isinstance(symbol, Symbol)
    assert (symbol.name, repr(symbol)) == ("net_weight", "<Symbol net_weight>")


def test_using_symbols_is_an_error_that_says_what_to_do():
    with pytest.raises(MXNetError, match="the engine computes at once - write the network as"):
        Symbol()
    with pytest.raises(AttributeError, match=r"mx\.sym\.Variable: there are no symbols here"):
        mx.sym.Variable("data")


def test_the_module_has_mxnets_module_of_the_same_name_within():
    module = importlib.import_module("initlab.engine.symbol.symbol")
    assert module.Symbol is Symbol


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("mod", " - did you mean gluon.Trainer?"),
        ("model", " - did you mean gluon.Trainer?"),
        ("kv", " - did you mean gluon.Trainer?"),
        ("rnn", " - did you mean gluon.rnn?"),
        ("viz", " - did you mean gluon.Block.summary?"),
        ("np", " - did you mean nd?"),
        ("callback", ""),
        ("monitor", ""),
        ("profiler", ""),
    ],
)
def test_modules_for_graphs_of_symbols_are_not_there(name, instead):
    with pytest.raises(AttributeError) as found:
        getattr(mx, name)
    assert str(found.value) == f"module 'initlab.engine' has no attribute '{name}'{instead}"
