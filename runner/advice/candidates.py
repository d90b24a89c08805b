"""The initializers that are tried for a network, as words, the most specific first."""

from __future__ import annotations

from initlab.runner.diagnosis.cure import TRANSFORMERS, activation_of, words_for
from initlab.runner.observation.passes import Observation
from initlab.runner.symptoms.depth import PlainDepth, longest_row

BRANCHES = (
    "init=fixup",
    "init=skipinit",
    "init=deepnorm",
    "init=t_fixup",
    "init=residual_scaled",
    "init=gpt2",
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
    "init=variance_scaling init.scale=0.3333 init.distribution=uniform",
    "init=uniform",
)
"""For any network. Frameworks' defaults are glorot_uniform (Keras), variance 1 / (3 fan_in), uniform
(PyTorch), and uniform (Gluon, and this config).
"""


def candidates_for(seen: Observation) -> list[str]:
    """Return the words of each initializer to try for a network, of which any initializer was observed.

    They are in the order in which theory prefers them:

    - transformers: branches that begin as zero or small (Zhang et al. 2019, arXiv:1901.09321);
    - rows of 24 blocks and more without a shortcut: orthogonal, which keeps all directions alike
      (Saxe et al. 2014, arXiv:1312.6120; Pennington et al. 2017, arXiv:1711.04735);
    - token numbers without attention: what suits the activation;
    - other networks: a variance of 1 in each layer (LSUV, Mishkin and Matas 2016, arXiv:1511.06422).
    """
    activation, factor = activation_of(seen)
    suited = words_for(activation, factor)
    normal, uniform, orthogonal = by_gain(factor)
    kinds = {stage.kind for stage in (*seen.trunk, *seen.leaves)}
    branched = any(stage.branch is not None for stage in seen.trunk)
    rest = [suited, normal, uniform, orthogonal, *GENERAL]
    if kinds & set(TRANSFORMERS):
        return unique(*BRANCHES, *rest)
    schemes = BRANCHES if branched else ()
    if longest_row(seen) >= PlainDepth.scale.odd:
        return unique(suited if "orthogonal" in suited else orthogonal, "init=lsuv", *rest)
    if seen.tokens:
        return unique(suited, *schemes, *rest)
    return unique("init=lsuv", orthogonal, "init=orthogonal", *schemes, *rest)


def unique(*words: str) -> list[str]:
    """Return the words without repetitions."""
    return list(dict.fromkeys(words))


def by_gain(factor: float) -> list[str]:
    """Return the words of the normal, the uniform and the orthogonal form of the initializer with a
    gain, like E[f(z)^2]^(-1/2) of an activation f.
    """
    scaled = f"init=variance_scaling init.scale={factor**2:.4g}"
    return [
        f"{scaled} init.distribution=normal",
        f"{scaled} init.distribution=uniform",
        f"init=orthogonal init.scale={factor:.4g}",
    ]
