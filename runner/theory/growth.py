"""Growth of the second moment of a residual stream x <- x + f(x), relative to its start.

The weights of a branch are independent of the stream and have mean 0, so second moments add and
cross terms vanish.
"""

from __future__ import annotations

from initlab.engine.options import choice, positive, whole
from initlab.runner.theory.forms import closed_form

BRANCHES = ("normalized", "scaled", "plain")


@closed_form
def residual_growth(branch: str, branches: int, variance: float = 1.0) -> float:
    """Return the second moment of a residual stream after so many branches, starting from 1.

        normalized  a branch starts with a layer norm and adds `variance`
        scaled      the same, with output weights divided by sqrt(N)
        plain       a branch adds `variance` times its input's second moment, 1 for He's initialization

    Formula: 1 + N variance (normalized), 1 + variance (scaled), (1 + variance)^N (plain)

    Source: Radford et al. (GPT-2), 2019, for scaled; Zhang, Dauphin and Ma, "Fixup initialization",
    2019, section 2, for plain.

    Example: {form: residual_growth, branch: plain, branches: 10}
    """
    n, v = whole(0)("branches", branches), positive("variance", variance)
    choice(BRANCHES)("branch", branch)
    return float({"normalized": 1 + n * v, "scaled": 1 + v, "plain": (1 + v) ** n}[branch])


@closed_form
def fixup_power(layers: int) -> float:
    """Return the power of the number of branches by which Fixup scales inner layers, for branches
    of m > 1 layers.

    Formula: -1 / (2m - 2)

    Source: Zhang, Dauphin and Ma, "Fixup initialization", 2019, section 3.

    Example: {form: fixup_power, layers: 2}
    """
    return float(-1 / (2 * whole(2)("layers", layers) - 2))
