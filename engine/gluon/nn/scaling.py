"""Layers with one number for the whole array: a fixed or learned factor, and a learned bias.

Neither is in MXNet.
"""

from __future__ import annotations

from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.flow import Chain, Factor, Part
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.init import Constant
from initlab.engine.nd import NDArray
from initlab.engine.options import is_number, shown


class _Scalar(HybridBlock):
    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        return shape


class Scale(_Scalar):
    """factor * x.

    With `learnable` the factor is the parameter `scale` of shape (1,). `scale_initializer` 'factor'
    gives it the value `factor`; None leaves it to the network's initializer. Raises ValueError if
    the factor is not finite. Sources of the learned factor: SkipInit (De and Smith 2020), Fixup
    (Zhang, Dauphin and Ma 2019).
    """

    def __init__(
        self,
        factor: float = 1.0,
        learnable: bool = False,
        scale_initializer: InitLike = "factor",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        if not is_number(factor):
            raise ValueError(f"Scale: factor must be a finite number, got {shown(factor)}")
        self._factor = float(factor)
        if learnable:
            default = Constant(self._factor).dumps()
            chosen = default if scale_initializer == "factor" else scale_initializer
            with self.name_scope():
                self.scale = self.params.get(
                    "scale", shape=(1,), init=chosen, roles=("out",), dtype="float32"
                )

    output_shape = _Scalar.output_shape

    def hybrid_forward(self, F: Functions, x: NDArray, scale: NDArray | None = None) -> NDArray:
        """Return the scaled x."""
        return (
            x * self._factor if scale is None else F.broadcast_mul(x, scale.reshape((1,) * x.ndim))
        )

    def data_flow(self) -> Part:
        """The factor."""
        return Factor(self._factor, "scale" if self._reg_params else None)

    def __repr__(self) -> str:
        return f"Scale({self._factor:g}{', learnable' if self._reg_params else ''})"


class Shift(_Scalar):
    """x + b, with the parameter `bias` of shape (1,), initially 0.

    Source: the scalar bias of Fixup (Zhang, Dauphin and Ma 2019).
    """

    def __init__(
        self,
        bias_initializer: InitLike = "zeros",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        with self.name_scope():
            self.bias = self.params.get(
                "bias", shape=(1,), init=bias_initializer, roles=("out",), dtype="float32"
            )

    output_shape = _Scalar.output_shape

    def hybrid_forward(self, F: Functions, x: NDArray, bias: NDArray) -> NDArray:
        """Return the shifted x."""
        return F.broadcast_add(x, bias.reshape((1,) * x.ndim))

    def data_flow(self) -> Part:
        """Nothing: the number is first 0."""
        return Chain()

    def __repr__(self) -> str:
        return "Shift()"
