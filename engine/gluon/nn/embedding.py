"""The Embedding layer (MXNet: gluon/nn/basic_layers.py)."""

from __future__ import annotations

from typing import Any

from initlab.engine.arrays import DType
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray


class Embedding(HybridBlock):
    """Return the rows of a table (input_dim, output_dim) with the indices in x: (…) -> (…,
    output_dim).

    `sparse_grad` is accepted, but gradients are dense.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dtype: DType = "float32",
        weight_initializer: InitLike = None,
        sparse_grad: bool = False,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        self._kwargs: dict[str, Any] = {
            "input_dim": input_dim,
            "output_dim": output_dim,
            "dtype": dtype,
            "sparse_grad": sparse_grad,
        }
        with self.name_scope():
            self.weight = self.params.get(
                "weight",
                shape=(input_dim, output_dim),
                init=weight_initializer,
                dtype=dtype,
                roles=("group", "out"),
                allow_deferred_init=True,
            )

    def output_shape(self, shape: Shape) -> Shape:
        """Return (…, output_dim)."""
        return (*shape, self._kwargs["output_dim"])

    def hybrid_forward(self, F: Functions, x: NDArray, weight: NDArray) -> NDArray:
        """Return the rows with the indices in x."""
        return F.Embedding(x, weight, **self._kwargs)

    def __repr__(self) -> str:
        given = self._kwargs
        return f"Embedding({given['input_dim']} -> {given['output_dim']}, {given['dtype']})"
