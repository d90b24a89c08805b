"""Initializers of deep transformers without warm-up or with post-normalization.

Both scale down the weights of values, attention outputs and feed-forward layers, but not of queries
and keys: all weights of residual branches, and in a packed weight of queries, keys and values only
the last block.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.engine.init.base import register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import FanScaled
from initlab.engine.init.patterns import Patterns, check_fit, fits
from initlab.engine.init.site import Site
from initlab.engine.init.structural import (
    ADVISE,
    Structural,
    contradicted,
    is_weight,
    miscounted,
    site_of,
)
from initlab.engine.options import Count

PACKED = ("queries", "keys", "values")
TABLE = ("group", "out")
"""The axis roles of an embedding."""


@dataclass(eq=False, repr=False)
class _Scaled(Structural, FanScaled):
    """Base of both."""

    def finds(self, parameters: Sequence[Description]) -> str:
        """Ask for attention in a residual branch, and for weights of branches."""
        weights = [one for one in parameters if is_weight(one)]
        if not site_of(parameters[0]).layout.attention:
            return f"the network has no residual branch with attention - {ADVISE}"
        if not any(site_of(one).branch is not None for one in weights):
            return f"none of the weights that it fills is in a residual branch - {ADVISE}"
        return ""

    def _packed(self, description: Description) -> bool:
        """Return whether the weight packs queries, keys and values."""
        site = description.site
        if site is None or site.layout.unknown:
            return description.roles is not None and description.roles[0] == "out*3"
        return site.packs == PACKED

    def _alone(self, description: Description) -> bool:
        """Return whether the weight is of queries or keys alone, and so never scaled."""
        site = description.site
        return site is not None and bool(site.packs) and "values" not in site.packs


def _in_branch(description: Description) -> bool:
    return site_of(description).branch is not None


@register
@dataclass(eq=False, repr=False)
class TFixup(_Scaled):
    """Glorot's uniform law (`xavier_uniform_`), smaller in residual branches, for transformers
    without normalization and without a warm-up of the learning rate.

    N is the number of layers of the encoder or decoder: half the number of residual branches. Every
    block with self-attention and a feed-forward network alone is an encoder's, causal or not: a
    decoder's layer of the paper has a third branch, which attends to the encoder. Embeddings of d
    numbers have a normal law of std d^(-1/2), those of words times (9N)^(-1/4). Queries and keys
    have gain 1 as in the paper; in the authors' code they keep fairseq's gain 2^(-1/2).

    Formula: gain 0.67 N^(-1/4) in an encoder's branches, (9N)^(-1/4) in a decoder's

    Source: Huang, Perez, Ba and Volkovs, "Improving transformer optimization through better
    initialization", 2020, section 3.3; layer6ai-labs/T-Fixup, fairseq/modules/transformer_layer.py
    and, for embeddings, fairseq/models/transformer.py.

    Example:
        input: [12]
        layers:
          - {kind: embedding, name: words, input_dim: 256, output_dim: 16}
          - {kind: transformer_block, name: block, units: 16, heads: 4}
    """

    layers: Optional[Count] = None
    """N; null: what follows from the network."""
    encoder: Optional[Patterns] = None
    """Regular expressions for the whole paths of an encoder's branches; null: what follows from the
    network.
    """
    decoder: Optional[Patterns] = None
    """Regular expressions for the whole paths of a decoder's branches; null: what follows from the
    network.
    """
    embedding: Optional[Patterns] = None
    """Regular expressions for the whole paths of embeddings; those that encoder or decoder fits are
    scaled like it. Null: what follows from the network.
    """

    def needed(self) -> tuple[str, ...]:
        """Return all; either `encoder` or `decoder` is enough."""
        given = self.encoder is not None or self.decoder is not None
        return ("layers", "embedding") if given else ("layers", "encoder", "embedding")

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        given = {"encoder": self.encoder, "decoder": self.decoder, "embedding": self.embedding}
        check_fit({option: chosen or [] for option, chosen in given.items()}, paths)

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Compare what is given with the network."""
        layout = site_of(parameters[0]).layout
        yield from miscounted("layers", self.layers, layout.branches / 2, "layers of two branches")
        tables = [one for one in parameters if one.roles == TABLE]
        others = [one for one in parameters if one.roles != TABLE]
        if self.encoder is not None or self.decoder is not None:
            chosen = [*(self.encoder or []), *(self.decoder or [])]
            option = "encoder" if self.encoder else "decoder"
            what = "is a weight of a residual branch"
            yield from contradicted(option, chosen, others, _in_branch, what)
        yield from contradicted("embedding", self.embedding, tables, lambda one: True, "is a table")

    def law(self, description: Description) -> laws.Law:
        """Return Normal for embeddings, Blocks for packed weights, else Uniform."""
        site = self.site(description, *self.needed())
        gain = self._gain(description, site)
        table = (
            description.roles == TABLE
            if self.embedding is None
            else fits(self.embedding, description.path)
        )
        if table:
            return laws.Normal(0.0, gain * description.shape[-1] ** -0.5)
        bound = math.sqrt(3 / self.fan(description, "avg"))
        if gain != 1 and self._packed(description):
            return laws.Blocks((bound, bound, gain * bound))
        return laws.Uniform(-gain * bound, gain * bound)

    def _gain(self, description: Description, site: Site | None) -> float:
        layers = self.layers or (max(1, site.layout.branches) / 2 if site else 1)
        if self.encoder is None and self.decoder is None and site is not None:
            if description.roles == TABLE and not site.offset:
                return float((9 * layers) ** -0.25)
            scaled = site.branch is not None and not self._alone(description)
            return 0.67 * float(layers**-0.25) if scaled else 1.0
        if fits(self.encoder or [], description.path):
            return 0.67 * float(layers**-0.25)
        return float((9 * layers) ** -0.25) if fits(self.decoder or [], description.path) else 1.0


