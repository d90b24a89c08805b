"""Adam and its relatives: running moments of the gradient."""

from __future__ import annotations

import math
from typing import ClassVar

from initlab.engine import nd
from initlab.engine.optimizer.base import Optimizer, register


@register
class Adam(Optimizer):
    """Running means of gradients over the root of those of their squares.

    Formula: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w -= lr sqrt(1 - beta2^t) /
    (1 - beta1^t) m / (sqrt(v) + epsilon), with clip(g + wd w) for g

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.
    """

    states: ClassVar[int] = 2
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        lazy_update: bool = True,
        **kwargs: object,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)  # type: ignore[arg-type]
        self.beta1, self.beta2, self.epsilon, self.lazy_update = beta1, beta2, epsilon, lazy_update

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
        g = self.clip(g if self.decoupled else g + wd * w)
        m[:] = self.beta1 * m + (1 - self.beta1) * g
        v[:] = self.beta2 * v + (1 - self.beta2) * g * g
        rate = lr * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        change = rate * m / (v.sqrt() + self.epsilon)
        w -= change + lr * wd * w if self.decoupled else change


@register
class AdamW(Adam):
    """Adam with a weight decay that is no part of the gradient.

    Formula: w -= … + lr wd w, with the step of adam for …

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    decoupled: ClassVar[bool] = True


@register
class Adamax(Optimizer):
    """Adam with the largest gradient in place of the mean square.

    Where u is 0, so is m, and the weight stays.

    Formula: m = beta1 m + (1 - beta1) g, u = max(beta2 u, |g|), w -= lr / (1 - beta1^t) m / u, with
    clip(g + wd w) for g

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.
    """

    states: ClassVar[int] = 2

    def __init__(
        self,
        learning_rate: float = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        **kwargs: object,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)  # type: ignore[arg-type]
        self.beta1, self.beta2 = beta1, beta2

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
        m, u = state
        g = self.clip(g + wd * w)
        m[:] = self.beta1 * m + (1 - self.beta1) * g
        u[:] = nd.maximum(self.beta2 * u, g.abs())
        w -= lr / (1 - self.beta1**t) * m / (u + (u == 0))


@register
class Nadam(Optimizer):
    """Adam with Nesterov's momentum, with clip(g + wd w) for g.

    As in MXNet, the product of the momentum's schedule grows with every weight that is updated, not
    with every step.

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.
    """

    states: ClassVar[int] = 2

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        schedule_decay: float = 0.004,
        **kwargs: object,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)  # type: ignore[arg-type]
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.schedule_decay = schedule_decay
        self.m_schedule = 1.0

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
        g = self.clip(g + wd * w)
        now, following = (
            self.beta1 * (1 - 0.5 * 0.96 ** (n * self.schedule_decay)) for n in (t, t + 1)
        )
        self.m_schedule *= now
        m[:] = self.beta1 * m + (1 - self.beta1) * g
        v[:] = self.beta2 * v + (1 - self.beta2) * g * g
        mean = (1 - now) * (g / (1 - self.m_schedule)) + following * (
            m / (1 - self.m_schedule * following)
        )
        w -= lr * mean / ((v / (1 - self.beta2**t)).sqrt() + self.epsilon)


@register
class FTML(Optimizer):
    """Follow the moving leader.

    Formula: v = beta2 v + (1 - beta2) g^2, d' = (1 - beta1^t) / lr (sqrt(v / (1 - beta2^t)) +
    epsilon), z = beta1 z + (1 - beta1) g - (d' - beta1 d) w, d = d', w = -z / d, with clip(g + wd
    w) for g

    Source: Zheng and Kwok, "Follow the moving leader in deep learning", 2017.
    """

    states: ClassVar[int] = 3

    def __init__(
        self, beta1: float = 0.6, beta2: float = 0.999, epsilon: float = 1e-8, **kwargs: object
    ) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

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
        d, v, z = state
        g = self.clip(g + wd * w)
        v[:] = self.beta2 * v + (1 - self.beta2) * g * g
        new = (1 - self.beta1**t) / lr * ((v / (1 - self.beta2**t)).sqrt() + self.epsilon)
        z[:] = self.beta1 * z + (1 - self.beta1) * g - (new - self.beta1 * d) * w
        d[:] = new
        w[:] = -z / d
