"""Optimizers (MXNet: `mx.optimizer`). Each updates weights in place, with state by parameter
number.

In the formulas, g is the gradient times `rescale_grad`, clipped to [-clip_gradient, clip_gradient];
lr and wd include the multipliers of the parameter. Source: MXNet 1.9.1 python/mxnet/optimizer and
src/operator/optimizer_op-inl.h.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from initlab.engine import nd
from initlab.engine.lr_scheduler import LRScheduler
from initlab.engine.registry import Registry

REGISTRY: Registry[type[Optimizer]] = Registry("optimizer")
State = tuple[nd.NDArray, ...]


class Optimizer:
    """Base class of optimizers.

    A subclass sets the number of state arrays for each weight and defines `step`.
    """

    states: ClassVar[int] = 0

    def __init__(
        self,
        rescale_grad: float = 1.0,
        param_idx2name: dict[int, str] | None = None,
        wd: float = 0.0,
        clip_gradient: float | None = None,
        learning_rate: float | None = None,
        lr_scheduler: LRScheduler | None = None,
        begin_num_update: int = 0,
        param_dict: dict[int, Any] | None = None,
    ) -> None:
        self.rescale_grad = rescale_grad
        self.lr_scheduler = lr_scheduler
        if lr_scheduler is None:
            self.lr = 0.01 if learning_rate is None else learning_rate
        elif learning_rate is not None:
            print(
                "learning rate from ``lr_scheduler`` has been overwritten by ``learning_rate`` in optimizer."
            )
            lr_scheduler.base_lr = learning_rate
        self.wd = wd
        self.clip_gradient = clip_gradient
        self.num_update = self.begin_num_update = begin_num_update
        self.idx2name = dict(param_idx2name or {})
        self.param_dict = dict(param_dict or {})
        self._counts: dict[int, int] = {}

    @property
    def learning_rate(self) -> float:
        """The current learning rate: the scheduler's if there is one."""
        return self.lr if self.lr_scheduler is None else self.lr_scheduler(self.num_update)

    def set_learning_rate(self, lr: float) -> None:
        """Change the learning rate. Raises UserWarning (as an exception) if there is a scheduler."""
        if self.lr_scheduler is not None:
            raise UserWarning(
                "LRScheduler of the optimizer has already been defined. Note that set_learning_rate can "
                "mutate the value of the learning "
                "rate of the optimizer only when the LRScheduler of the optimizer is undefined."
            )
        self.lr = lr

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return the initial state of a weight: arrays of zeros of its shape."""
        return tuple(nd.zeros_like(weight) for _ in range(self.states))

    def counts(self) -> dict[int, int]:
        """Return the number of steps of each weight."""
        return dict(self._counts)

    def set_counts(self, counts: dict[int, int], num_update: int) -> None:
        """Set the number of steps of each weight, and of all updates."""
        self._counts, self.num_update = dict(counts), num_update

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: State) -> None:
        """Make one step: increase the count and update weight and state in place."""
        self.update_replica(index, 0, weight, grad, state)

    def update_replica(
        self, index: int, replica: int, weight: nd.NDArray, grad: nd.NDArray, state: State
    ) -> None:
        """Make one step for one replica of a parameter. The step is counted once, with the first
        replica.
        """
        if replica == 0:
            self._counts[index] = self._counts.get(index, self.begin_num_update) + 1
            self.num_update = max(self._counts[index], self.num_update)
        g = grad * self.rescale_grad
        if self.clip_gradient is not None:
            g = g.clip(-self.clip_gradient, self.clip_gradient)
        parameter = self.param_dict.get(index)
        lr = self.learning_rate * (parameter.lr_mult if parameter is not None else 1.0)
        wd = self.wd * (parameter.wd_mult if parameter is not None else 1.0)
        self.step(weight, g, state, lr, wd, self._counts[index])

    def step(
        self, w: nd.NDArray, g: nd.NDArray, state: State, lr: float, wd: float, t: int
    ) -> None:
        """Apply the rule once. `t` is the number of this step of the weight, starting at 1."""
        raise NotImplementedError(f"optimizer {type(self).__name__} defines no step")

    @staticmethod
    def register(klass: type[Optimizer]) -> type[Optimizer]:
        """Register an optimizer class under its lower-case name."""
        return REGISTRY.add(klass.__name__, klass)

    @staticmethod
    def create_optimizer(name: str, **kwargs: Any) -> Optimizer:
        """Create the optimizer of that name. Raises ValueError if it is unknown."""
        if name.lower() not in REGISTRY:
            raise ValueError(f"Cannot find optimizer {name}")
        return REGISTRY.get(name)(**kwargs)


register = Optimizer.register
create = Optimizer.create_optimizer


@register
class SGD(Optimizer):
    """w -= lr (g + wd w); with momentum: m = momentum m - lr (g + wd w), w += m.

    `lazy_update` is for sparse gradients in MXNet. Gradients are dense here, so it has no effect.
    """

    def __init__(self, momentum: float = 0.0, lazy_update: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.lazy_update = lazy_update

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return one array for the momentum, or none if `momentum` is 0."""
        return (nd.zeros_like(weight),) if self.momentum else ()

    def step(
        self, w: nd.NDArray, g: nd.NDArray, state: State, lr: float, wd: float, t: int
    ) -> None:
        """Apply the formula of the class."""
        g = g + wd * w
        if not state:
            w -= lr * g
            return
        (m,) = state
        m[:] = self.momentum * m - lr * g
        w += m


