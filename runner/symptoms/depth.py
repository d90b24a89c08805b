"""Depth without shortcuts."""

from __future__ import annotations

from collections.abc import Iterator

from initlab.runner.observation.passes import Observation
from initlab.runner.symptoms.base import NETWORK, Examined, Reading, Symptom, register
from initlab.runner.symptoms.scale import Scale


def longest_row(seen: Observation) -> int:
    """Return the length of the longest row of hidden blocks with weights and without a shortcut."""
    longest = row = 0
    for stage in seen.hidden:
        row = 0 if stage.adds or stage.branch is not None else row + stage.weighted
        longest = max(longest, row)
    return longest


@register
class PlainDepth(Symptom):
    """Many blocks in a row, none with a shortcut."""

    id = "plain-depth"
    title = "blocks in a row without a shortcut"
    why = "A signal and gradient of the right size do not make such a depth easy to train."
    source = "He et al. 2016 (arXiv:1512.03385), section 1; Balduzzi et al. 2017 (arXiv:1702.08591)"
    scale = Scale(24.0)
    by_form = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the length of the longest row."""
        longest = longest_row(given.seen)
        yield Reading(
            where=NETWORK,
            figure=float(longest),
            measured=f"{longest} blocks in a row without a shortcut",
            expected="fewer than 24, or residual blocks",
        )
