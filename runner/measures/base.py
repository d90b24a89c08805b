"""Base class of measurements of an initialized network, in addition to the probe.

A measurement is a dataclass whose `measure` takes a `Subject` and returns sections. It sees the
first values; if it changes them, it restores them. Its sections are merged with those of the same
name in `stats.json`, rows by their `path`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.engine.registry import Registry
from initlab.runner.kinds import Kind, registrar
from initlab.runner.probes import Subject
from initlab.runner.probes.base import Arrays

BARE = (
    gluon.nn.Activation,
    gluon.nn.LeakyReLU,
    gluon.nn.PReLU,
    gluon.nn.ELU,
    gluon.nn.SELU,
    gluon.nn.GELU,
    gluon.nn.Swish,
)
"""Layers that are only an activation."""
REGISTRY: Registry[type[Measure]] = Registry("measurement", __package__)
Findings = dict[str, list[dict[str, Any]]]
"""Section -> rows, each with a `path`."""


@dataclass
class Measure(Kind):
    """Base class of measurements."""

    gives: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Section -> the columns that this adds to its rows, without `path`; no columns if they are not
    known in advance. A measurement that declares none may give anything.
    """

    def check(
        self,
        output: tuple[int, ...],
        classes: int | None,
        labels: tuple[int, ...],
        whole_numbers: bool,
    ) -> None:
        """Raise ConfigError if a network with this output, or this data, cannot be measured.

        `classes` and `labels` are those of `Probe.check`. `whole_numbers` says that inputs are
        token numbers, which cannot be changed a little.
        """

    def measure(self, subject: Subject) -> Findings:
        """Return the sections: name -> rows."""
        raise NotImplementedError(f"measurement '{self.kind}' defines no measure")


register = registrar(REGISTRY, Measure)
"""Registers a dataclass derived from `Measure` under its snake-case name."""


def wide(array: nd.NDArray) -> np.ndarray:
    """Return an NDArray's values in float64, in host memory."""
    return np.asarray(array.asnumpy(), np.float64)


@contextmanager
def restoring(subject: Subject) -> Iterator[None]:
    """Allow changes of parameters inside a `with`.

    At exit they have the same bits as before, and gradients are zero.
    """
    before = {
        path: parameter.data().asnumpy().copy() for path, parameter in subject.parameters.items()
    }
    try:
        yield
    finally:
        for path, parameter in subject.parameters.items():
            parameter.set_data(nd.array(before[path], ctx=subject.device, dtype=parameter.dtype))
            if parameter.grad_req != "null":
                parameter.zero_grad()


@contextmanager
def outputs(
    layers: dict[str, gluon.Block], before: dict[str, nd.NDArray] | None = None
) -> Iterator[dict[str, nd.NDArray]]:
    """Record every layer's output by path during a forward pass, the last of several, inside a
    `with`.

    `before` receives the input of a layer's own activation, or the output of a layer without one.
    """
    found: dict[str, nd.NDArray] = {}
    handles = []

    def keep(path: str, bare: bool) -> Callable[[gluon.Block, Arrays, nd.NDArray], None]:
        def hook(block: gluon.Block, inputs: Arrays, output: nd.NDArray) -> None:
            found[path] = output
            if before is not None and bare:
                before[path] = inputs[0] if is_activation(block) else output

        return hook

    def keep_before(path: str) -> Callable[[gluon.Block, Arrays], None]:
        def hook(block: gluon.Block, inputs: Arrays) -> None:
            if before is not None:
                before[path] = inputs[0]

        return hook

    for path, layer in layers.items():
        activation = getattr(layer, "act", None)
        handles.append(layer.register_forward_hook(keep(path, activation is None)))
        if activation is not None:
            handles.append(activation.register_forward_pre_hook(keep_before(path)))
    try:
        yield found
    finally:
        for handle in handles:
            handle.detach()


def is_activation(block: gluon.Block) -> bool:
    """Return whether a layer is only an activation."""
    return isinstance(block, BARE)


def activation_name(block: gluon.Block) -> str | None:
    """Return the name of a layer's activation, which it has or is; None without one."""
    found = getattr(block, "act", None) or block
    return found._act_type if isinstance(found, gluon.nn.Activation) else None


def forward(subject: Subject, inputs: nd.NDArray) -> nd.NDArray:
    """Return the network's output in predict mode."""
    with autograd.predict_mode():
        found: nd.NDArray = subject.network(inputs)
        return found
