"""What residual branches add up to: the second moment of a stream x <- x + f(x), over that of its
start.

Branches' weights are independent of the stream and of mean 0, so that second moments add and no
product remains.
"""

from __future__ import annotations

from initlab.engine.options import choice, positive, whole
from initlab.runner.theory.forms import closed_form

BRANCHES = ("normalized", "scaled", "plain")


@closed_form
def residual_growth(branch: str, branches: int, variance: float = 1.0) -> float:
    """E[x^2] after so many branches, from 1.

    normalized  a branch begins with a layer norm, and gives `variance` whatever the stream is: 1 + N variance
    scaled      the same, its output weights over sqrt(N) (GPT-2, Radford et al. 2019): 1 + variance
    plain       a branch gives `variance` times what it is given, as He's initialization does with 1:
                (1 + variance)^N (Zhang et al., "Fixup initialization", 2019, section 2)
    """
    n, v = whole(0)("branches", branches), positive("variance", variance)
    choice(BRANCHES)("branch", branch)
    return float({"normalized": 1 + n * v, "scaled": 1 + v, "plain": (1 + v) ** n}[branch])


@closed_form
def fixup_power(layers: int) -> float:
    """The power of the number of branches that Fixup scales inner layers with: -1 / (2m - 2), for
    branches of m > 1 layers.
    """
    return float(-1 / (2 * whole(2)("layers", layers) - 2))
