"""What is sent through a network and what is measured on the way.

A probe is a dataclass whose `measure` takes a `Subject` and gives a `Trace`. It runs after the
snapshot, so that whatever it changes cannot reach the first values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from initlab.engine import gluon, nd
from initlab.engine.device import Device
from initlab.engine.registry import Registry
from initlab.runner.data import Batch
from initlab.runner.errors import ConfigError
from initlab.runner.kinds import Kind, registrar

REGISTRY: Registry[type[Probe]] = Registry("probe", __package__)


@dataclass
class Subject:
    """An initialized network and the batch for it."""

    network: gluon.Block
    layers: dict[str, gluon.Block]
    """Path -> the layers that hold no other layer, in the order of the config."""
    parameters: dict[str, gluon.Parameter]
    """Path -> parameter, owners only."""
    batch: Batch
    training: tuple[Batch, Batch | None]
    """What may be learned from, and what must not; see `Data.training`."""
    device: Device
    dtype: str
    seed: int

    def inputs(self) -> nd.NDArray:
        """The batch on the device."""
        return self.on_device(self.batch.inputs)

    def on_device(self, inputs: np.ndarray) -> nd.NDArray:
        """Samples on the device, in the network's dtype; whole numbers, which name tokens, stay
        int32.
        """
        return nd.array(
            inputs, ctx=self.device, dtype="int32" if inputs.dtype.kind in "iu" else self.dtype
        )


@dataclass
class Trace:
    """What a probe measured: one row a layer call in the order of execution, and figures of the
    whole.
    """

    layers: list[dict[str, Any]] = field(default_factory=list)
    gradients: list[dict[str, Any]] = field(default_factory=list)
    """One row a parameter: `path`, `rms` and `max_abs` of its gradient."""
    training: list[dict[str, Any]] = field(default_factory=list)
    """One row an epoch (`epoch`) or a step (`step`): `loss`, `accuracy`, `gradient_norm`,
    `update_ratio`, `test_accuracy`.
    """
    updates: list[dict[str, Any]] = field(default_factory=list)
    """One row a parameter: `path`, `gradient_rms`, `weight_rms`, `update_rms` and `update_ratio` of
    the first step, `lr_mult`.
    """
    figures: dict[str, float | None] = field(default_factory=dict)


@dataclass
class Probe(Kind):
    """Base of all probes."""

    gives: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Section of `stats.json` -> the columns of its rows, `path` aside, or the figures. A probe
    that declares none may give anything.
    """

    def check(self, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]) -> None:
        """ConfigError for a network that cannot be measured so: its output has this shape, batch
        axis included.

        `classes` is how many the data's own labels tell apart, None where it has none; `labels` is
        their shape, batch axis included.
        """

    def measure(self, subject: Subject) -> Trace:
        """Run the network and measure."""
        raise NotImplementedError(f"probe '{self.kind}' defines no measure")


register = registrar(REGISTRY, Probe)
"""Makes a dataclass derived from `Probe` a probe under its snake-case name."""


def check_scores(
    kind: str, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]
) -> None:
    """ConfigError unless the output holds scores of shape (batch, …, classes), one for each label
    that the data has. `kind` is what needs them.
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
    """`mean`, `variance` and `rms` of all elements, accumulated in float64, and `zeros`, the
    fraction that is exactly 0.
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
"""What `watch` measures of a layer."""


@contextmanager
def watch(layers: dict[str, gluon.Block], rows: list[dict[str, Any]]) -> Iterator[None]:
    """While open, every call of a layer appends to `rows` its path, output shape and `moments`.

    A layer with an activation of its own also gets `pre_rms`, the rms before that activation;
    `rms_ratio` is the rms over that of the row before.
    """
    before: dict[str, float] = {}
    handles = []

    def after_layer(path: str) -> Any:
        def hook(block: gluon.Block, inputs: Any, output: Any) -> None:
            row = {"path": path, "shape": list(output.shape), **moments(output.asnumpy())}
            row["pre_rms"] = before.pop(path, None)
            row["rms_ratio"] = (
                row["rms"] / rows[-1]["rms"] if rows and rows[-1]["rms"] > 0 else None
            )
            rows.append(row)

        return hook

    def before_activation(path: str) -> Any:
        def hook(block: gluon.Block, inputs: Any) -> None:
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
