"""Directions that a network treats unlike: the spectra of its Jacobian and of its weights, where they
were measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from initlab.runner.excerpt import counted
from initlab.runner.symptoms.base import NETWORK, Examined, Reading, Symptom, register
from initlab.runner.symptoms.form import form_seen
from initlab.runner.symptoms.scale import Scale
from initlab.runner.theory.spectra import marchenko_pastur_high

SHALLOW = 4
"""Networks of fewer hidden blocks train from any spectrum: the study found none that it hurts."""

LOST = 1e6
"""From this ratio on directions are lost, and rounding decides how much larger it is."""


def bounded(figure: float, scale: Scale, deep: bool) -> float:
    """Return a figure, which in a shallow network is at most one that is odd."""
    if deep or scale.harmful is None:
        return figure
    return min(figure, math.sqrt(scale.odd * scale.harmful))


@register
class IllConditionedJacobian(Symptom):
    """An output that depends on few directions of the input."""

    id = "ill-conditioned-jacobian"
    title = "the rms of the singular values of the output's derivative against their geometric mean"
    why = "Most changes of the input change next to nothing of the output, and so do most steps."
    source = "Saxe et al. 2014 (arXiv:1312.6120); Pennington et al. 2017 (arXiv:1711.04735)"
    scale = Scale(7.0, 50.0)
    effect = True
    section = "jacobian"

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the ratio, the median of the measured samples; nothing if the derivative is 0."""
        found = [spread(row) for row in given.sections.get(self.section, ())]
        ratios = [ratio for ratio in found if ratio is not None]
        if not ratios:
            return
        middle = median(ratios)
        more = "at least " if middle >= LOST else ""
        blocks = sum(stage.weighted for stage in given.seen.hidden)
        yield Reading(
            where=NETWORK,
            figure=bounded(middle, self.scale, blocks >= SHALLOW),
            measured=f"singular values whose rms is {more}{middle:.3g} times their geometric mean, over "
            f"{counted(blocks, 'hidden block')}",
            expected="less than 7; 1 where orthogonal weights keep every direction alike",
        )


def spread(row: Mapping[str, Any]) -> float | None:
    """Return the rms of a sample's singular values over their geometric mean, at most `LOST`; None if all
    are 0, or if they are not finite.
    """
    square, log_mean = row["mean_square"], row["log_mean"]
    if square is None or not 0 < square < math.inf:
        return None
    if log_mean is None or not math.isfinite(log_mean):
        return LOST
    return math.exp(min(math.log(square) / 2 - log_mean, math.log(LOST)))


@register
class OneDirection(Symptom):
    """Weights with a direction that outweighs all others."""

    id = "one-direction"
    title = "the largest squared singular value of weights against the edge of a random matrix"
    why = "What such weights give is nearly the same for every input; each layer makes it more so."
    source = "Marchenko and Pastur 1967; Saxe et al. 2014 (arXiv:1312.6120)"
    scale = Scale(2.0, 5.0)
    section = "spectrum"

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the largest figure of all weights, at most one that is odd, or that which `SHALLOW` hidden
        layers in no container reach, if this is more: one such layer among others hurts nothing.
        """
        rows = given.sections.get(self.section, ())
        measured = {row["path"]: edge for row in rows if (edge := over(row)) is not None}
        if not measured:
            return
        path = max(measured, key=lambda one: measured[one])
        figure = bounded(measured[path], self.scale, False)
        hidden = plain(given)
        chain = sorted(edge for one, edge in measured.items() if one.rpartition(".")[0] in hidden)
        if len(chain) >= SHALLOW:
            figure = max(figure, chain[-SHALLOW])
        many = sum(edge >= self.scale.odd for edge in measured.values())
        yield Reading(
            where=path,
            figure=figure,
            measured=f"its largest squared singular value is {measured[path]:.3g} times the edge of a "
            f"random matrix; {counted(many, 'parameter')} beyond {self.scale.odd:g}",
            expected="about 1 for independent numbers of mean 0, less for an orthogonal matrix",
        )


def over(row: Mapping[str, Any]) -> float | None:
    """Return the largest squared singular value of weights over the upper edge of the Marchenko-Pastur
    law; None if it was not measured.
    """
    high, ratio = row.get("mp_high"), row.get("ratio")
    if high is None or ratio is None or not math.isfinite(high):
        return None
    return float(high / marchenko_pastur_high(ratio))


def plain(given: Examined) -> set[str]:
    """Return the paths of the hidden layers that are in no container with an output of its own."""
    form = form_seen(given.seen, given.rows)
    inside = tuple(f"{path}." for path in form.containers)
    weighted = [link.path for link in form.links if link.weighted]
    return {path for path in weighted[:-1] if not path.startswith(inside)}
