"""Trainer: applies an optimizer to a set of parameters (MXNet: `gluon.Trainer`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine import formats, nd, optimizer
from initlab.engine.errors import FormatError
from initlab.engine.gluon.parameter import Parameter
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import Ready
from initlab.engine.optimizer import Updater

STALE = (
    "Gradient of Parameter `{}` on context {} has not been updated by backward since last `step`. This "
    "could mean a bug in your model that "
    "made it only use a subset of the Parameters (Blocks) for this iteration. If you are intentionally "
    "only using a subset, call step with "
    "ignore_stale_grad=True to suppress this warning and skip updating of Parameters with stale gradient"
)


class Trainer:
    """Update parameters with an optimizer.

    `params` is a list, or a dictionary, whose parameters are taken in the order of their names.
    `optimizer` is a name or an instance. Gradients of replicas on several devices are summed.
    `kvstore`, `compression_params` and `update_on_kvstore` belong to MXNet's distributed training.
    All replicas are in one process here, so `kvstore` must be None, 'device' or 'local',
    `compression_params` must be None, and `update_on_kvstore` has no effect. Raises ValueError for
    other values and AssertionError if the parameters are not all on the same devices.
    """

    def __init__(
        self,
        params: Any,
        optimizer: Any,
        optimizer_params: dict[str, Any] | None = None,
        kvstore: str | None = "device",
        compression_params: None = None,
        update_on_kvstore: bool | None = None,
    ) -> None:
        self._params = _parameter_list(params)
        if kvstore not in (None, "device", "local"):
            raise ValueError(
                f"kvstore cannot be {kvstore!r}: all replicas are in one process - use 'device', "
                "'local' or None"
            )
        if compression_params is not None:
            raise ValueError(
                "compression_params are for distributed training, which is not here - leave them out"
            )
        self._kvstore = None
        self._kv_initialized = False
        self._update_on_kvstore = None
        self._scale = 1.0
        self._contexts = self._check_contexts()
        self._init_optimizer(optimizer, optimizer_params or {})
        self._scale = self._optimizer.rescale_grad
        places = range(max(1, len(self._contexts)))
        self._updaters = [Updater(self._optimizer, place) for place in places]
        for parameter in self._params:
            parameter._trainer = self  # type: ignore[attr-defined]

    def _check_contexts(self) -> list[Any]:
        contexts: list[Any] | None = None
        for parameter in self._params:
            found = parameter.list_ctx()
            if contexts is not None and contexts != found:
                raise AssertionError(
                    "All Parameters must be initialized on the same set of contexts, but Parameter "
                    f"{parameter.name} is initialized on {found} while previous Parameters are initialized "
                    f"on {contexts}."
                )
            contexts = found
        return contexts or []

    def _init_optimizer(self, chosen: Any, options: dict[str, Any]) -> None:
        by_number = dict(enumerate(self._params))
        if isinstance(chosen, optimizer.Optimizer):
            if options:
                raise AssertionError(
                    "optimizer_params must be None if optimizer is an instance of Optimizer instead of str"
                )
            self._optimizer = chosen
            self._optimizer.param_dict = by_number
        else:
            self._optimizer = optimizer.create(chosen, param_dict=by_number, **options)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the optimizer."""
        return self._optimizer.learning_rate

    @property
    def optimizer(self) -> optimizer.Optimizer:
        """The optimizer instance."""
        return self._optimizer

    def set_learning_rate(self, lr: float) -> None:
        """Change the learning rate. Raises UserWarning (as an exception) if the optimizer has a
        scheduler.
        """
        self._optimizer.set_learning_rate(lr)

    def step(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Sum gradients over replicas, divide them by `batch_size`, and update the weights.

        Raises UserWarning (as an exception) if no backward pass has reached a parameter since the
        last step; with `ignore_stale_grad` such a parameter is skipped.
        """
        self._optimizer.rescale_grad = self._scale / batch_size
        self._kv_initialized = True
        self._allreduce_grads()
        self._update(ignore_stale_grad)

    def allreduce_grads(self) -> None:
        """Sum gradients over replicas without an update; call `update` for the rest of the step."""
        self._kv_initialized = True
        self._allreduce_grads()

    def update(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Divide the gradients by `batch_size` and update the weights, without summing over
        replicas.
        """
        self._optimizer.rescale_grad = self._scale / batch_size
        self._kv_initialized = True
        self._update(ignore_stale_grad)

    def _ready(self) -> list[tuple[int, Parameter, Ready]]:
        """Return (number, parameter, state) for all parameters that are learned."""
        return [
            (i, p, p._check_ready()) for i, p in enumerate(self._params) if p.grad_req != "null"
        ]

    def _allreduce_grads(self) -> None:
        for _, _, state in self._ready():
            gradients = list((state.grad or {}).values())
            if len(gradients) > 1:
                total = gradients[0].asnumpy()
                for other in gradients[1:]:
                    total = total + other.asnumpy()
                for gradient in gradients:
                    gradient[:] = nd.array(total, ctx=gradient.context, dtype=total.dtype)

    def _update(self, ignore_stale_grad: bool) -> None:
        ready = self._ready()
        if not ignore_stale_grad:
            for _, parameter, state in ready:
                for device, gradient in (state.grad or {}).items():
                    if not getattr(gradient, "_fresh", False):
                        raise UserWarning(STALE.format(parameter.name, device))
        for number, _, state in ready:
            for place, (device, gradient) in enumerate((state.grad or {}).items()):
                if ignore_stale_grad and not getattr(gradient, "_fresh", False):
                    continue
                weight = state.data[device].detach()
                self._updaters[place](number, gradient, weight)
                gradient._fresh = False

    def save_states(self, fname: str | os.PathLike[str]) -> None:
        """Write the optimizer's state and step counts to an npz file (not pickled, unlike MXNet)."""
        arrays = {
            f"{number}.{place}.{i}": array
            for place, updater in enumerate(self._updaters)
            for name, array in updater.arrays().items()
            for number, i in [name.split(".")]
        }
        counts = {str(index): count for index, count in self._optimizer.counts().items()}
        metadata = {
            "optimizer": type(self._optimizer).__name__,
            "counts": counts,
            "num_update": self._optimizer.num_update,
        }
        formats.get("npz").write(Path(fname), formats.Snapshot(arrays, {}, metadata))

    def load_states(self, fname: str | os.PathLike[str]) -> None:
        """Read a file written by `save_states`.

        Raises FormatError if it is another kind of file or belongs to another optimizer.
        """
        snapshot = formats.get("npz").read(Path(fname))
        kind = type(self._optimizer).__name__
        if snapshot.metadata.get("optimizer") != kind:
            raise FormatError(
                f"{fname}: holds the states of {snapshot.metadata.get('optimizer')}, but this trainer "
                f"uses {kind}"
            )
        parts: dict[int, dict[str, np.ndarray]] = {}
        for name, array in snapshot.tensors.items():
            number, place, i = name.split(".")
            parts.setdefault(int(place), {})[f"{number}.{i}"] = array
        for place, updater in enumerate(self._updaters):
            updater.set_arrays(parts.get(place, {}))
        self._optimizer.set_counts(
            {int(k): v for k, v in snapshot.metadata["counts"].items()},
            snapshot.metadata["num_update"],
        )


def _parameter_list(params: Any) -> list[Parameter]:
    if isinstance(params, (dict, ParameterDict)):
        params = [params[name] for name in sorted(params)]
    if not isinstance(params, (list, tuple)):
        raise ValueError(
            f"First argument must be a list or dict of Parameters, got {type(params)}."
        )
    for parameter in params:
        if not isinstance(parameter, Parameter):
            raise ValueError(
                f"First argument must be a list or dict of Parameters, got list of {type(parameter)}."
            )
    return list(params)
