"""What a diagnosis is made from: one forward and one backward pass of the first values, in train mode.

`observation.tree` says what the stages of a network are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.engine.registry import snake_case
from initlab.engine.streams import VERSION, Key, Stream, scope, using
from initlab.runner.measures.base import own_activation
from initlab.runner.observation.elementwise import own_power
from initlab.runner.observation.inputs import Samples, at_usual_size, labels_for, samples_of
from initlab.runner.observation.ranges import range_of
from initlab.runner.observation.signals import Signal, rms_of, signal_of, zeros_in
from initlab.runner.observation.tables import Placed, placed_in
from initlab.runner.observation.tree import Node, arrays_in, calls_of, host
from initlab.runner.probes import Subject
from initlab.runner.probes.base import averages, is_state

HEAD_PATH = "@diagnosis"
STEP = 0.01
"""The size of a step against that of the weights, when it is asked whether gradients wake up."""
LARGE = 10.0
"""Scores of this rms, moved by `STEP` of their size, are still far from certain."""
STEPS = 4
"""A gradient that is 0 after this many steps stays 0: a zero in front of a zero in front of a zero is
reached after three."""
Place: TypeAlias = Node | str
"""Where there is a gradient: a node, by what leaves it, or the path of a parameter."""


@dataclass(frozen=True)
class Stage:
    """One stage: a layer, or a container with a stream, with the signal after it.

    `gain` is the rms after it divided by that before it. `branch` is the rms of what it adds
    divided by the rms of what enters it, where both have one shape and the stage is a container.
    `weighted` says whether it has weights (parameters of two axes or more). `path` names its first
    layer with weights if later layers without weights were joined to it. `averaged` is over how many
    values a batch normalization takes each mean; None for all else. `adds` says whether it is a
    container that adds something to what enters it. `power` is E[f(z)^2] for z ~ N(0, 1) of an
    activation with a class of its own, like one of a plugin.
    """

    path: str
    kind: str
    weighted: bool
    container: bool
    signal: Signal
    gain: float | None
    branch: float | None
    activation: str | None = None
    averaged: int | None = None
    adds: bool = False
    power: float | None = None


@dataclass(frozen=True)
class Tensor:
    """One parameter: the rms of its values and of the loss's gradient, and the ends of the latter.

    `gradient` is None if the loss does not depend on the parameter. `zeros` is the fraction of the
    gradient that is exactly 0.
    """

    path: str
    shape: tuple[int, ...]
    rms: float
    gradient: float | None
    zeros: float | None


@dataclass(frozen=True)
class Observation:
    """What one pass showed. `loss` is the mean over `batch` samples, with its standard error;
    `ignorance` is the loss of a network that knows nothing but that there are `classes` classes.

    Without classes there is no loss: gradients are those of a random linear function of the output.
    The loss is that of the first array that the network returns; what only the others depend on has
    the gradient of a random linear function of these. `usual` is the same for the samples divided by
    their rms, if that is far from 1. `awake` is the same after a few small steps, if the first
    gradients of some parameters are exactly 0 (a zero that is drawn on purpose hides what is behind
    it), else this observation.
    """

    dtype: str
    batch: int
    loss: float | None
    loss_error: float | None
    ignorance: float | None
    classes: int | None
    output_rms: float
    input: Signal
    trunk: list[Stage]
    leaves: list[Stage]
    tensors: list[Tensor]
    tokens: bool = False
    """Whether the input is token numbers, which have no size."""
    steps: int = 0
    after: list[Observation] = field(default_factory=list)
    samples: Samples | None = None
    usual: list[Observation] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    """The sums of token vectors and position vectors."""

    @property
    def awake(self) -> Observation:
        """The observation whose gradients are no longer hidden by zeros."""
        return self.after[-1] if self.after else self

    @property
    def reached(self) -> list[Tensor]:
        """The parameters, each with its first gradient that is not exactly 0, if it has one."""
        later = {tensor.path: tensor for tensor in self.awake.tensors}
        return [tensor if tensor.gradient else later[tensor.path] for tensor in self.tensors]

    @property
    def hidden(self) -> list[Stage]:
        """The trunk's stages before the one that ends in the output."""
        return self.trunk[:-1]


