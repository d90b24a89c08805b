"""Normalization and embedding layers (MXNet: gluon/nn/basic_layers.py)."""

from __future__ import annotations

from typing import Any

from engine import autograd
from engine.gluon.block import HybridBlock, Shape


class BatchNorm(HybridBlock):
    """gamma (x - mean) / sqrt(var + epsilon) + beta over all axes but `axis` (Ioffe and Szegedy 2015).

    While training, mean and (biased) variance are the batch's and move the running ones by 1 - momentum; otherwise, and with
    `use_global_stats`, they are the running ones. `scale` and `center` say whether gamma and beta are learned.
    """

    def __init__(
        self,
        axis: int = 1,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        use_global_stats: bool = False,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        running_mean_initializer: Any = "zeros",
        running_variance_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._axis, self._momentum, self._epsilon = axis, momentum, epsilon
        self._center, self._scale, self._global = center, scale, use_global_stats
        kept = {"shape": (in_channels,), "allow_deferred_init": True, "roles": ("out",), "dtype": "float32"}
        learned = lambda wanted: {"grad_req": "write" if wanted else "null", "differentiable": wanted}  # noqa: E731
        with self.name_scope():
            self.gamma = self.params.get("gamma", init=gamma_initializer, **kept, **learned(scale))
            self.beta = self.params.get("beta", init=beta_initializer, **kept, **learned(center))
            self.running_mean = self.params.get("running_mean", init=running_mean_initializer, **kept, **learned(False))
            self.running_var = self.params.get("running_var", init=running_variance_initializer, **kept, **learned(False))

    def cast(self, dtype: Any) -> None:
        """float16 is left at float32, as in MXNet: variances need the range."""
        super().cast("float32" if str(dtype) == "float16" else dtype)

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """The input's."""
        for parameter in self._reg_params.values():
            parameter.shape = (shape[self._axis],)
        return shape

    def hybrid_forward(self, F: Any, x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any) -> Any:  # type: ignore[override]
        """The normalized batch."""
        form = tuple(-1 if a == self._axis % x.ndim else 1 for a in range(x.ndim))
        dtype, x = x.dtype, x.astype(gamma.dtype, copy=False)  # a float16 batch is normalized in float32
        if autograd.is_training() and not self._global:
            mean = x.mean(axis=self._axis, exclude=True)
            centred = x - mean.reshape(form)
            variance = (centred * centred).mean(axis=self._axis, exclude=True)
            with autograd.pause():
                for running, new in ((running_mean, mean), (running_var, variance)):
                    running[:] = self._momentum * running + (1 - self._momentum) * new.detach()
        else:
            centred, variance = x - running_mean.reshape(form), running_var
        y = centred / (variance.reshape(form) + self._epsilon).sqrt()
        return (y * gamma.reshape(form) + beta.reshape(form)).astype(dtype, copy=False)

    def __repr__(self) -> str:
        return (
            f"BatchNorm(axis={self._axis}, eps={self._epsilon}, momentum={self._momentum}, fix_gamma={not self._scale}, "
            f"use_global_stats={self._global}, in_channels={self.gamma.shape[0] or None})"
        )


class LayerNorm(HybridBlock):
    """gamma (x - mean) / sqrt(var + epsilon) + beta, mean and variance being those along `axis` (Ba, Kiros and Hinton 2016)."""

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._axis, self._epsilon, self._center, self._scale = axis, epsilon, center, scale
        kept = {"shape": (in_channels,), "allow_deferred_init": True, "roles": ("out",), "dtype": "float32"}
        with self.name_scope():
            self.gamma = self.params.get("gamma", grad_req="write" if scale else "null", init=gamma_initializer, **kept)
            self.beta = self.params.get("beta", grad_req="write" if center else "null", init=beta_initializer, **kept)

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """The input's."""
        for parameter in self._reg_params.values():
            parameter.shape = (shape[self._axis],)
        return shape

    def hybrid_forward(self, F: Any, x: Any, gamma: Any, beta: Any) -> Any:  # type: ignore[override]
        """The normalized samples."""
        form = tuple(-1 if a == self._axis % x.ndim else 1 for a in range(x.ndim))
        centred = x - x.mean(axis=self._axis, keepdims=True)
        variance = (centred * centred).mean(axis=self._axis, keepdims=True)
        return centred / (variance + self._epsilon).sqrt() * gamma.reshape(form) + beta.reshape(form)

    def __repr__(self) -> str:
        return (
            f"LayerNorm(eps={self._epsilon}, axis={self._axis}, center={self._center}, scale={self._scale}, "
            f"in_channels={self.gamma.shape[0]})"
        )


class Embedding(HybridBlock):
    """Rows of a table by number: (…) -> (…, output_dim). `sparse_grad` is accepted; gradients are dense."""

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
        self._input_dim, self._output_dim, self._dtype, self._sparse = input_dim, output_dim, dtype, sparse_grad
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

    def hybrid_forward(self, F: Any, x: Any, weight: Any) -> Any:  # type: ignore[override]
        """The rows."""
        return F.take(weight, x, axis=0)

    def __repr__(self) -> str:
        return f"Embedding({self._input_dim} -> {self._output_dim}, {self._dtype})"
