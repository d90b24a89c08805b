"""The initializers that are tried for a network, as words, the most specific first."""

from __future__ import annotations

from initlab.runner.diagnosis.cure import TRANSFORMERS, activation_of, words_for
from initlab.runner.observation.passes import Observation
from initlab.runner.theory.meanfield import gain

BRANCHES = (
    "init=fixup",
    "init=skipinit",
    "init=residual_scaled",
    "init=gpt2",
    "init=deepnorm",
    "init=t_fixup",
)
"""For residual networks and transformers: each refuses a network that it is not made for."""
GENERAL = (
    "init=he",
    "init=he_uniform",
    "init=glorot_normal",
    "init=glorot_uniform",
    "init=lecun",
    "init=orthogonal",
    "init=lsuv",
    "init=uniform",
)
"""For any network; the last one is the default of the config and of Gluon."""


def candidates_for(seen: Observation) -> list[str]:
    """Return the words of each initializer to try for a network, of which any initializer was observed."""
    activation = activation_of(seen)
    kinds = {stage.kind for stage in (*seen.trunk, *seen.leaves)}
    branched = any(stage.branch is not None for stage in seen.trunk)
    schemes = BRANCHES if branched or kinds & set(TRANSFORMERS) else ()
    found = [*schemes, words_for(activation), *by_gain(activation), *GENERAL]
    return list(dict.fromkeys(found))


def by_gain(activation: str | None) -> list[str]:
    """Return the words of the normal, the uniform and the orthogonal form of the initializer with the
    gain E[f(z)^2]^(-1/2) of an activation; None is the identity, whose gain is 1.
    """
    factor = 1.0 if activation is None else gain(activation)
    scaled = f"init=variance_scaling init.scale={factor**2:.4g}"
    return [
        f"{scaled} init.distribution=normal",
        f"{scaled} init.distribution=uniform",
        f"init=orthogonal init.scale={factor:.4g}",
    ]