def observe(subject: Subject) -> Observation:
    """Return what one batch shows of the network in train mode, without dropout.

    Parameters and gradients are as before, afterwards. If the first gradients hold exact zeros, up to
    `STEPS` small steps are made and taken back.
    """
    tokens = subject.batch.inputs.dtype.kind in "iu"
    samples = samples_of(subject.batch.inputs, subject.dtype, tokens)
    rescaled = at_usual_size(subject, samples)
    usual = [] if rescaled is None else [_observe(rescaled)]
    return replace(_observe(subject), samples=samples, usual=usual)


def _observe(subject: Subject) -> Observation:
    own = Stream(Key(subject.seed, f"{HEAD_PATH}/ambient"))
    with using(VERSION), scope(own), autograd.without_dropout(), np.errstate(all="ignore"):
        figures = _Figures(subject)
        figures.sent.back(figures.receive)
        first = figures.observation()
        if not any(tensor.gradient == 0 for tensor in first.tensors):
            return first
        _own(subject)
        with _kept(subject, False):
            return replace(first, after=[_after_steps(subject)])


def _own(subject: Subject) -> None:
    """Give parameters whose memory is shared and read-only memory of their own."""
    for parameter in subject.parameters.values():
        if not parameter.data().writable:
            parameter.adopt(parameter.data().asnumpy(), subject.device)


def _after_steps(subject: Subject) -> Observation:
    """Make steps until no more gradients wake up; return what is seen then."""
    figures, gradients = _gradients(subject)
    asleep, part = _asleep(subject, gradients), _part(figures.sent, subject.dtype)
    for step in range(1, STEPS + 1):
        before = asleep
        _step(subject, gradients, part)
        figures, gradients = _gradients(subject)
        asleep = _asleep(subject, gradients)
        if asleep in (0, before) and step > 1:
            break
    for place, gradient in gradients.items():
        figures.receive(place, gradient)
    return replace(figures.observation(), steps=step)


def _part(sent: _Sent, dtype: str) -> float:
    """Return by how much of its size a step moves a parameter: `STEP`, less if the scores are so large
    that this would make the softmax certain, and its gradient 0. It is no less than the dtype can add.
    """
    largest = 0.0 if sent.losses is None else rms_of(host(sent.output))
    least = range_of(dtype).step
    return max(least, STEP * min(1.0, LARGE / largest) if largest > 0 else STEP)


def _gradients(subject: Subject) -> tuple[_Figures, dict[Place, nd.NDArray]]:
    """Send the batch through and back; return what can be measured of it, and all gradients."""
    figures = _Figures(subject)
    found: dict[Place, nd.NDArray] = {}
    figures.sent.back(found.__setitem__)
    return figures, found


def _asleep(subject: Subject, gradients: Mapping[Place, nd.NDArray]) -> int:
    """Return how many parameters have a gradient that is exactly 0."""
    return sum(
        isinstance(place, str) and not host(gradient).any() for place, gradient in gradients.items()
    )


