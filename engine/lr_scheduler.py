"""Learning-rate schedules (MXNet: `mx.lr_scheduler`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from initlab.lazy import suggesting


class LRScheduler:
    """Base class of schedulers: `scheduler(num_update)` returns the learning rate.

    In the first `warmup_steps` updates the rate rises linearly from `warmup_begin_lr` to `base_lr`,
    or stays at `warmup_begin_lr` with `warmup_mode` constant. Raises ValueError for values that do
    not fit.
    """

    def __init__(
        self,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        if not isinstance(warmup_steps, int) or warmup_steps < 0:
            raise ValueError(f"Warmup steps has to be positive or 0, got {warmup_steps!r}")
        if warmup_begin_lr > base_lr:
            raise ValueError("Base lr has to be higher than warmup_begin_lr")
        if warmup_mode not in ("linear", "constant"):
            raise ValueError("Supports only linear and constant modes of warmup")
        self.base_lr = base_lr
        self.warmup_steps = warmup_steps
        self.warmup_begin_lr = warmup_begin_lr
        self.warmup_final_lr = base_lr
        self.warmup_mode = warmup_mode

    def get_warmup_lr(self, num_update: int) -> float:
        """Return the learning rate during warm-up."""
        if self.warmup_mode == "constant":
            return self.warmup_begin_lr
        rise = (self.warmup_final_lr - self.warmup_begin_lr) * num_update / self.warmup_steps
        return self.warmup_begin_lr + rise

    def __call__(self, num_update: int) -> float:
        """Return the learning rate after `num_update` updates."""
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        return self.rate(num_update)

    def rate(self, num_update: int) -> float:
        """Return the learning rate after warm-up."""
        raise NotImplementedError("must override this")


class FactorScheduler(LRScheduler):
    """Multiply the rate by `factor` every `step` updates, down to `stop_factor_lr` at least."""

    def __init__(
        self,
        step: int,
        factor: float = 1,
        stop_factor_lr: float = 1e-8,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if step < 1:
            raise ValueError("Schedule step must be greater or equal than 1 round")
        if factor > 1.0:
            raise ValueError("Factor must be no more than 1 to make lr reduce")
        self.step, self.factor, self.stop_factor_lr, self.count = step, factor, stop_factor_lr, 0

    def rate(self, num_update: int) -> float:
        """Return base_lr times `factor` for each completed period of `step` updates."""
        while num_update > self.count + self.step:
            self.count += self.step
            self.base_lr = max(self.base_lr * self.factor, self.stop_factor_lr)
        return self.base_lr


class MultiFactorScheduler(LRScheduler):
    """Multiply the rate by `factor` after each of the numbers of updates in `step`."""

    def __init__(
        self,
        step: Sequence[int],
        factor: float = 1,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if not isinstance(step, Sequence) or not step:
            raise AssertionError(
                f"MultiFactorScheduler: step must be a list of numbers, got {step!r}"
            )
        if any(b <= a for a, b in pairwise(step)):
            raise ValueError("Schedule step must be an increasing integer list")
        if step[0] < 1:
            raise ValueError("Schedule step must be greater or equal than 1 round")
        if factor > 1.0:
            raise ValueError("Factor must be no more than 1 to make lr reduce")
        self.step, self.factor, self.cur_step_ind = list(step), factor, 0

    def rate(self, num_update: int) -> float:
        """Return base_lr times `factor` for each number in `step` that has been passed."""
        while self.cur_step_ind < len(self.step) and num_update > self.step[self.cur_step_ind]:
            self.cur_step_ind += 1
            self.base_lr *= self.factor
        return self.base_lr


def _check_updates(max_update: int) -> None:
    """Raise AssertionError unless the number is whole, ValueError unless it is positive."""
    if not isinstance(max_update, (int, np.integer)):
        raise AssertionError(f"max_update must be a whole number, got {max_update!r}")
    if max_update < 1:
        raise ValueError("maximum number of updates must be strictly positive")


class PolyScheduler(LRScheduler):
    """Decay from base_lr to final_lr over `max_update` updates as a power of the remaining
    fraction.
    """

    def __init__(
        self,
        max_update: int,
        base_lr: float = 0.01,
        pwr: float = 2,
        final_lr: float = 0,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        _check_updates(max_update)
        self.max_update, self.power, self.final_lr, self.base_lr_orig = (
            max_update,
            pwr,
            final_lr,
            base_lr,
        )
        self.max_steps = max_update - self.warmup_steps

    def rate(self, num_update: int) -> float:
        """Return final + (base - final) (1 - done / max)^power."""
        if num_update <= self.max_update:
            left = 1 - (num_update - self.warmup_steps) / self.max_steps
            self.base_lr = self.final_lr + (self.base_lr_orig - self.final_lr) * left**self.power
        return self.base_lr


class CosineScheduler(LRScheduler):
    """Decay from base_lr to final_lr over `max_update` updates along half a cosine.

    Source: Loshchilov and Hutter 2017.
    """

    def __init__(
        self,
        max_update: int,
        base_lr: float = 0.01,
        final_lr: float = 0,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        _check_updates(max_update)
        self.max_update, self.final_lr, self.base_lr_orig = max_update, final_lr, base_lr
        self.max_steps = max_update - self.warmup_steps

    def rate(self, num_update: int) -> float:
        """Return final + (base - final) (1 + cos(pi done / max)) / 2."""
        if num_update <= self.max_update:
            phase = math.pi * (num_update - self.warmup_steps) / self.max_steps
            self.base_lr = (
                self.final_lr + (self.base_lr_orig - self.final_lr) * (1 + math.cos(phase)) / 2
            )
        return self.base_lr


if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