@register
class NAG(SGD):
    """Nesterov's momentum: m = momentum m - lr (g + wd w), w += momentum m - lr (g + wd w)."""

    def step(
        self, w: nd.NDArray, g: nd.NDArray, state: State, lr: float, wd: float, t: int
    ) -> None:
        """Apply the formula of the class."""
        if not state:
            super().step(w, g, state, lr, wd, t)
            return
        (m,) = state
        g = g + wd * w
        m[:] = self.momentum * m - lr * g
        w += self.momentum * m - lr * g


@register
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), with g including wd w.

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w -= lr sqrt(1 - beta2^t) / (1 -
    beta1^t) m / (sqrt(v) + epsilon).
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
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1, self.beta2, self.epsilon, self.lazy_update = beta1, beta2, epsilon, lazy_update

    def step(
        self, w: nd.NDArray, g: nd.NDArray, state: State, lr: float, wd: float, t: int
    ) -> None:
        """Apply the formula of the class."""
        m, v = state
        if not self.decoupled:
            g = g + wd * w
        m[:] = self.beta1 * m + (1 - self.beta1) * g
        v[:] = self.beta2 * v + (1 - self.beta2) * g * g
        rate = lr * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        change = rate * m / (v.sqrt() + self.epsilon)
        w -= change + lr * wd * w if self.decoupled else change


@register
class AdamW(Adam):
    """Adam with decoupled weight decay: w -= … + lr wd w (Loshchilov and Hutter 2019)."""

    decoupled: ClassVar[bool] = True


@register
class RMSProp(Optimizer):
    """n = gamma1 n + (1 - gamma1) g^2, w -= lr g / sqrt(n + epsilon), with g including wd w.

    `centered` subtracts the square of the running mean of g from n and adds a momentum gamma2
    (Graves 2013).
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        gamma1: float = 0.9,
        gamma2: float = 0.9,
        epsilon: float = 1e-8,
        centered: bool = False,
        clip_weights: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.gamma1, self.gamma2, self.epsilon = gamma1, gamma2, epsilon
        self.centered, self.clip_weights = centered, clip_weights

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return n, and if `centered` also the running mean and the momentum."""
        return tuple(nd.zeros_like(weight) for _ in range(3 if self.centered else 1))

    def step(
        self, w: nd.NDArray, g: nd.NDArray, state: State, lr: float, wd: float, t: int
    ) -> None:
        """Apply the formula of the class."""
        g = g + wd * w
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
class AdaGrad(Optimizer):
    """h += g^2; w -= lr (g / sqrt(h + eps) + wd w) (Duchi et al. 2011)."""

    states: ClassVar[int] = 1

    def __init__(self, eps: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.float_stable_eps = eps

    def step(
        self, w: nd.NDArray, g: nd.NDArray, state: State, lr: float, wd: float, t: int
    ) -> None:
        """Apply the formula of the class."""
        (h,) = state
        h += g * g
        w -= lr * (g / (h + self.float_stable_eps).sqrt() + wd * w)
