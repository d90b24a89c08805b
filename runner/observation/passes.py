"""What a diagnosis is made from: one forward and one backward pass of the first values, in train mode.

What a stage is, `runner.observation.tree` says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.engine.registry import snake_case
from initlab.engine.streams import VERSION, Key, Stream, scope, using
from initlab.runner.measures.base import activation_name, is_activation
from initlab.runner.measures.layers import saturated
from initlab.runner.observation.inputs import Samples, at_usual_size, samples_of
from initlab.runner.observation.signals import Signal, alike, by_unit, copies_in, rms_of, silent_in
from initlab.runner.observation.tree import Call, Node, arrays_in, calls_of, tree_of
from initlab.runner.probes import Subject
from initlab.runner.probes.base import averages

LABELS_PATH = "@labels"
HEAD_PATH = "@diagnosis"
STEP = 0.01
"""The size of a step against that of the weights, when it is asked whether gradients wake up."""
STEPS = 4
"""A gradient that is 0 after this many steps stays 0: a zero in front of a zero in front of a zero is
reached after three."""


@dataclass(frozen=True)
class Stage:
    """One stage: a layer, or a container with a stream, with the signal after it.

    `gain` is the rms after it divided by that before it. `branch` is the rms of what it adds
    divided by the rms of what enters it, where both have one shape and the stage is a container.
    `weighted` says whether it has weights (parameters of two axes or more). `path` names its first
    layer with weights if later layers without weights were joined to it. `averaged` is over how many
    values a batch normalization takes each mean; None for all else.
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

    @property
    def speed(self) -> float | None:
        """The relative change by one step of gradient descent with learning rate 1."""
        if self.gradient is None or self.rms == 0:
            return None
        return self.gradient / self.rms


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

    @property
    def awake(self) -> Observation:
        """The observation whose gradients are no longer hidden by zeros."""
        return self.after[-1] if self.after else self

    @property
    def hidden(self) -> list[Stage]:
        """The trunk's stages before the one that ends in the output."""
        return self.trunk[:-1]


def observe(subject: Subject) -> Observation:
    """Return what one batch shows of the network in train mode, without dropout.

    Parameters and gradients are as before, afterwards.

    If the first gradients hold exact zeros, up to `STEPS` small steps are made and taken back.
    """
    tokens = subject.batch.inputs.dtype.kind in "iu"
    samples = samples_of(subject.batch.inputs, subject.dtype, tokens)
    rescaled = at_usual_size(subject, samples)
    usual = [] if rescaled is None else [_observe(rescaled)]
    return replace(_observe(subject), samples=samples, usual=usual)


def _observe(subject: Subject) -> Observation:
    own = Stream(Key(subject.seed, f"{HEAD_PATH}/ambient"))
    with using(VERSION), scope(own), autograd.without_dropout(), np.errstate(all="ignore"):
        first = _look(subject)
        if not any(tensor.gradient == 0 for tensor in first.tensors):
            return first
        later: list[Observation] = []
        with _kept(subject, False):
            now, gradients = _look_closely(subject)
            for step in range(1, STEPS + 1):
                _step(subject, gradients)
                before = now
                now, gradients = _look_closely(subject)
                later.append(replace(now, steps=step))
                if _asleep(now) in (0, _asleep(before)) and step > 1:
                    break
        return replace(first, after=later)


def _asleep(seen: Observation) -> int:
    """Return how many parameters have a gradient that is exactly 0."""
    return sum(tensor.gradient == 0 for tensor in seen.tensors)


