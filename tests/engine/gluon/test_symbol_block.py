"""SymbolBlock is good for isinstance only."""

from __future__ import annotations

import pytest

from initlab.engine import gluon
from initlab.engine.errors import MXNetError


def test_a_network_of_symbols_is_refused():
    assert not isinstance(gluon.nn.Dense(1), gluon.SymbolBlock)
    with pytest.raises(MXNetError, match="there are no symbols here"):
        gluon.SymbolBlock(None, None)
    with pytest.raises(MXNetError, match=r"net-symbol\.json holds a graph of symbols"):
        gluon.SymbolBlock.imports("net-symbol.json", ["data"])
