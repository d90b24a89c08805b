"""Normalization layers (MXNet: gluon/nn/basic_layers.py)."""

from __future__ import annotations

from typing import Any

from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray


def _fit(layer: HybridBlock, shape: Shape, axis: int) -> None:
    """Set the length of the layer's vectors to the length of the input's `axis`.

    Raises MXNetError if they have another length or the input has no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        raise MXNetError.checked(
            f"{layer.name}: an input of shape {tuple(shape)} has no axis {axis}"
        )
    extent = shape[axis]
    for name, parameter in layer._reg_params.items():
        if parameter.shape not in ((0,), (-1,), (extent,)):
            raise MXNetError.checked(
                f"Error in operator {layer.name}_fwd: Shape inconsistent, Provided = "
                f"{list(parameter.shape)}, inferred "
                f"shape=[{extent}]: {name}, for axis {axis} of an input of shape {tuple(shape)}"
            )
        parameter.shape = (extent,)


class BatchNorm(HybridBlock):
    """gamma (x - mean) / sqrt(var + epsilon) + beta, normalized over all axes but `axis`.

    While training, mean and biased variance are those of the batch, and the running values become
    momentum * running + (1 - momentum) * batch. Otherwise, and with `use_global_stats`, the running
    values are used. `scale` and `center` say whether gamma and beta are learned. Source: Ioffe and
    Szegedy 2015.
    """

    fuse_relu = False

    def __init__(
        self,
        axis: int = 1,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        use_global_stats: bool = False,
        beta_initializer: InitLike = "zeros",
        gamma_initializer: InitLike = "ones",
        running_mean_initializer: InitLike = "zeros",
        running_variance_initializer: InitLike = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        self._kwargs: dict[str, Any] = {
            "axis": axis,
            "eps": epsilon,
            "momentum": momentum,
            "fix_gamma": not scale,
            "use_global_stats": use_global_stats,
        }
        kept = {
            "shape": (in_channels,),
            "allow_deferred_init": True,
            "roles": ("out",),
            "dtype": "float32",
        }

        def learned(wanted: bool) -> dict[str, Any]:
            return {"grad_req": "write" if wanted else "null", "differentiable": wanted}

        with self.name_scope():
            self.gamma = self.params.get("gamma", init=gamma_initializer, **kept, **learned(scale))
            self.beta = self.params.get("beta", init=beta_initializer, **kept, **learned(center))
            self.running_mean = self.params.get(
                "running_mean", init=running_mean_initializer, **kept, **learned(False)
            )
            self.running_var = self.params.get(
                "running_var", init=running_variance_initializer, **kept, **learned(False)
            )

    def cast(self, dtype: DType) -> None:
        """Cast the parameters; to float16 they stay float32, as in MXNet, because variances need
        the range.
        """
        super().cast("float32" if str(dtype) == "float16" else dtype)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        _fit(self, shape, self._kwargs["axis"])
        return shape

    def hybrid_forward(
        self,
        F: Functions,
        x: NDArray,
        gamma: NDArray,
        beta: NDArray,
        running_mean: NDArray,
        running_var: NDArray,
    ) -> NDArray:
        """Return the normalized batch."""
        return F.BatchNorm(x, gamma, beta, running_mean, running_var, **self._kwargs)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self._kwargs.items())
        return f"{type(self).__name__}({options}, in_channels={self.gamma.shape[0] or None})"


class BatchNormReLU(BatchNorm):
    """BatchNorm followed by max(x, 0)."""

    fuse_relu = True
    output_shape = BatchNorm.output_shape

    def hybrid_forward(
        self,
        F: Functions,
        x: NDArray,
        gamma: NDArray,
        beta: NDArray,
        running_mean: NDArray,
        running_var: NDArray,
    ) -> NDArray:
        """Return max(y, 0) of the normalized batch y."""
        return F.relu(super().hybrid_forward(F, x, gamma, beta, running_mean, running_var))


class _SampleNorm(HybridBlock):
    """Base of the normalizations within a sample; `scale` and `center` say whether gamma and beta
    are learned.
    """

    def __init__(
        self,
        extent: int,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: InitLike,
        gamma_initializer: InitLike,
        prefix: str | None,
        params: Any,
    ) -> None:
        super().__init__(prefix, params)
        self._epsilon, self._center, self._scale = epsilon, center, scale
        self._kwargs: dict[str, Any] = {"eps": epsilon, "center": center, "scale": scale}
        kept = {
            "shape": (extent,),
            "allow_deferred_init": True,
            "roles": ("out",),
            "dtype": "float32",
        }
        with self.name_scope():
            self.gamma = self.params.get(
                "gamma", grad_req="write" if scale else "null", init=gamma_initializer, **kept
            )
            self.beta = self.params.get(
                "beta", grad_req="write" if center else "null", init=beta_initializer, **kept
            )


class LayerNorm(_SampleNorm):
    """gamma (x - mean) / sqrt(var + epsilon) + beta, normalized along `axis`.

    Source: Ba, Kiros and Hinton 2016.
    """

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitLike = "zeros",
        gamma_initializer: InitLike = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(
            in_channels, epsilon, center, scale, beta_initializer, gamma_initializer, prefix, params
        )
        self._axis = axis
        self._kwargs["axis"] = axis

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        _fit(self, shape, self._axis)
        return shape

    def hybrid_forward(self, F: Functions, x: NDArray, gamma: NDArray, beta: NDArray) -> NDArray:
        """Return the normalized samples."""
        return F.LayerNorm(x, gamma, beta, axis=self._axis, eps=self._epsilon)

    def __repr__(self) -> str:
        return (
            f"LayerNorm(eps={self._epsilon}, axis={self._axis}, center={self._center}, scale={self._scale}, "
            f"in_channels={self.gamma.shape[0]})"
        )


class InstanceNorm(_SampleNorm):
    """gamma (x - mean) / sqrt(var + epsilon) + beta, normalized over the spatial axes.

    Mean and variance are computed for each sample and each channel (`axis`). Source: Ulyanov et al.
    2016.
    """

    def __init__(
        self,
        axis: int = 1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = False,
        beta_initializer: InitLike = "zeros",
        gamma_initializer: InitLike = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(
            in_channels, epsilon, center, scale, beta_initializer, gamma_initializer, prefix, params
        )
        self._axis = axis
        self._kwargs["axis"] = axis

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        _fit(self, shape, self._axis)
        return shape

    def hybrid_forward(self, F: Functions, x: NDArray, gamma: NDArray, beta: NDArray) -> NDArray:
        """Return the normalized channels."""
        axis = self._axis % x.ndim
        if axis == 1:
            return F.InstanceNorm(x, gamma, beta, eps=self._epsilon)
        order = (0, axis, *(a for a in range(1, x.ndim) if a != axis))
        y = F.InstanceNorm(x.transpose(order), gamma, beta, eps=self._epsilon)
        return y.transpose(tuple(order.index(a) for a in range(x.ndim)))

    def __repr__(self) -> str:
        return (
            f"InstanceNorm(eps={self._epsilon}, axis={self._axis}, center={self._center}, "
            f"scale={self._scale}, "
            f"in_channels={self.gamma.shape[0]})"
        )


class GroupNorm(_SampleNorm):
    """gamma (x - mean) / sqrt(var + epsilon) + beta, normalized over each group of channels of a
    sample.

    As in MXNet 1.9.1, gamma and beta have one element for each of the `num_groups` groups, not for
    each channel. Source: Wu and He 2018.
    """

    def __init__(
        self,
        num_groups: int = 1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitLike = "zeros",
        gamma_initializer: InitLike = "ones",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        if num_groups < 1:
            raise ValueError(
                f"GroupNorm: num_groups must be a whole number of at least 1, got {num_groups!r}"
            )
        super().__init__(
            num_groups, epsilon, center, scale, beta_initializer, gamma_initializer, prefix, params
        )
        self._num_groups = num_groups
        self._kwargs["num_groups"] = num_groups

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input. Raises MXNetError if the groups do not divide the
        channels.
        """
        if len(shape) < 2 or shape[1] % self._num_groups:
            raise MXNetError.checked(
                f"{self.name}: # of channels must be divisible by # of groups: axis 1 of an "
                f"input of shape {tuple(shape)}, "
                f"{self._num_groups} groups"
            )
        return shape

    def hybrid_forward(self, F: Functions, x: NDArray, gamma: NDArray, beta: NDArray) -> NDArray:
        """Return the normalized groups."""
        return F.GroupNorm(x, gamma, beta, num_groups=self._num_groups, eps=self._epsilon)

    def __repr__(self) -> str:
        return (
            f"GroupNorm(eps={self._epsilon}, num_groups={self._num_groups}, center={self._center}, "
            f"scale={self._scale})"
        )
