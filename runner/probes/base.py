"""Base class of probes: data is sent through a network, and measured on the way.

A probe is a dataclass whose `measure` takes a `Subject` and returns a `Trace`. It runs after the
snapshot, so it cannot change the stored first values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np

from initlab.engine import gluon, nd
from initlab.engine.device import Device
from initlab.engine.registry import Registry
from initlab.runner.data import Batch
from initlab.runner.errors import ConfigError
from initlab.runner.kinds import Kind, registrar

Arrays: TypeAlias = tuple[nd.NDArray, ...]
"""What a layer is called with."""
REGISTRY: Registry[type[Probe]] = Registry("probe", __package__)


@dataclass
class Subject:
    """An initialized network and the batch for it."""

    network: gluon.Block
    layers: dict[str, gluon.Block]
    """Path -> layer, for layers that contain no other, in the order of the config."""
    parameters: dict[str, gluon.Parameter]
    """Path -> parameter, owners only."""
    batch: Batch
    training: tuple[Batch, Batch | None]
    """The training part and the test part; see `Data.training`."""
    device: Device
    dtype: str
    seed: int

    def inputs(self) -> nd.NDArray:
        """The batch on the device."""
        return self.on_device(self.batch.inputs)

    def on_device(self, inputs: np.ndarray) -> nd.NDArray:
        """Return samples on the device, in the network's dtype; token numbers stay int32."""
        return nd.array(
            inputs, ctx=self.device, dtype="int32" if inputs.dtype.kind in "iu" else self.dtype
        )


@dataclass
class Trace:
    """The result of a probe: a row for each layer call, in order of execution, and single figures."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    gradients: list[dict[str, Any]] = field(default_factory=list)
    """One row for each parameter: `path`, `rms` and `max_abs` of its gradient."""
    training: list[dict[str, Any]] = field(default_factory=list)
    """One row for each epoch (`epoch`) or step (`step`): `loss`, `accuracy`, `gradient_norm`,
    `update_ratio`, `test_accuracy`.
    """
    updates: list[dict[str, Any]] = field(default_factory=list)
    """One row for each parameter: `path`, `gradient_rms`, `weight_rms`, `update_rms` and
    `update_ratio` of the first step, `lr_mult`.
    """
    figures: dict[str, float | None] = field(default_factory=dict)


@dataclass
class Probe(Kind):
    """Base class of probes."""

    gives: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Section of `stats.json` -> the columns of its rows, without `path`, or the figures. A probe
    that declares none may give anything.
    """

    def check(self, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]) -> None:
        """Raise ConfigError if the probe cannot measure a network with this output.

        `output` is its shape, including the batch axis. `classes` is the number of classes of the
        data's labels, None if it has none; `labels` is their shape, including the batch axis.
        """

    def measure(self, subject: Subject) -> Trace:
        """Run the network and measure."""
        raise NotImplementedError(f"probe '{self.kind}' defines no measure")


register = registrar(REGISTRY, Probe)
"""Registers a dataclass derived from `Probe` under its snake-case name."""


def check_scores(
    kind: str, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]
) -> None:
    """Raise ConfigError unless the output holds scores (batch, …, classes), one for each label.

    `kind` names what needs the scores, for the message.
    """
    if len(output) < 2 or output[-1] < 2:
        said = (
            f"{kind} needs an output of shape (batch, classes) or (batch, positions, classes), "
            f"but the network gives {output}"
        )
    elif classes is not None and output[-1] < classes:
        said = f"the data has {classes} classes, but the network gives {output[-1]} scores a sample"
    elif classes is not None and output[:-1] != labels:
        said = (
            f"the data has labels of shape {labels}, for which scores have shape "
            f"{(*labels, classes)}, but the network gives {output}"
        )
    else:
        return
    raise ConfigError.of("", said)


def moments(values: np.ndarray) -> dict[str, float]:
    """Return `mean`, `variance` and `rms` of all elements, summed in float64, and `zeros`.

    `zeros` is the fraction of elements that are exactly 0.
    """
    wide = np.asarray(values, np.float64).ravel()
    mean = float(wide.mean())
    return {
        "mean": mean,
        "variance": float(np.square(wide - mean).mean()),
        "rms": float(np.sqrt(np.square(wide).mean())),
        "zeros": float((wide == 0).mean()),
    }


LAYER_COLUMNS = ("shape", "mean", "variance", "rms", "zeros", "pre_rms", "rms_ratio")
"""The columns that `watch` measures."""


@contextmanager
def watch(layers: dict[str, gluon.Block], rows: list[dict[str, Any]]) -> Iterator[None]:
    """Append a row to `rows` for every call of a layer, inside a `with`: path, output shape,
    `moments`.

    For a layer with its own activation, `pre_rms` is the rms before the activation. `rms_ratio` is
    the rms divided by that of the previous row.
    """
    before: dict[str, float] = {}
    handles = []

    def after_layer(path: str) -> Callable[[gluon.Block, Arrays, nd.NDArray], None]:
        def hook(block: gluon.Block, inputs: Arrays, output: nd.NDArray) -> None:
            row: dict[str, Any] = {
                "path": path,
                "shape": list(output.shape),
                **moments(output.asnumpy()),
            }
            row["pre_rms"] = before.pop(path, None)
            row["rms_ratio"] = (
                row["rms"] / rows[-1]["rms"] if rows and rows[-1]["rms"] > 0 else None
            )
            rows.append(row)

        return hook

    def before_activation(path: str) -> Callable[[gluon.Block, Arrays], None]:
        def hook(block: gluon.Block, inputs: Arrays) -> None:
            before[path] = moments(inputs[0].asnumpy())["rms"]

        return hook

    for path, layer in layers.items():
        handles.append(layer.register_forward_hook(after_layer(path)))
        activation = getattr(layer, "act", None)
        if activation is not None:
            handles.append(activation.register_forward_pre_hook(before_activation(path)))
    try:
        yield
    finally:
        for handle in handles:
            handle.detach()
