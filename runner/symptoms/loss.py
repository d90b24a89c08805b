"""The first loss, against what a network that knows nothing has."""

from __future__ import annotations

import math
from collections.abc import Iterator

from initlab.runner.symptoms.base import NETWORK, Examined, Reading, Symptom, register
from initlab.runner.symptoms.scale import Scale


@register
class FirstLoss(Symptom):
    """The first loss is far above that of equal scores."""

    id = "first-loss"
    title = "the first loss against ln C"
    why = "The first steps are spent on unlearning confident guesses, and steps are as large as the scores."
    source = "Karpathy 2019, A Recipe for Training Neural Networks, 'verify loss @ init'"
    scale = Scale(2.0, 4.0, 200.0)
    effect = True

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield the loss as a multiple of ln C, less two standard errors."""
        seen = given.seen
        if seen.loss is None or seen.ignorance is None or math.isnan(seen.loss):
            return
        least = seen.loss - 2 * (seen.loss_error or 0.0)
        error = f" ± {seen.loss_error:.2g}" if seen.loss_error else ""
        yield Reading(
            where=NETWORK,
            figure=least / seen.ignorance,
            error=seen.loss_error,
            measured=f"first loss {seen.loss:.4g}{error}",
            expected=f"ln {seen.classes} = {seen.ignorance:.4g}",
        )
