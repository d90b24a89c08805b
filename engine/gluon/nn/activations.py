"""Rectifiers and their smooth relatives as layers (MXNet: gluon/nn/activations.py). All give back
the shape they take.
"""

from __future__ import annotations

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Functions, HybridBlock, Shape
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.init import Constant
from initlab.engine.nd import NDArray

QUARTER = Constant(0.25)
"""The slope that He et al. start from."""


class _Elementwise(HybridBlock):
    def infer_shape(self, shape: Shape) -> Shape:
        """The input's."""
        return shape


class LeakyReLU(_Elementwise):
    """x above 0, alpha x below (Maas, Hannun and Ng 2013). AssertionError for a negative alpha."""

    def __init__(
        self, alpha: float, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        if alpha < 0:
            raise AssertionError("Slope coefficient for LeakyReLU must be no less than 0.")
        super().__init__(prefix, params)
        self._alpha = alpha

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """The activation of x."""
        return F.LeakyReLU(x, act_type="leaky", slope=self._alpha)

    def __repr__(self) -> str:
        return f"LeakyReLU({self._alpha})"


class PReLU(_Elementwise):
    """x above 0, below it x times a learned slope (0.25 at first): one for all, or one for each of
    `in_channels` (He et al. 2015).
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

    def infer_shape(self, shape: Shape) -> Shape:
        """The input's."""
        channels = shape[1] if len(shape) > 1 else shape[0]
        if self.alpha.shape not in ((1,), (channels,)):
            raise MXNetError(
                f"MXNetError: {self.name}: alpha of shape {self.alpha.shape} for {channels} channels (axis "
                "1 of an input of shape "
                f"{tuple(shape)})"
            )
        return shape

    def hybrid_forward(self, F: Functions, x: NDArray, alpha: NDArray) -> NDArray:
        """The activation of x."""
        return F.LeakyReLU(x, gamma=alpha, act_type="prelu")


class ELU(_Elementwise):
    """x above 0, alpha (e^x - 1) below (Clevert, Unterthiner and Hochreiter 2016)."""

    def __init__(
        self, alpha: float = 1.0, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        super().__init__(prefix, params)
        self._alpha = alpha

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """The activation of x."""
        return F.LeakyReLU(x, act_type="elu", slope=self._alpha)


class SELU(_Elementwise):
    """The self-normalizing ELU (Klambauer et al. 2017)."""

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """The activation of x."""
        return F.LeakyReLU(x, act_type="selu")


class GELU(_Elementwise):
    """x Phi(x), Phi being the normal distribution function, without approximation (Hendrycks and
    Gimpel 2016).
    """

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """The activation of x."""
        return F.LeakyReLU(x, act_type="gelu")


class Swish(_Elementwise):
    """x sigmoid(beta x) (Ramachandran, Zoph and Le 2017)."""

    def __init__(
        self, beta: float = 1.0, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        super().__init__(prefix, params)
        self._beta = beta

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """The activation of x."""
        return x * F.sigmoid(self._beta * x)