@register
@dataclass(eq=False, repr=False)
class Deepnorm(_Scaled):
    """Glorot's normal law (`xavier_normal_`), smaller for the weights of residual branches, for
    transformers of up to a thousand layers.

    N is the number of layers of an encoder or decoder alone, half the number of its residual
    branches. The architecture must also multiply residual streams by (2N)^(1/4): a `residual` with
    the shortcut [{kind: scale, factor: …}], then `layer_norm`.

    Formula: gain (8N)^(-1/4) in values, attention outputs and feed-forward weights, 1 elsewhere

    Source: Wang et al., "DeepNet: scaling transformers to 1,000 layers", 2022 (arXiv:2203.00555),
    figure 2: its code for the distribution and for what is scaled, its table for the gain.

    Example: initlab init=deepnorm model=gpt2 task=plan data=tokens data.vocabulary=50257
    """

    layers: Optional[Count] = None
    """N; null: what follows from the network."""
    scaled: Optional[Patterns] = None
    """Regular expressions for the whole paths of scaled weights; null: what follows from the
    network.
    """

    def needed(self) -> tuple[str, ...]:
        """Return both."""
        return ("layers", "scaled")

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the patterns that fit no path."""
        check_fit({"scaled": self.scaled or []}, paths)

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Compare what is given with the network."""
        layout = site_of(parameters[0]).layout
        yield from miscounted("layers", self.layers, layout.branches / 2, "layers of two branches")
        what = "is a weight of a residual branch"
        yield from contradicted("scaled", self.scaled, parameters, _in_branch, what)

    def remarks(self, parameters: Sequence[Description]) -> list[str]:
        """Say if streams are not multiplied as the scheme needs it."""
        layout = site_of(parameters[0]).layout
        wanted = layout.branches**0.25
        if all(math.isclose(skip, wanted, rel_tol=0.01) for skip in layout.skips):
            return []
        found = ", ".join(f"{skip:g}" for skip in layout.skips)
        shortcut = f"shortcut: [{{kind: scale, factor: {wanted:.4g}}}]"
        return [
            f"deepnorm needs residual streams times (2N)^(1/4) = {wanted:.4g}; this network multiplies "
            f"them by {found}: give each residual the {shortcut}"
        ]

    def law(self, description: Description) -> laws.Law:
        """Return Stacked for packed weights, else Normal."""
        site = self.site(description, *self.needed())
        std = math.sqrt(1 / self.fan(description, "avg"))
        plain = laws.Normal(0.0, std)
        chosen = (
            site is not None and site.branch is not None
            if self.scaled is None
            else fits(self.scaled, description.path)
        )
        if not chosen or self._alone(description):
            return plain
        eight = 8 * self.layers if self.layers else 4 * max(1, site.layout.branches if site else 1)
        scaled = laws.Normal(0.0, eight**-0.25 * std)
        return laws.Stacked((plain, plain, scaled)) if self._packed(description) else scaled
