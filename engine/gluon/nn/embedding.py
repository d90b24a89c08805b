"""Tables of vectors (MXNet: gluon/nn/basic_layers.py)."""

from __future__ import annotations

from typing import Any

from initlab.engine.gluon.block import HybridBlock, Shape


class Embedding(HybridBlock):
    """Rows of a table by number: (…) -> (…, output_dim). `sparse_grad` is accepted; gradients are
    dense.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dtype: Any = "float32",
        weight_initializer: Any = None,
        sparse_grad: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._input_dim, self._output_dim, self._dtype, self._sparse = (
            input_dim,
            output_dim,
            dtype,
            sparse_grad,
        )
        with self.name_scope():
            self.weight = self.params.get(
                "weight",
                shape=(input_dim, output_dim),
                init=weight_initializer,
                dtype=dtype,
                roles=("group", "out"),
                allow_deferred_init=True,
            )

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """(…, output_dim)."""
        return (*shape, self._output_dim)

    def hybrid_forward(self, F: Any, x: Any, weight: Any) -> Any:
        """The rows."""
        return F.take(weight, x, axis=0)

    def __repr__(self) -> str:
        return f"Embedding({self._input_dim} -> {self._output_dim}, {self._dtype})"
