"""Gradient descent: plain, with momentum, by signs, with noise."""

from __future__ import annotations

import math

from initlab.engine import nd
from initlab.engine.optimizer.base import Optimizer, State, register


@register
class SGD(Optimizer):
    """Stochastic gradient descent, with or without momentum.

    `lazy_update` is for sparse gradients in MXNet. Gradients are dense here, so it has no effect.

    Formula: w -= lr (clip(g) + wd w); with momentum: m = momentum m - lr (clip(g) + wd w), w += m

    Source: MXNet 1.9.1, python/mxnet/optimizer/optimizer.py; Polyak 1964 for momentum.
    """

    master_last = True

    def __init__(self, momentum: float = 0.0, lazy_update: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.momentum = momentum
        self.lazy_update = lazy_update

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return the array of the momentum, or None if `momentum` is 0."""
        return nd.zeros_like(weight) if self.momentum else None

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
        self.move(w, g, state, lr, wd, self.momentum)

    def move(
        self,
        w: nd.NDArray,
        g: nd.NDArray,
        state: tuple[nd.NDArray, ...],
        lr: float,
        wd: float,
        momentum: float,
    ) -> None:
        """Apply the formula of the class with another momentum."""
        g = self.clip(g) + wd * w
        if not state:
            w -= lr * g
            return
        (m,) = state
        m[:] = momentum * m - lr * g
        w += m


@register
class ccSGD(SGD):  # noqa: N801
    """SGD, under a name that MXNet keeps for old code.

    Source: MXNet 1.9.1, python/mxnet/optimizer/optimizer.py.
    """


@register
class NAG(SGD):
    """Gradient descent with Nesterov's momentum.

    Formula: m = momentum m - lr (clip(g) + wd w), w += momentum m - lr (clip(g) + wd w)

    Source: Nesterov 1983; MXNet 1.9.1, python/mxnet/optimizer/optimizer.py.
    """

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
        if not state:
            super().step(w, g, state, lr, wd, t)
            return
        (m,) = state
        g = self.clip(g) + wd * w
        m[:] = self.momentum * m - lr * g
        w += self.momentum * m - lr * g


@register
class Signum(Optimizer):
    """Steps of one length, in the direction of the sign of the gradient or of its momentum.

    Formula: m = momentum m - (1 - momentum) (clip(g) + wd w), w = (1 - lr wd_lh) w + lr sign(m);
    without momentum: w = (1 - lr wd) w - lr sign(clip(g))

    Source: Bernstein et al., "signSGD: compressed optimisation for non-convex problems", 2018.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        wd_lh: float = 0.0,
        **kwargs: object,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)  # type: ignore[arg-type]
        self.momentum = momentum
        self.wd_lh = wd_lh

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return the array of the momentum, or None if `momentum` is 0."""
        return nd.zeros_like(weight) if self.momentum else None

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
        if not state:
            w[:] = (1 - lr * wd) * w - lr * self.clip(g).sign()
            return
        (m,) = state
        m[:] = self.momentum * m - (1 - self.momentum) * (self.clip(g) + wd * w)
        w[:] = (1 - lr * self.wd_lh) * w + lr * m.sign()


@register
class SGLD(Optimizer):
    """Gradient descent with noise, which samples from a posterior. The noise is drawn from the
    ambient stream.

    Formula: w -= lr / 2 (clip(g) + wd w) + N(0, lr)

    Source: Welling and Teh, "Bayesian learning via stochastic gradient Langevin dynamics", 2011.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]

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
        w += -lr / 2 * (self.clip(g) + wd * w)
        w += nd.random.normal(0, math.sqrt(lr), shape=w.shape, dtype=w.dtype, ctx=w.context)


@register
class DCASGD(Optimizer):
    """Gradient descent that compensates for gradients which are one step old.

    Formula: m = momentum m - lr (g + wd w + lamda g^2 (w - previous w)), w += m, with clip(g) for g

    Source: Zheng et al., "Asynchronous stochastic gradient descent with delay compensation", 2017.
    """

    def __init__(self, momentum: float = 0.0, lamda: float = 0.04, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.momentum = momentum
        self.lamda = lamda

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return (momentum or None, the weight before the last step)."""
        return (nd.zeros_like(weight) if self.momentum else None, weight.copy())

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
        previous = state[-1]
        g = self.clip(g)
        change = -lr * (g + wd * w + self.lamda * g * g * (w - previous))
        if len(state) == 2:
            m = state[0]
            m[:] = self.momentum * m + change
            change = m
        previous[:] = w
        w += change
