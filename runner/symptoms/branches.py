"""Residual branches against their stream."""

from __future__ import annotations

import math
from collections.abc import Iterator

from initlab.runner.symptoms.base import Examined, Reading, Symptom, register
from initlab.runner.symptoms.scale import Scale


@register
class BranchOutweighsStream(Symptom):
    """Residual branches that add more than their share."""

    id = "branch-outweighs-stream"
    title = "what residual branches add, against 1 / sqrt(blocks) of the stream"
    why = "With L blocks the stream grows and forgets its input unless a branch adds about 1 / sqrt(L) of it."
    source = "Hanin and Rolnick 2018 (arXiv:1803.01719); Zhang et al. 2019 (arXiv:1901.09321)"
    scale = Scale(4.0, 12.0)

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the mean of branch over stream, times the root of the number of blocks."""
        blocks = [s for s in given.seen.trunk if s.branch is not None and math.isfinite(s.branch)]
        if not blocks:
            return
        mean = sum(block.branch or 0.0 for block in blocks) / len(blocks)
        worst = max(blocks, key=lambda block: block.branch or 0.0)
        yield Reading(
            where=worst.path,
            figure=mean * math.sqrt(len(blocks)),
            measured=f"branches add {mean:.3g} of the stream on average, over {len(blocks)} blocks",
            expected=f"about {1 / math.sqrt(len(blocks)):.2g}",
        )
