"""What enters a network: how far samples differ, the same samples at a usual size, and their labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from initlab.engine import dtypes
from initlab.engine.streams import Key, Stream
from initlab.runner.observation.signals import rms_of
from initlab.runner.probes import Subject
from initlab.runner.probes.passes import LABELS_PATH

USUAL = (0.1, 10.0)
"""Inputs whose rms lies between these are of a usual size."""


@dataclass(frozen=True)
class Samples:
    """The samples of a batch, before anything is done to them.

    `rms` is that of all elements, None for token numbers, which have no size. `spread` is the rms of
    what is left of the samples without their mean, divided by `rms`; 0 if all are equal, None for a
    single one. Of token numbers it is the fraction of positions at which samples differ. `finite`
    says whether the network's dtype holds every element as a finite number.
    """

    count: int
    rms: float | None
    spread: float | None
    finite: bool

    @property
    def usual(self) -> bool:
        """Whether they have a usual size, or none."""
        return self.rms is None or not self.finite or USUAL[0] <= self.rms <= USUAL[1]


def samples_of(inputs: np.ndarray, dtype: str, tokens: bool) -> Samples:
    """Return what is said of the samples (batch, …) that enter a network of `dtype`."""
    if tokens:
        flat = inputs.reshape(len(inputs), -1)
        spread = float((flat != flat[:1]).any(0).mean()) if len(flat) > 1 else None
        return Samples(len(inputs), None, spread, True)
    wide = np.asarray(inputs, np.float64)
    with np.errstate(all="ignore"):
        finite = bool(np.isfinite(wide.astype(dtypes.resolve(dtype)).astype(np.float64)).all())
        size = rms_of(wide)
        spread = None
        if len(wide) > 1 and finite:
            spread = rms_of(wide - wide.mean(0)) / size if size > 0 else 0.0
            spread = 0.0 if (wide == wide[:1]).all() else spread
    return Samples(len(inputs), size if math.isfinite(size) else None, spread, finite)


def at_usual_size(subject: Subject, samples: Samples) -> Subject | None:
    """Return the network with the same samples divided by their rms; None if their size is usual."""
    if samples.usual or not samples.rms:
        return None
    wide = np.asarray(subject.batch.inputs, np.float64) / samples.rms
    return replace(subject, batch=replace(subject.batch, inputs=wide.astype(np.float32)))


def labels_for(subject: Subject, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the labels of the batch for an output of this shape, drawn from the seed if the data has
    none; None if the output holds no scores for them.
    """
    *positions, classes = shape
    given = subject.batch.labels
    if len(shape) not in (2, 3) or classes < 2:
        return None
    if given is not None:
        return given if given.shape == tuple(positions) else None
    drawn = Stream(Key(subject.seed, LABELS_PATH)).integers(0, classes, math.prod(positions))
    return np.asarray(drawn, np.int64).reshape(positions)
