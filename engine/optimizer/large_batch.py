"""Rates by layer, from the norms of weight and gradient, for large batches."""

from __future__ import annotations

import math
from typing import ClassVar

from initlab.engine import nd
from initlab.engine.optimizer.base import Optimizer, State, arrays_of, register
from initlab.engine.optimizer.sgd import SGD

UNSCALED = ("gamma", "beta", "bias")
"""Endings of names whose rate LARS leaves as it is. Names come from `param_idx2name`."""
BOUNDS = 0.01, 100.0
"""The bounds of LBSGD's factor by norms."""


def _norm(x: nd.NDArray) -> float:
    return float(x.astype("float32").norm().asscalar())


@register
class LARS(SGD):
    """SGD with a rate for each weight in proportion to its length over that of its gradient.

    The rate is lr where a norm is 0 and for weights whose name ends in gamma, beta or bias. With
    `momentum_correction`, a change of lr scales the momentum (Goyal et al. 2017).

    Formula: the rate is lr eta |w| / (|g| + wd |w| + eps)

    Source: You, Gitman and Ginsburg, "Large batch training of convolutional networks", 2017.
    """

    def __init__(
        self,
        momentum: float = 0.0,
        lazy_update: bool = True,
        eta: float = 0.001,
        eps: float = 0,
        momentum_correction: bool = True,
        **kwargs: object,
    ) -> None:
        super().__init__(momentum, lazy_update, **kwargs)
        self.eta, self.eps, self.momentum_correction = eta, eps, momentum_correction
        self._rates: dict[int, float] = {}

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: State) -> None:
        """Make one step with the weight's own rate."""
        self._update_count(index)
        lr, wd, current = self._get_lr(index), self._get_wd(index), self.learning_rate
        last = self._rates.get(index, current)
        self._rates[index] = current
        corrected = self.momentum_correction and last != 0
        momentum = self.momentum * (current / last) if corrected else self.momentum
        g = grad * self.rescale_grad
        if not self.idx2name.get(index, "").endswith(UNSCALED):
            w_norm, g_norm = _norm(weight), _norm(g)
            if w_norm > 0 and g_norm > 0:
                lr *= self.eta * w_norm / (g_norm + wd * w_norm + self.eps)
        self.move(weight, g, tuple(arrays_of(state)), lr, wd, momentum)


@register
class LBSGD(SGD):
    """SGD on the mean of `batch_scale` gradients, with a rate that warms up.

    During the first `warmup_epochs` epochs of `updates_per_epoch` updates, the factor of the rate
    rises from 1 to `batch_scale`: `linear`, `power2` or `sqrt`. The strategy `lars` takes the
    factor from the norms instead.

    Source: MXNet 1.9.1, python/mxnet/optimizer/optimizer.py.
    """

    def __init__(
        self,
        momentum: float = 0.0,
        multi_precision: bool | None = None,
        warmup_strategy: str = "linear",
        warmup_epochs: int = 5,
        batch_scale: int = 1,
        updates_per_epoch: int = 32,
        begin_epoch: int = 0,
        num_epochs: int = 60,
        **kwargs: object,
    ) -> None:
        super().__init__(momentum, True, multi_precision=multi_precision, **kwargs)
        self.warmup_strategy, self.warmup_epochs = warmup_strategy, warmup_epochs
        self.batch_scale, self.updates_per_epoch = batch_scale, updates_per_epoch
        self.init_updates, self.num_epochs = begin_epoch * updates_per_epoch, num_epochs
        self._sums: dict[int, tuple[nd.NDArray | float, int]] = {}

    def _warmup(self, updates: int) -> float:
        """Return the factor of the rate after a number of updates."""
        whole = self.warmup_epochs * self.updates_per_epoch
        most = float(self.batch_scale)
        if updates >= whole:
            return most
        if whole <= 1:
            return 1.0
        share = updates / whole
        by_strategy = {"linear": share, "power2": share * share, "sqrt": math.sqrt(share)}
        return 1.0 + (most - 1) * by_strategy.get(self.warmup_strategy, 0.0)

    def _by_norms(self, weight: nd.NDArray, g: nd.NDArray, wd: float) -> float:
        squares = [float((x * x).sum().asscalar()) for x in (weight, g)]
        factor = math.sqrt(squares[0] / (squares[1] + wd * squares[0] + 1e-18))
        return min(max(factor, BOUNDS[0]), BOUNDS[1])

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: State) -> None:
        """Add the gradient to the sum, and make a step once `batch_scale` gradients are there."""
        lr, wd = self._get_lr(index), self._get_wd(index)
        self._update_count(index)
        total, count = self._sums.get(index, (0.0, self.init_updates))
        total, count = grad + total, count + 1
        self._sums[index] = total, count
        if count % self.batch_scale:
            return
        mean = total / self.batch_scale
        lars = self.warmup_strategy == "lars"
        lr *= self._by_norms(weight, mean, wd) if lars else self._warmup(count)
        arrays = tuple(arrays_of(state))
        self.move(weight, mean * self.rescale_grad, arrays, lr, wd, self.momentum)
        self._sums[index] = 0.0, count


@register
class LAMB(Optimizer):
    """Adam's direction with a length in proportion to the weight's.

    m and v are corrected for their start if `bias_correction`. |w| is cut to `lower_bound` and
    `upper_bound`; where a norm is 0 the ratio is 1. g is clip(g).

    Formula: u = m / (sqrt(v) + epsilon) + wd w, w -= lr |w| / |u| u

    Source: You et al., "Large batch optimization for deep learning", 2020.
    """

    states: ClassVar[int] = 2

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-6,
        lower_bound: float | None = None,
        upper_bound: float | None = None,
        bias_correction: bool = True,
        **kwargs: object,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)  # type: ignore[arg-type]
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.lower_bound, self.upper_bound = lower_bound, upper_bound
        self.bias_correction = bias_correction

    def step(
        self,
        w: nd.NDArray,
        g: nd.NDArray,
        state: tuple[nd.NDArray, ...],
        lr: float,
        wd: float,
        t: int,
    ) -> None:
        """Apply the formula of the class."""
        m, v = state
        g = self.clip(g)
        m[:] = self.beta1 * m + (1 - self.beta1) * g
        v[:] = self.beta2 * v + (1 - self.beta2) * g * g
        by_m, by_v = (1 - self.beta1**t, 1 - self.beta2**t) if self.bias_correction else (1.0, 1.0)
        u = (m / by_m) / ((v / by_v).sqrt() + self.epsilon) + wd * w
        w_norm, u_norm = _norm(w), _norm(u)
        if self.lower_bound:
            w_norm = max(w_norm, self.lower_bound)
        if self.upper_bound:
            w_norm = min(w_norm, self.upper_bound)
        w -= lr * (w_norm / u_norm if w_norm and u_norm else 1.0) * u
