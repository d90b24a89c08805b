"""Base class of probes: data is sent through a network, and measured on the way.

A probe is a dataclass whose `measure` takes a `Subject` and returns a `Trace`. It runs after the
snapshot, so it cannot change the stored first values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Optional

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.engine.device import Device
from initlab.engine.errors import OptionError
from initlab.engine.options import choice
from initlab.engine.registry import Registry
from initlab.runner.data import Batch
from initlab.runner.errors import ConfigError
from initlab.runner.kinds import Kind, registrar
from initlab.runner.probes.following import blocks_by_path
from initlab.runner.progress import Report, unheard

REGISTRY: Registry[type[Probe]] = Registry("probe", __package__)


@dataclass
class Subject:
    """An initialized network and the batch for it."""

    network: gluon.Block
    layers: dict[str, gluon.Block]
    """Path -> layer, for the layers with a row (see `probes.roles`), in the order of the network."""
    parameters: dict[str, gluon.Parameter]
    """Path -> parameter, owners only."""
    batch: Batch
    training: tuple[Batch, Batch | None]
    """The training part and the test part; see `Data.training`."""
    device: Device
    dtype: str
    seed: int
    mode: str | None = "train"
    """How layers behave while they are measured: `train`, as a first training step sees them, or
    `predict`. None: each measurement in the mode that it had before this could be chosen.
    """
    dropout: bool = False
    """Whether dropout drops elements while layers are measured in train mode."""
    report: Report = unheard
    """Is told the steps of a long measurement."""

    @property
    def couples(self) -> bool:
        """Whether the network's output for a sample depends on the other samples of the batch, since
        it is measured in train mode and has batch normalization.
        """
        return self.mode == "train" and any(map(averages, blocks_by_path(self.network).values()))

    @contextmanager
    def measuring(self, record: bool = False, former: str = "predict") -> Iterator[None]:
        """Let the network behave as it is to be measured, inside a `with`.

        `record` records on the tape, `former` is the mode if none is chosen. What a batch changes in
        train mode, like the running statistics of a normalization, is restored at exit.
        """
        training = (self.mode or former) == "train"
        drops = self.dropout or self.mode is None
        state = [p for p in self.parameters.values() if is_state(p)] if training else []
        before = [parameter.data().asnumpy().copy() for parameter in state]
        run = autograd.record if record else autograd.pause
        try:
            with run(training), nullcontext() if drops else autograd.without_dropout():
                yield
        finally:
            for parameter, values in zip(state, before, strict=True):
                parameter.set_data(nd.array(values, ctx=self.device, dtype=parameter.dtype))

    def inputs(self) -> nd.NDArray:
        """The batch on the device."""
        return self.on_device(self.batch.inputs)

    def on_device(self, inputs: np.ndarray) -> nd.NDArray:
        """Return samples on the device, in the network's dtype; token numbers stay int32."""
        return nd.array(
            inputs, ctx=self.device, dtype="int32" if inputs.dtype.kind in "iu" else self.dtype
        )


def is_state(parameter: gluon.Parameter) -> bool:
    """Return whether a parameter is part of a layer's state, like a running mean, and not learned."""
    return parameter.grad_req == "null" and not parameter.frozen


def averages(block: gluon.Block) -> bool:
    """Return whether a block normalizes by the batch in train mode."""
    return isinstance(block, gluon.nn.BatchNorm) and not block._kwargs["use_global_stats"]


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
    former: ClassVar[tuple[str, bool] | None] = ("train", False)
    """The `mode` and `dropout` of the probe before they could be chosen; None if it does not measure
    layers itself.
    """
    mode: Optional[Annotated[str, choice("train predict")]] = field(default="train", kw_only=True)
    """How layers behave while the probe and measurements look at them: as a first training step
    sees them (train), or as in prediction. Null: as before this could be chosen, the probe backward
    in train mode with dropout, all else in predict mode.
    """
    dropout: bool = field(default=False, kw_only=True)
    """Whether dropout drops elements then, in train mode."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dropout and self.mode != "train":
            raise OptionError("dropout", "drops nothing in predict mode - set probe.mode to train")

    def check(self, output: tuple[int, ...], classes: int | None, labels: tuple[int, ...]) -> None:
        """Raise ConfigError if the probe cannot measure a network with this output.

        `output` is its shape, including the batch axis. `classes` is the number of classes of the
        data's labels, None if it has none; `labels` is their shape, including the batch axis.
        """

    def first_updates(self, subject: Subject) -> list[dict[str, Any]]:
        """Return the `updates` of the trace after one step only; none of a probe that makes no steps.

        The caller restores what the step changes.
        """
        return []

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