def _step(subject: Subject, gradients: dict[str, np.ndarray]) -> None:
    """Move every parameter by `STEP` of its size against its gradient; a zero has the size of a Glorot
    weight.
    """
    for path, gradient in gradients.items():
        parameter, length = subject.parameters[path], rms_of(gradient)
        if length == 0 or not math.isfinite(length):
            continue
        values = np.asarray(parameter.data().asnumpy(), np.float64)
        size = rms_of(values) or 1 / math.sqrt(max(1, values.size // max(1, len(values))))
        moved = values - STEP * size * np.asarray(gradient, np.float64) / length
        parameter.set_data(nd.array(moved, ctx=subject.device, dtype=parameter.dtype))


def _look(subject: Subject) -> Observation:
    return _look_closely(subject)[0]


def _look_closely(subject: Subject) -> tuple[Observation, dict[str, np.ndarray]]:
    """Return the observation of one pass, and the gradient by each parameter."""
    inputs = subject.inputs()
    with _kept(subject, True), autograd.record(), calls_of(subject.network) as calls:
        output, *others = arrays_in(subject.network(inputs))
        head, losses, classes = _head(subject, output)
    trunk, leaves, learned, boxes = _watched(subject, calls)
    found = _gradients(head, boxes)
    if others and any(gradient is None for gradient in found):
        more = _of_other_outputs(subject)
        found = [a if a is not None else b for a, b in zip(found, more, strict=True)]
    by_box = {id(box): gradient for box, gradient in zip(boxes, found, strict=True)}
    # Gradients are of the sum over samples' own losses divided by their number.
    gradients = {
        path: np.asarray(gradient.asnumpy())
        for path, gradient in zip(learned, found[len(trunk) + len(leaves) :], strict=True)
        if gradient is not None
    }
    tensors = [_tensor(path, q, gradients.get(path)) for path, q in learned.items()]
    seen = Observation(
        dtype=subject.dtype,
        batch=len(inputs),
        loss=None if losses is None else float(losses.mean()),
        loss_error=None
        if losses is None
        else float(losses.std(ddof=1) / math.sqrt(losses.size))
        if losses.size > 1
        else None,
        ignorance=None if classes is None else math.log(classes),
        classes=classes,
        output_rms=rms_of(output.asnumpy()),
        input=_signal(inputs, None, None, None),
        trunk=_joined([_stage(node, by_box) for node in trunk]),
        leaves=[_stage(node, by_box) for node in leaves],
        tensors=tensors,
        tokens=subject.batch.inputs.dtype.kind in "iu",
    )
    return seen, gradients


def _watched(
    subject: Subject, calls: list[Call]
) -> tuple[list[Node], list[Node], dict[str, gluon.Parameter], list[nd.NDArray]]:
    """Return the stages of the trunk, all layers, what learns, and the arrays of all of these."""
    root = tree_of(calls)
    trunk, leaves = list(root.trunk()), list(root.leaves())
    learned = {p: q for p, q in subject.parameters.items() if q.grad_req != "null"}
    boxes = [node.call.left for node in (*trunk, *leaves)] + [q.data() for q in learned.values()]
    return trunk, leaves, learned, boxes


def _gradients(head: nd.NDArray, boxes: list[nd.NDArray]) -> list[nd.NDArray | None]:
    """Return the gradient of a head by each array, None where it does not depend on it.

    Without a parameter that learns in front of it, a head is on no tape.
    """
    return autograd.inner_gradients(head, boxes) if head._node is not None else [None] * len(boxes)


def _of_other_outputs(subject: Subject) -> list[nd.NDArray | None]:
    """Return the gradients of a random linear function of all outputs but the first, in the order of
    `_watched`.
    """
    with _kept(subject, True), autograd.record(), calls_of(subject.network) as calls:
        _, *others = arrays_in(subject.network(subject.inputs()))
        heads = [_linear(subject, one) for one in others if np.dtype(one.dtype).kind not in "iu"]
        head = sum(heads[1:], heads[0]) if heads else others[0]
    return _gradients(head, _watched(subject, calls)[-1])


@contextmanager
def _kept(subject: Subject, statistics_only: bool) -> Iterator[None]:
    """Restore parameters at the end of a `with`: all, or the running statistics, which a forward pass
    in train mode changes.
    """
    changing = {
        parameter: parameter.data().asnumpy().copy()
        for parameter in subject.parameters.values()
        if parameter.grad_req == "null" or not statistics_only
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
    shape, labels = output.shape, subject.batch.labels
    scores = len(shape) in (2, 3) and shape[-1] >= 2
    if scores and (labels is None or labels.shape == shape[:-1]):
        if labels is None:
            *positions, classes = shape
            drawn = Stream(Key(subject.seed, LABELS_PATH)).integers(
                0, classes, math.prod(positions)
            )
            labels = np.asarray(drawn, np.int64).reshape(positions)
        wide = output if output.dtype == np.float64 else output.astype("float32")
        picked = nd.pick(nd.log_softmax(wide), nd.array(labels, ctx=subject.device, dtype="int64"))
        losses = -np.asarray(picked.asnumpy(), np.float64).ravel()
        return -nd.mean(picked), losses, shape[-1]
    return _linear(subject, output), None, None


def _linear(subject: Subject, output: nd.NDArray) -> nd.NDArray:
    """Return a random linear function of an output, the mean over samples."""
    shape = output.shape
    drawn = Stream(Key(subject.seed, HEAD_PATH)).normal(0.0, 1.0, math.prod(shape)).reshape(shape)
    direction = nd.array(drawn / len(output), ctx=subject.device, dtype=output.dtype)
    return nd.sum(output * direction)


def _tensor(path: str, parameter: gluon.Parameter, gradient: np.ndarray | None) -> Tensor:
    values = parameter.data().asnumpy()
    if gradient is None:
        return Tensor(path, values.shape, rms_of(values), None, None)
    zeros = float((gradient == 0).mean())
    return Tensor(path, values.shape, rms_of(values), rms_of(gradient), zeros)


def _stage(node: Node, gradients: dict[int, nd.NDArray | None]) -> Stage:
    call = node.call
    gradient = gradients.get(id(call.left))
    axis = getattr(call.block, "_axis", None) if len(call.left.shape) > 2 else None
    activation = activation_name(call.block) or _own_name(call.block)
    signal = _signal(call.left, gradient, activation, axis)
    entered = call.entered.asnumpy()
    before = rms_of(entered) if entered.dtype.kind == "f" else 0.0
    added = None
    if not node.leaf and entered.shape == call.left.shape and before > 0:
        added = rms_of(np.asarray(call.left.asnumpy(), np.float64) - entered) / before
    return Stage(
        path=call.path or "the network",
        kind=type(call.block).__name__,
        weighted=any(len(p.shape) > 1 for p in call.block.structural_params().values()),
        container=not node.leaf,
        signal=signal,
        gain=signal.rms / before if before > 0 else None,
        branch=added,
        activation=activation,
        averaged=signal.size * signal.shape[0] // max(1, signal.units)
        if averages(call.block)
        else None,
    )


def _own_name(block: gluon.Block) -> str | None:
    """Return the name of a layer that is an activation with a class of its own, like `gelu`."""
    return snake_case(type(block).__name__) if is_activation(block) else None


def _signal(
    array: nd.NDArray, gradient: nd.NDArray | None, activation: str | None, axis: int | None
) -> Signal:
    values = array.asnumpy()
    back = None if gradient is None else gradient.asnumpy()
    axis = axis if axis is not None else (1 if values.ndim == 4 else values.ndim - 1)
    units = by_unit(values, axis) if values.ndim > 1 else values.reshape(1, -1)
    floats = values.dtype.kind not in "iu"
    return Signal(
        shape=tuple(values.shape),
        rms=rms_of(values),
        largest=float(np.abs(np.asarray(values, np.float64)).max(initial=0.0)),
        zeros=float((values == 0).mean()),
        cosine=alike(values) if floats else None,
        units=len(units),
        silent=silent_in(units) if floats else 0.0,
        copies=copies_in(units, None if back is None else by_unit(back, axis))
        if floats and back is not None and values.ndim > 1
        else 0.0,
        saturated=saturated(np.asarray(values, np.float64), activation),
        gradient=None if back is None else rms_of(back),
    )


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
            activation = first.activation or stage.activation
            found[-1] = replace(first, signal=stage.signal, gain=gain, activation=activation)
    return found
