"""Rates by element: sums or running means of squared gradients."""

from __future__ import annotations

from typing import ClassVar

from initlab.engine import nd
from initlab.engine.optimizer.base import Optimizer, State, register


@register
class AdaGrad(Optimizer):
    """A rate for each element that falls with the sum of its squared gradients.

    Formula: h += clip(g)^2; w -= lr (clip(g) / sqrt(h + eps) + wd w)

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011.
    """

    def __init__(self, eps: float = 1e-7, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.float_stable_eps = eps

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return the sum of squares."""
        return nd.zeros_like(weight)

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
        (h,) = state
        g = self.clip(g)
        h += g * g
        w -= lr * (g / (h + self.float_stable_eps).sqrt() + wd * w)


@register
class RMSProp(Optimizer):
    """Gradients divided by the root of their running mean square.

    `centered` subtracts the square of the running mean of g from n and adds a momentum gamma2.
    `clip_weights` bounds the weights.

    Formula: n = gamma1 n + (1 - gamma1) g^2, w -= lr g / sqrt(n + epsilon), with clip(g + wd w) for
    g

    Source: Tieleman and Hinton, lecture 6.5, 2012; Graves, "Generating sequences with recurrent
    neural networks", 2013, for centered.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        gamma1: float = 0.9,
        gamma2: float = 0.9,
        epsilon: float = 1e-8,
        centered: bool = False,
        clip_weights: float | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)  # type: ignore[arg-type]
        self.gamma1, self.gamma2, self.epsilon = gamma1, gamma2, epsilon
        self.centered, self.clip_weights = centered, clip_weights

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return n, and if `centered` also the running mean and the momentum."""
        return tuple(nd.zeros_like(weight) for _ in range(3 if self.centered else 1))

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
        g = self.clip(g + wd * w)
        n = state[0]
        n[:] = (1 - self.gamma1) * g * g + self.gamma1 * n
        if self.centered:
            _, mean, delta = state
            mean[:] = (1 - self.gamma1) * g + self.gamma1 * mean
            delta[:] = self.gamma2 * delta - lr * g / (n - mean * mean + self.epsilon).sqrt()
            w += delta
        else:
            w -= lr * g / (n + self.epsilon).sqrt()
        if self.clip_weights:
            w[:] = w.clip(-self.clip_weights, self.clip_weights)


@register
class AdaDelta(Optimizer):
    """Steps in units of former steps; there is no learning rate.

    Formula: a = rho a + (1 - rho) g^2, c = sqrt(d + epsilon) / sqrt(a + epsilon) g, d = rho d + (1
    - rho) c^2, w -= c + wd w, with clip(g) for g

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """

    states: ClassVar[int] = 2

    def __init__(self, rho: float = 0.90, epsilon: float = 1e-5, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.rho, self.epsilon = rho, epsilon

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
        a, d = state
        g = self.clip(g)
        a[:] = self.rho * a + (1 - self.rho) * g * g
        change = (d + self.epsilon).sqrt() / (a + self.epsilon).sqrt() * g
        d[:] = self.rho * d + (1 - self.rho) * change * change
        w -= change + wd * w


@register
class Ftrl(Optimizer):
    """Follow the regularized leader: weights that are near 0 become 0.

    Formula: z += g - (sqrt(n + g^2) - sqrt(n)) w / lr, n += g^2, w = (lamda1 sign(z) - z) / ((beta
    + sqrt(n)) / lr + wd) where |z| > lamda1, else 0, with clip(g) for g

    Source: McMahan et al., "Ad click prediction: a view from the trenches", 2013.
    """

    states: ClassVar[int] = 2

    def __init__(
        self,
        lamda1: float = 0.01,
        learning_rate: float = 0.1,
        beta: float = 1,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.lamda1, self.beta, self.lr = lamda1, beta, learning_rate

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
        z, n = state
        g = self.clip(g)
        z += g - ((n + g * g).sqrt() - n.sqrt()) * w / lr
        n += g * g
        shrunk = (z.sign() * self.lamda1 - z) / ((self.beta + n.sqrt()) / lr + wd)
        w[:] = shrunk * (z.abs() > self.lamda1)
