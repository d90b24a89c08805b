"""Layers whose first values say little, because the first steps replace them.

A layer that is drawn as zero, or next to it, passes nearly nothing on at first; a layer of equal units
passes one number on. If the gradient moves such a layer and tells its units apart, the network trains
as if it had been drawn otherwise, and what follows is not to be judged by the first pass.
"""

from __future__ import annotations

import math

from initlab.runner.observation.passes import Observation, Stage, Tensor

NEXT_TO_ZERO = 0.02
"""Weights of at most this part of their usual size are next to zero."""
LEAVES = 0.01
"""The part of its usual size by which a step of learning rate 1 moves a weight that leaves zero soon."""
EQUAL = 0.9
"""Units that have more than this part of their variance in common are equal, or nearly."""
GATES = {"LSTM": 0.25, "GRU": 0.5}
"""What half-open gates leave of a signal: an LSTM's output is gate times tanh of gate times tanh."""
APART = 0.5
"""Gradients with less than this part in common tell such units apart."""


def usual_size(tensor: Tensor) -> float:
    """Return one over the root of the inputs of a unit: the rms of a weight that keeps a signal."""
    return 1 / math.sqrt(max(1, math.prod(tensor.shape[1:])))


def next_to_zero(tensor: Tensor) -> bool:
    """Return whether a parameter is a weight that is drawn as zero or next to it."""
    return len(tensor.shape) > 1 and tensor.rms <= NEXT_TO_ZERO * usual_size(tensor)


def _leaves_soon(tensor: Tensor) -> bool:
    gradient = tensor.gradient or 0.0
    return math.isfinite(gradient) and gradient >= LEAVES * usual_size(tensor)


def leaving_zero(seen: Observation) -> set[str]:
    """Return the paths of the hidden layers of the trunk whose weights are next to zero, and soon are
    not.
    """
    found = set()
    reached = {tensor.path: tensor for tensor in seen.reached}
    for stage in seen.awake.hidden:
        drawn = [
            t for t in seen.tensors if len(t.shape) > 1 and t.path.rpartition(".")[0] == stage.path
        ]
        if (
            drawn
            and not stage.container
            and all(next_to_zero(tensor) for tensor in drawn)
            and any(_leaves_soon(reached[tensor.path]) for tensor in drawn)
            and stage.signal.copies <= 1 - EQUAL
        ):
            found.add(stage.path)
    return found


def parting(stage: Stage) -> bool:
    """Return whether the units of a stage are equal, and its gradients tell them apart."""
    signal = stage.signal
    return (
        signal.units > 1
        and signal.common is not None
        and signal.common > EQUAL
        and signal.common_back is not None
        and signal.common_back < APART
    )


def gates(seen: Observation, stage: Stage) -> float:
    """Return what the gates of a recurrent layer, half open at first, leave of the signal: 1/4 for each
    layer of an LSTM, 1/2 of a GRU, 1 for all else.
    """
    kind = stage.kind.lstrip("_")
    if kind not in GATES:
        return 1.0
    names = [t.path.removeprefix(f"{stage.path}.") for t in seen.tensors]
    layers = {name.partition("_")[0] for name in names if name.endswith("i2h_weight")}
    return float(GATES[kind] ** len({name.lstrip("r") for name in layers} or {""}))


def sizes(seen: Observation, leaving: set[str]) -> list[float]:
    """Return the rms after each hidden stage, without what the layers of these paths do to it, and as
    if gates were open.
    """
    found, factor, before = [], 1.0, seen.input.rms
    for stage in (seen.awake if leaving else seen).hidden:
        after = stage.signal.rms
        if stage.path in leaving and before > 0 and after > 0:
            factor *= before / after
        factor /= gates(seen, stage)
        found.append(after * factor)
        before = after
    return found
