"""Charts of claims: many places are put together. What is drawn is tested beside the picture, in
`tests/runner/claims/test_picture.py`.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from initlab.runner.claims.picture import Picture  # noqa: E402
from initlab.runner.report import drawing  # noqa: E402
from initlab.runner.report.claim_charts import MOST_POINTS, THEORY, colour_of, thinned  # noqa: E402


def seen(count: int) -> Picture:
    values = np.arange(float(count))
    return Picture(
        x=values,
        samples=tuple(np.array([v, v + 1]) for v in values),
        theory=2 * values,
        names=tuple(str(int(v)) for v in values),
        along="index",
        what="rms",
        log_x=False,
        log_y=False,
    )


def test_few_places_stay_as_they_are():
    few = seen(MOST_POINTS)
    assert thinned(few) is few


def test_many_places_are_put_together_and_no_sample_is_lost():
    many = seen(4 * MOST_POINTS + 1)
    fewer = thinned(many)
    assert len(fewer.x) <= MOST_POINTS
    assert sum(map(len, fewer.samples)) == sum(map(len, many.samples))
    assert fewer.x[0] == np.mean(many.x[:5]) and fewer.theory[0] == np.mean(many.theory[:5])
    assert fewer.names[1] == "5"


@pytest.mark.parametrize(
    "quantity, colour",
    [
        ("layers.*.rms_ratio.log_mean", drawing.FORWARD),
        ("layers.*.pre_variance.min", drawing.BEFORE),
        ("layers[8:-1].chi1.mean", drawing.GRADIENT),
        ("gradients.*.rms.max", drawing.GRADIENT),
        ("spectrum['fc.weight'].mean", drawing.VALUES),
        ("training[-20:].loss.mean", drawing.FIGURE),
    ],
)
def test_a_claim_has_the_colour_of_what_it_is_about_and_theory_that_of_text(quantity, colour):
    assert colour_of(quantity) == colour
    assert THEORY == drawing.INK and THEORY not in drawing.SERIES
