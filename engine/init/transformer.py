"""Initializers of deep transformers without warm-up or with post-normalization.

Both scale down the weights of values, attention outputs and feed-forward layers, but not of queries
and keys. In a packed weight of queries, keys and values (role `out*3`) only the last block is
scaled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from initlab.engine import laws
from initlab.engine.init.base import register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled
from initlab.engine.init.patterns import Patterns, check_fit, fits
from initlab.engine.options import Count


@dataclass(eq=False, repr=False)
class _Scaled(FanScaled):
    def _packed(self, description: Description) -> bool:
        """Return whether the weight packs queries, keys and values."""
        return description.roles is not None and description.roles[0] == "out*3"


@register
@dataclass(eq=False, repr=False)
class TFixup(_Scaled):
    """Glorot's uniform law (`xavier_uniform_`, gain 1), and a normal law of std d^(-1/2) for
    embeddings of d numbers, as `Embedding` of the authors' code has it (layer6ai-labs/T-Fixup,
    fairseq/models/transformer.py). Weights that `encoder` fits are multiplied by 0.67 N^(-1/4),
    those that `decoder` fits by (9N)^(-1/4) (fairseq/modules/transformer_layer.py).

    N is the number of `layers` of the encoder and of the decoder. Embeddings that `encoder` or
    `decoder` fits are scaled too. Patterns are regular expressions for whole paths of values,
    attention outputs and feed-forward weights. Huang, Perez, Ba and Volkovs, "Improving transformer
    optimization through better initialization", 2020, section 3.3. Queries and keys have gain 1 as in
    the paper; in the authors' code they keep fairseq's gain 2^(-1/2).
    """

    layers: Count = 1
    encoder: Patterns = field(default_factory=list)
    decoder: Patterns = field(default_factory=list)
    embedding: Patterns = field(default_factory=list)

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        check_fit(
            {"encoder": self.encoder, "decoder": self.decoder, "embedding": self.embedding}, paths
        )

    def law(self, description: Description) -> laws.Law:
        """Return Normal for embeddings, Blocks for packed weights, else Uniform."""
        gain = 1.0
        if fits(self.encoder, description.path):
            gain = 0.67 * self.layers**-0.25
        elif fits(self.decoder, description.path):
            gain = (9 * self.layers) ** -0.25
        if fits(self.embedding, description.path):
            return laws.Normal(0.0, gain * description.shape[-1] ** -0.5)
        bound = math.sqrt(3 / self.fan(description, "avg"))
        if gain != 1 and self._packed(description):
            return laws.Blocks((bound, bound, gain * bound))
        return laws.Uniform(-gain * bound, gain * bound)


@register
@dataclass(eq=False, repr=False)
class Deepnorm(_Scaled):
    """Glorot's normal law (`xavier_normal_`) with gain 1, and with gain (8N)^(-1/4) for the weights
    that `scaled` fits. N is the number of `layers` of an encoder or decoder alone.

    Patterns are regular expressions for whole paths of values, attention outputs and feed-forward
    weights. The architecture must also multiply residual streams by (2N)^(1/4) (a layer `scale`).
    Wang et al., "DeepNet: scaling transformers to 1,000 layers", 2022 (arXiv:2203.00555), figure 2:
    its code for the distribution and for what is scaled, its table for the gain.
    """

    layers: Count = 1
    scaled: Patterns = field(default_factory=list)

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        check_fit({"scaled": self.scaled}, paths)

    def law(self, description: Description) -> laws.Law:
        """Return Stacked for packed weights, else Normal."""
        std = math.sqrt(1 / self.fan(description, "avg"))
        scaled = laws.Normal(0.0, (8 * self.layers) ** -0.25 * std)
        if not fits(self.scaled, description.path):
            return laws.Normal(0.0, std)
        if self._packed(description):
            return laws.Stacked((laws.Normal(0.0, std), laws.Normal(0.0, std), scaled))
        return scaled
