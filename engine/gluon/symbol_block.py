"""SymbolBlock, for `isinstance`: a network made from a graph of symbols, which is not here."""

from __future__ import annotations

from typing import NoReturn

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.hybrid_block import HybridBlock
from initlab.engine.symbol import ABSENT


class SymbolBlock(HybridBlock):
    """MXNet's network of symbols. Making one raises MXNetError."""

    def __init__(self, *args: object, **options: object) -> None:
        raise MXNetError(f"gluon.SymbolBlock: {ABSENT}")

    @staticmethod
    def imports(symbol_file: str, *args: object, **options: object) -> NoReturn:
        """Raise MXNetError: a graph in a file cannot be run; its parameters can be loaded."""
        raise MXNetError(
            f"SymbolBlock.imports: {symbol_file} holds a graph of symbols, which is not run here - "
            "write the network as a Block and load_parameters from the .params file"
        )
