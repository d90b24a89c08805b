"""Rectifiers and smooth variants of them as layers (MXNet: gluon/nn/activations.py).

The output has the shape of the input.
"""

from __future__ import annotations

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn.basic import Activation as Activation
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.init import Constant
from initlab.engine.nd import NDArray

QUARTER = Constant(0.25)
"""The initial slope of He et al. 2015."""


class _Elementwise(HybridBlock):
    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        return shape


class LeakyReLU(_Elementwise):
    """x for x > 0, else alpha x (Maas, Hannun and Ng 2013). Raises AssertionError if alpha is
    negative.
    """

    def __init__(
        self, alpha: float, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        if alpha < 0:
            raise AssertionError("Slope coefficient for LeakyReLU must be no less than 0.")
        super().__init__(prefix, params)
        self._alpha = alpha

    output_shape = _Elementwise.output_shape

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the activation of x."""
        return F.LeakyReLU(x, act_type="leaky", slope=self._alpha)

    def __repr__(self) -> str:
        return f"LeakyReLU({self._alpha})"


class PReLU(_Elementwise):
    """x for x > 0, else alpha x with a learned alpha, initially 0.25 (He et al. 2015).

    `in_channels` is 1, for one alpha, or the number of channels (axis 1), for one alpha each.
    """

    def __init__(
        self,
        alpha_initializer: InitLike = QUARTER,
        in_channels: int = 1,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        with self.name_scope():
            self.alpha = self.params.get(
                "alpha",
                shape=(in_channels,),
                init=alpha_initializer,
                roles=("out",),
                dtype="float32",
            )

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        channels = shape[1] if len(shape) > 1 else shape[0]
        if self.alpha.shape not in ((1,), (channels,)):
            raise MXNetError.checked(
                f"{self.name}: alpha of shape {self.alpha.shape} for {channels} channels (axis "
                "1 of an input of shape "
                f"{tuple(shape)})"
            )
        return shape

    def hybrid_forward(self, F: Functions, x: NDArray, alpha: NDArray) -> NDArray:
        """Return the activation of x."""
        return F.LeakyReLU(x, gamma=alpha, act_type="prelu")


class ELU(_Elementwise):
    """x for x > 0, else alpha (e^x - 1) (Clevert, Unterthiner and Hochreiter 2016)."""

    def __init__(
        self, alpha: float = 1.0, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        super().__init__(prefix, params)
        self._alpha = alpha

    output_shape = _Elementwise.output_shape

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the activation of x."""
        return F.LeakyReLU(x, act_type="elu", slope=self._alpha)


class SELU(_Elementwise):
    """The scaled exponential linear unit of self-normalizing networks (Klambauer et al. 2017)."""

    output_shape = _Elementwise.output_shape

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the activation of x."""
        return F.LeakyReLU(x, act_type="selu")


class GELU(_Elementwise):
    """x Phi(x), with the exact standard normal distribution function Phi (Hendrycks and Gimpel
    2016).
    """

    output_shape = _Elementwise.output_shape

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the activation of x."""
        return F.LeakyReLU(x, act_type="gelu")


class Swish(_Elementwise):
    """x sigmoid(beta x) (Ramachandran, Zoph and Le 2017)."""

    def __init__(
        self, beta: float = 1.0, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        super().__init__(prefix, params)
        self._beta = beta

    output_shape = _Elementwise.output_shape

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the activation of x."""
        return x * F.sigmoid(self._beta * x)