def _step(subject: Subject, gradients: Mapping[Place, nd.NDArray], part: float) -> None:
    """Move every parameter by a part of its size against its gradient; a zero has the size of a Glorot
    weight.
    """
    for path, parameter in subject.parameters.items():
        if path not in gradients:
            continue
        gradient = host(gradients[path])
        length = rms_of(gradient)
        if length == 0 or not math.isfinite(length):
            continue
        values = np.asarray(host(parameter.data()), np.float64)
        size = rms_of(values) or 1 / math.sqrt(max(1, values.size // max(1, len(values))))
        moved = values - part * size * np.asarray(gradient, np.float64) / length
        parameter.set_data(nd.array(moved, ctx=subject.device, dtype=parameter.dtype))


class _Sent:
    """A batch that was sent through a network in train mode, on the tape.

    `head` is what is differentiated: the loss of the first output, or of `others`, with no loss, a
    random linear function of all outputs but the first.
    """

    def __init__(self, subject: Subject, others: bool = False) -> None:
        self.inputs = subject.inputs()
        self._subject = subject
        with _kept(subject, True), autograd.record(), calls_of(subject.network) as calls:
            self.output, *self.others = arrays_in(subject.network(self.inputs))
            self.head, self.losses, self.classes = (
                (_of_all(subject, self.others), None, None)
                if others
                else _head(subject, self.output)
            )
        self.whole = calls[-1]
        self.trunk, self.leaves = list(self.whole.trunk()), list(self.whole.leaves())
        self.nodes = list(dict.fromkeys((*self.trunk, *self.leaves)))
        self.learned = {p: q for p, q in subject.parameters.items() if q.grad_req != "null"}
        self._places: list[Place] = [*self.nodes, *self.learned]

    def back(self, receive: Callable[[Place, nd.NDArray], object]) -> None:
        """Call `receive` with the gradient of the mean over samples by what leaves each node, and by
        each parameter, but for what no output depends on.
        """
        missing = dict(enumerate(self._places))
        self._back(lambda number, gradient: receive(missing.pop(number), gradient))
        if self.others and missing:
            again = _Sent(self._subject, others=True)
            again._back(
                lambda number, gradient: (
                    receive(missing[number], gradient) if number in missing else None
                )
            )

    def _back(self, receive: Callable[[int, nd.NDArray], object]) -> None:
        """Call `receive` with the number of each place and the head's gradient there."""
        boxes = [node.left for node in self.nodes]
        boxes += [parameter.data() for parameter in self.learned.values()]
        # Without a parameter that learns in front of it, an output is on no tape.
        if self.head._node is not None:
            autograd.receive_inner_gradients(self.head, boxes, receive)


def _of_all(subject: Subject, outputs: list[nd.NDArray]) -> nd.NDArray:
    """Return a random linear function of several outputs; what holds no floats has no gradient."""
    heads = [_linear(subject, one) for one in outputs if np.dtype(one.dtype).kind not in "iu"]
    return sum(heads[1:], heads[0]) if heads else outputs[0]


class _Figures:
    """The figures of a batch that was sent through, to which gradients come one after the other."""

    def __init__(self, subject: Subject) -> None:
        self.sent = _Sent(subject)
        self._subject = subject
        # The tape is gone when the gradients are there.
        self._branches = {node: node.branch() for node in self.sent.nodes}
        self._placed = placed_in(self.sent.whole, subject.parameters, len(self.sent.inputs))
        self._adding = {node for node in self.sent.nodes if node.adds}
        self._signals: dict[Node, Signal] = {}
        self._tensors: dict[str, tuple[float, float]] = {}
        self._sizes: dict[int, float] = {}

    def receive(self, place: Place, gradient: nd.NDArray) -> None:
        """Take the gradient by what leaves a node, or by a parameter."""
        values = host(gradient)
        if isinstance(place, str):
            self._tensors[place] = rms_of(values), zeros_in(values)
        else:
            self._signals[place] = self._signal(place, values)

    def observation(self) -> Observation:
        """Return all figures; what has received no gradient has none."""
        sent, subject = self.sent, self._subject
        losses, classes = sent.losses, sent.classes
        stages = {node: self._stage(node) for node in sent.nodes}
        return Observation(
            dtype=subject.dtype,
            batch=len(sent.inputs),
            loss=None if losses is None else float(losses.mean()),
            loss_error=None
            if losses is None or losses.size < 2
            else float(losses.std(ddof=1) / math.sqrt(losses.size)),
            ignorance=None if classes is None else math.log(classes),
            classes=classes,
            output_rms=rms_of(host(sent.output)),
            input=signal_of(host(sent.inputs), None, None, None),
            trunk=_joined([stages[node] for node in sent.trunk]),
            leaves=[stages[node] for node in sent.leaves],
            tensors=[self._tensor(path, one) for path, one in sent.learned.items()],
            tokens=subject.batch.inputs.dtype.kind in "iu",
            placed=self._placed,
        )

    def _tensor(self, path: str, parameter: gluon.Parameter) -> Tensor:
        values = host(parameter.data())
        gradient, zeros = self._tensors.get(path, (None, None))
        return Tensor(path, values.shape, rms_of(values), gradient, zeros)

    def _signal(self, node: Node, gradient: np.ndarray | None) -> Signal:
        axis = getattr(node.block, "_axis", None) if len(node.left.shape) > 2 else None
        return signal_of(host(node.left), gradient, own_activation(node.block), axis)

    def _size(self, array: nd.NDArray) -> float:
        """Return the rms of an array that enters a node, 0 for token numbers."""
        if id(array) not in self._sizes:
            values = host(array)
            self._sizes[id(array)] = rms_of(values) if values.dtype.kind == "f" else 0.0
        return self._sizes[id(array)]

    def _stage(self, node: Node) -> Stage:
        signal = self._signals.get(node) or self._signal(node, None)
        before = self._size(node.entered)
        power = own_power(node)
        return Stage(
            path=node.path or "the network",
            kind=type(node.block).__name__,
            weighted=any(len(p.shape) > 1 for p in node.block.structural_params().values()),
            container=not node.leaf,
            signal=signal,
            gain=signal.rms / before if before > 0 else None,
            branch=self._branches[node],
            activation=own_activation(node.block)
            or (None if power is None else snake_case(type(node.block).__name__)),
            power=power,
            averaged=signal.size * signal.shape[0] // max(1, signal.units)
            if averages(node.block)
            else None,
            adds=node in self._adding,
        )


@contextmanager
def _kept(subject: Subject, statistics_only: bool) -> Iterator[None]:
    """Restore parameters at the end of a `with`: all, or the running statistics, which a forward pass
    in train mode changes.
    """
    changing = {
        parameter: parameter.data().asnumpy().copy()
        for parameter in subject.parameters.values()
        if not statistics_only or is_state(parameter)
    }
    try:
        yield
    finally:
        for parameter, values in changing.items():
            parameter.set_data(nd.array(values, ctx=subject.device, dtype=parameter.dtype))


def _head(subject: Subject, output: nd.NDArray) -> tuple[nd.NDArray, np.ndarray | None, int | None]:
    """Return (what is differentiated, the loss of each label, the number of classes).

    It is the mean softmax cross-entropy where the output holds scores of at least two classes, else
    a random linear function of the output.
    """
    labels = labels_for(subject, output.shape)
    if labels is not None:
        wide = output if output.dtype == np.float64 else output.astype("float32")
        picked = nd.pick(nd.log_softmax(wide), nd.array(labels, ctx=subject.device, dtype="int64"))
        losses = -np.asarray(picked.asnumpy(), np.float64).ravel()
        return -nd.mean(picked), losses, output.shape[-1]
    return _linear(subject, output), None, None


def _linear(subject: Subject, output: nd.NDArray) -> nd.NDArray:
    """Return a random linear function of an output, the mean over samples."""
    shape = output.shape
    drawn = Stream(Key(subject.seed, HEAD_PATH)).normal(0.0, 1.0, math.prod(shape)).reshape(shape)
    direction = nd.array(drawn / len(output), ctx=subject.device, dtype=output.dtype)
    return nd.sum(output * direction)


def _joined(stages: list[Stage]) -> list[Stage]:
    """Return the stages with those without weights joined to the one before.

    A joined stage has the signal after its last layer, and the gain over all of them. What comes
    before the first weights has no stage.
    """
    found: list[Stage] = []
    for stage in stages:
        if stage.weighted or stage.container:
            found.append(stage)
        elif found and len(stage.signal.shape) > 1:
            first = found[-1]
            gain = None if first.gain is None or stage.gain is None else first.gain * stage.gain
            bends = first if first.activation else stage
            found[-1] = replace(
                first,
                signal=stage.signal,
                gain=gain,
                activation=bends.activation,
                power=bends.power,
            )
    return found
