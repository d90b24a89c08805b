"""Base class of measurements of an initialized network, in addition to the probe.

A measurement is a dataclass whose `measure` takes a `Subject` and returns sections. It sees the
first values; if it changes them, it restores them. Its sections are merged with those of the same
name in `stats.json`, rows by their `path`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from initlab.engine import gluon, nd
from initlab.engine.registry import Registry, snake_case
from initlab.runner.kinds import Kind, registrar
from initlab.runner.probes import Subject
from initlab.runner.probes.watching import Call, calls

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
    watches: ClassVar[bool] = True
    """Whether it looks at what layers give for data, so that `probe.mode` matters to it."""

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
def outputs(layers: Mapping[str, gluon.Block]) -> Iterator[dict[str, Call]]:
    """Record the last call of every layer by its path, inside a `with`."""
    found: dict[str, Call] = {}

    def keep(call: Call) -> None:
        found[call.path] = call

    with calls(layers, keep):
        yield found


def before_activation(call: Call, layer: gluon.Block) -> nd.NDArray:
    """Return the input of a layer's activation, which it has or is; the output of any other layer."""
    if call.before is not None:
        return call.before
    return call.input if is_activation(layer) and call.input is not None else call.output


def is_activation(block: gluon.Block) -> bool:
    """Return whether a layer is only an activation."""
    return isinstance(block, BARE)


def activation_name(block: gluon.Block) -> str | None:
    """Return the name of a layer's activation, which it has or is; None without one."""
    found = getattr(block, "act", None) or block
    return found._act_type if isinstance(found, gluon.nn.Activation) else None


def own_activation(block: gluon.Block) -> str | None:
    """Return the name of a layer's activation, which may be a layer of its own, like `gelu`."""
    own = snake_case(type(block).__name__) if is_activation(block) else None
    return activation_name(block) or own


def forward(subject: Subject, inputs: nd.NDArray) -> nd.NDArray:
    """Return the network's output in the mode in which it is to be measured."""
    with subject.measuring():
        found: nd.NDArray = subject.network(inputs)
        return found
