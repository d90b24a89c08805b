"""The base class of optimizers, and their registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias, TypeVar, Union

import numpy as np

from initlab.engine import nd
from initlab.engine.base import classproperty
from initlab.engine.lr_scheduler import LRScheduler
from initlab.engine.registry import Registry, advised
from initlab.engine.warning import warn

REGISTRY: Registry[type[Optimizer]] = Registry("optimizer")
O = TypeVar("O", bound="type[Optimizer]")  # noqa: E741
State: TypeAlias = Union[nd.NDArray, None, tuple["State", ...]]
"""What an optimizer keeps for a weight: an array, nothing, or a tuple of such."""
HALF = (
    "Accumulating with float16 in optimizer can lead to poor accuracy or slow convergence. Consider "
    "using multi_precision=True option of the {}optimizer"
)


def arrays_of(state: State) -> list[nd.NDArray]:
    """Return the arrays of a state in order.

    Raises ValueError if there is anything in it but arrays, None, tuples and lists.
    """
    if state is None:
        return []
    if isinstance(state, nd.NDArray):
        return [state]
    if isinstance(state, (tuple, list)):
        return [array for part in state for array in arrays_of(part)]
    raise ValueError(
        f"an optimizer's state consists of arrays, None and tuples, got {type(state).__name__} - "
        "return these from create_state"
    )


class Optimizer:
    """Base class of optimizers.

    A subclass defines `create_state(index, weight)` and `update(index, weight, grad, state)`, as in
    MXNet; `update` counts the step by `_update_count(index)` and asks `_get_lr(index)`,
    `_get_wd(index)`. A subclass may instead set the number of state arrays, `states`, and define
    `step`, which gets all of these. With `multi_precision` a float16 weight is updated through a
    float32 copy, which is part of its state; without it there is a warning, unless it is False.
    """

    states: ClassVar[int] = 0
    master_last: ClassVar[bool] = False
    """Whether the float32 copy of a weight stands behind its state, not before it (MXNet)."""

    def __init__(
        self,
        rescale_grad: float = 1.0,
        param_idx2name: dict[int, str] | None = None,
        wd: float = 0.0,
        clip_gradient: float | None = None,
        learning_rate: float | None = None,
        lr_scheduler: LRScheduler | None = None,
        sym: None = None,
        begin_num_update: int = 0,
        multi_precision: bool | None = None,
        param_dict: dict[int, Any] | None = None,
    ) -> None:
        self.rescale_grad = rescale_grad
        self.lr_scheduler = lr_scheduler
        self.lr = 0.01 if learning_rate is None else learning_rate
        if lr_scheduler is not None and learning_rate is not None:
            if lr_scheduler.base_lr != learning_rate:
                print(
                    "learning rate from ``lr_scheduler`` has been overwritten by ``learning_rate`` in "
                    "optimizer."
                )
            lr_scheduler.base_lr = learning_rate
        self.wd = wd
        self.clip_gradient = clip_gradient
        self.multi_precision = bool(multi_precision)
        self._warns = multi_precision is None
        self.num_update = self.begin_num_update = begin_num_update
        if not isinstance(param_idx2name, (dict, type(None))):
            raise AssertionError("param_idx2name should be a dict of param indexes to names.")
        self.idx2name = dict(param_idx2name or {})
        self.param_dict = dict(param_dict or {})
        self._all_index_update_counts: dict[int, dict[int, int]] = {0: {}}
        self._index_update_count = self._all_index_update_counts[0]
        self.set_lr_mult({})
        self.set_wd_mult({})

    # --- rates

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

    def set_lr_mult(self, args_lr_mult: Mapping[int | str, float]) -> None:
        """Set a factor of the learning rate by a weight's number or name. A parameter's own counts
        first.
        """
        self.lr_mult: dict[int | str, float] = dict(args_lr_mult)

    def set_wd_mult(self, args_wd_mult: Mapping[int | str, float]) -> None:
        """Set a factor of the weight decay by a weight's number or name.

        Of the names in `param_idx2name`, those that do not end in `_weight` or `_gamma` have 0
        unless given. A parameter's own factor counts first.
        """
        decayed = ("_weight", "_gamma")
        names = (name for name in self.idx2name.values() if not name.endswith(decayed))
        self.wd_mult: dict[int | str, float] = {**dict.fromkeys(names, 0.0), **args_wd_mult}

    def _multiplier(self, index: int, attribute: str, given: Mapping[int | str, float]) -> float:
        if index in self.param_dict:
            return float(getattr(self.param_dict[index], attribute))
        return given[index] if index in given else given.get(self.idx2name.get(index, ""), 1.0)

    def _get_lr(self, index: int) -> float:
        """Return the learning rate of a weight, with its multiplier."""
        return self.learning_rate * self._multiplier(index, "lr_mult", self.lr_mult)

    def _get_wd(self, index: int) -> float:
        """Return the weight decay of a weight, with its multiplier."""
        return self.wd * self._multiplier(index, "wd_mult", self.wd_mult)

    def _get_lrs(self, indices: Sequence[int]) -> list[float]:
        """Return the learning rates of weights."""
        return [self._get_lr(index) for index in indices]

    def _get_wds(self, indices: Sequence[int]) -> list[float]:
        """Return the weight decays of weights."""
        return [self._get_wd(index) for index in indices]

    # --- counts

    def counts(self) -> dict[int, int]:
        """Return the number of steps of each weight."""
        return dict(self._all_index_update_counts[0])

    def set_counts(self, counts: dict[int, int], num_update: int) -> None:
        """Set the number of steps of each weight, and of all updates."""
        for place in self._all_index_update_counts:
            self._all_index_update_counts[place].clear()
            self._all_index_update_counts[place].update(counts)
        self._start, self.num_update = dict(counts), num_update

    _start: Mapping[int, int] = {}

    def _set_current_context(self, device_id: int) -> None:
        """Count the steps of the replicas on another device from now on."""
        if device_id not in self._all_index_update_counts:
            self._all_index_update_counts[device_id] = dict(self._start)
        self._index_update_count = self._all_index_update_counts[device_id]

    def _update_count(self, index: int | Sequence[int]) -> None:
        """Count a step of a weight, or of several."""
        for one in [index] if isinstance(index, int) else index:
            self._index_update_count[one] = (
                self._index_update_count.get(one, self.begin_num_update) + 1
            )
            self.num_update = max(self._index_update_count[one], self.num_update)

    # --- updates

    def create_state(self, index: int, weight: nd.NDArray) -> State:
        """Return the initial state of a weight: arrays of zeros of its shape."""
        return tuple(nd.zeros_like(weight) for _ in range(self.states)) or None

    def create_state_multi_precision(self, index: int, weight: nd.NDArray) -> State:
        """Return the initial state of a weight, with the float32 copy of a float16 weight if
        `multi_precision`.
        """
        if weight.dtype != np.float16:
            return self.create_state(index, weight)
        if not self.multi_precision:
            if self._warns:
                said = HALF.format(type(self).__name__ + " " if self.master_last else "")
                warn(said)
            return self.create_state(index, weight)
        master = weight.astype("float32")
        pair = master, self.create_state(index, master)
        return pair[::-1] if self.master_last else pair

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: State) -> None:
        """Make one step: increase the count and update weight and state in place."""
        self._update_count(index)
        lr, wd, t = self._get_lr(index), self._get_wd(index), self._index_update_count[index]
        self.step(weight, grad * self.rescale_grad, tuple(arrays_of(state)), lr, wd, t)

    def update_multi_precision(
        self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: State
    ) -> None:
        """Make one step with a state of `create_state_multi_precision`."""
        if not self.multi_precision or weight.dtype != np.float16:
            self.update(index, weight, grad, state)
            return
        assert isinstance(state, tuple)
        master, rest = state[::-1] if self.master_last else state
        assert isinstance(master, nd.NDArray)
        self.update(index, master, grad.astype("float32"), rest)
        weight[:] = master.astype(weight.dtype)

    def step(
        self,
        w: nd.NDArray,
        g: nd.NDArray,
        state: tuple[nd.NDArray, ...],
        lr: float,
        wd: float,
        t: int,
    ) -> None:
        """Apply the rule once, to the scaled gradient and the arrays of the state. `t` is the number
        of this step of the weight, starting at 1.
        """
        raise NotImplementedError(f"optimizer {type(self).__name__} defines no update")

    def clip(self, g: nd.NDArray) -> nd.NDArray:
        """Return g cut to [-clip_gradient, clip_gradient], or g itself if that is None."""
        if self.clip_gradient is None:
            return g
        return g.clip(-self.clip_gradient, self.clip_gradient)

    # --- names

    @classproperty
    def opt_registry(cls) -> dict[str, type[Optimizer]]:  # noqa: N805
        """The registered classes by name: a copy."""
        return REGISTRY.entries()

    @staticmethod
    def register(klass: O) -> O:
        """Register an optimizer class under its lower-case name; warn if it takes another's place."""
        name = klass.__name__.lower()
        old = REGISTRY.entries().get(name)
        if old is not None:
            warn(
                f"WARNING: New optimizer {klass.__module__}.{klass.__name__} is overriding existing "
                f"optimizer {old.__module__}.{old.__name__}"
            )
        REGISTRY.add(name, klass)
        return klass

    @staticmethod
    def create_optimizer(name: str, **kwargs: Any) -> Optimizer:
        """Create the optimizer of that name. Raises ValueError if it is unknown."""
        if name.lower() not in REGISTRY:
            raise advised(ValueError(f"Cannot find optimizer {name}"), name, REGISTRY)
        return REGISTRY.get(name)(**kwargs)


register = Optimizer.register
create = Optimizer.create_optimizer
