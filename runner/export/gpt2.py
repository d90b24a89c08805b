"""A declared GPT-2 as transformers' GPT2LMHeadModel: its config, and its tensors by their names.

    ours                             theirs
    embedding                        transformer.wte.weight
    position_embedding               transformer.wpe.weight
    transformer_block, one or more   transformer.h.N: ln_1, attn.c_attn, attn.c_proj, ln_2, mlp.c_fc,
                                     mlp.c_proj
    layer_norm                       transformer.ln_f
    dense                            lm_head.weight, left out if tied to the embedding

Its Conv1D keeps weights as (in, out). Source: transformers 5.24, models/gpt2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from initlab.runner.errors import ConfigError
from initlab.runner.export.declared import Declared, Source
from initlab.runner.export.tensors import Tensor, filled, same, swapped
from initlab.runner.json_values import JSON
from initlab.runner.layers import Layer
from initlab.runner.layers.attention import PositionEmbedding, TransformerBlock
from initlab.runner.layers.basic import Dense, Dropout
from initlab.runner.layers.containers import Repeat, Sequential
from initlab.runner.layers.embedding import Embedding
from initlab.runner.layers.normalization import LayerNorm

L = TypeVar("L", bound=Layer)
EPSILON = 1e-5
"""Of the norms of our blocks, which have no such option."""
END_OF_TEXT = 50256
ACTIVATIONS = {
    "gelu_tanh": "gelu_new",
    "gelu": "gelu",
    "relu": "relu",
    "silu": "silu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
}
"""Our name -> that of transformers."""
NORMS = {"norm1": "ln_1", "norm2": "ln_2"}
PRODUCTS = {
    "attention.qkv_": "attn.c_attn.",
    "attention.projection_": "attn.c_proj.",
    "expand.": "mlp.c_fc.",
    "contract.": "mlp.c_proj.",
}
OTHERWISE = "GPT-2 is embedding, position_embedding, transformer_block …, layer_norm, dense - give --as torch"


def gpt2(source: Source) -> tuple[list[Tensor], dict[str, JSON]]:
    """Return the tensors and the config of the run as GPT2LMHeadModel.

    Raises ConfigError, at the first layer that GPT2LMHeadModel does not have.
    """
    for spec in source.containers.values():
        if not isinstance(spec.layer, (Sequential, Repeat)):
            raise _other(spec.place, f"transformers' GPT-2 has no {spec.layer.kind}")
    parts = _Parts(source)
    tokens, table = parts.take(Embedding)
    places, positions = parts.take(PositionEmbedding)
    dropped = parts.take(Dropout)[1].rate if parts.follows(Dropout) else 0.0
    blocks = [parts.take(TransformerBlock)]
    while parts.follows(TransformerBlock):
        blocks.append(parts.take(TransformerBlock))
    norm, last = parts.take(LayerNorm)
    head, scores = parts.take(Dense)
    parts.end()
    for given, _ in blocks:
        _check_block(given, blocks[0])
    _check_ends(norm, last, head, scores)
    if table.padding_idx is not None:
        raise _option(tokens, "padding_idx", "must be null in transformers' GPT-2")
    tied = _check_ties(source, tokens, head)
    config = _config(table, positions, blocks[0][1], len(blocks), dropped, tied)
    config["dtype"] = tokens.values["weight"].dtype.name
    tensors = [
        same("transformer.wte.weight", tokens.values["weight"]),
        same("transformer.wpe.weight", places.values["weight"]),
        *(one for number, (block, _) in enumerate(blocks) for one in _block(number, block)),
        same("transformer.ln_f.weight", norm.values["gamma"]),
        same("transformer.ln_f.bias", norm.values["beta"]),
    ]
    if not tied:
        tensors.append(same("lm_head.weight", head.values["weight"]))
    return tensors, config


class _Parts:
    """The layers of a run, taken one after the other."""

    def __init__(self, source: Source) -> None:
        self._left = list(source.layers)

    def follows(self, kind: type[Layer]) -> bool:
        """Return whether the next layer is of this kind."""
        return bool(self._left) and type(self._left[0].layer) is kind

    def take(self, kind: type[L]) -> tuple[Declared, L]:
        """Return the next layer. Raises ConfigError if it is of another kind."""
        if not self.follows(kind):
            if not self._left:
                raise _other("model.layers", f"ends where transformers' GPT-2 has {kind.kind}")
            found = self._left[0]
            said = f"transformers' GPT-2 has {kind.kind} here, got {found.layer.kind}"
            raise _other(found.place, said)
        taken = self._left.pop(0)
        assert isinstance(taken.layer, kind)
        return taken, taken.layer

    def end(self) -> None:
        """Raise ConfigError if there is another layer."""
        if self._left:
            found = self._left[0]
            said = f"transformers' GPT-2 ends before this {found.layer.kind}"
            raise _other(found.place, said)


def _other(place: str, said: str) -> ConfigError:
    return ConfigError.of(place, f"{said}. {OTHERWISE}")


def _check_block(given: Declared, first: tuple[Declared, TransformerBlock]) -> None:
    """Raise ConfigError unless the block is one of GPT-2's, and like the first."""
    layer, model = given.layer, first[1]
    assert isinstance(layer, TransformerBlock)
    for option, wanted in (("causal", True), ("norm", "pre")):
        if getattr(layer, option) != wanted:
            raise _option(given, option, f"must be {wanted} in transformers' GPT-2")
    if layer.activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        said = f"must be one of {known} for transformers"
        raise _option(given, "activation", said)
    for option in ("units", "heads", "hidden", "activation", "dropout"):
        if getattr(layer, option) != getattr(model, option):
            raise _option(given, option, f"must be that of {first[0].path} in transformers' GPT-2")


def _check_ends(norm: Declared, last: LayerNorm, head: Declared, scores: Dense) -> None:
    """Raise ConfigError unless the last layers are those of GPT-2."""
    whole = 3 if norm.shape is None else len(norm.shape)
    if last.axis not in (-1, whole - 1):
        raise _option(norm, "axis", "must be -1 in transformers' GPT-2")
    if last.epsilon != EPSILON:
        raise _option(norm, "epsilon", f"must be {EPSILON}, as in the blocks")
    for option, wanted in (("use_bias", False), ("flatten", False), ("activation", None)):
        if getattr(scores, option) != wanted:
            raise _option(head, option, f"must be {wanted} in transformers' GPT-2")


def _option(given: Declared, option: str, said: str) -> ConfigError:
    got = getattr(given.layer, option)
    return ConfigError.of(f"{given.place}.{option}", f"{said}, got {got!r} - give --as torch")


def _check_ties(source: Source, tokens: Declared, head: Declared) -> bool:
    """Return whether the head is tied to the table of tokens. Raises ConfigError for another tie."""
    ours = {f"{head.path}.weight": f"{tokens.path}.weight"}
    other = next((item for item in source.aliases.items() if item not in ours.items()), None)
    if other is not None:
        said = f"'{other[0]}' is tied to '{other[1]}', transformers' GPT-2 ties only the head"
        raise ConfigError.of("model.share", f"{said} - give --as torch")
    return bool(source.aliases)


def _config(
    table: Embedding,
    positions: PositionEmbedding,
    block: TransformerBlock,
    count: int,
    dropped: float,
    tied: bool,
) -> dict[str, JSON]:
    """Return the content of config.json."""
    end = END_OF_TEXT if table.input_dim > END_OF_TEXT else None
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": table.input_dim,
        "n_positions": positions.length,
        "n_embd": block.units,
        "n_layer": count,
        "n_head": block.heads,
        "n_inner": block.hidden,
        "activation_function": ACTIVATIONS[block.activation],
        "layer_norm_epsilon": EPSILON,
        "embd_pdrop": dropped,
        "attn_pdrop": block.dropout,
        "resid_pdrop": block.dropout,
        "tie_word_embeddings": tied,
        "bos_token_id": end,
        "eos_token_id": end,
    }


def _block(number: int, block: Declared) -> Iterator[Tensor]:
    """Yield the tensors of a block; biases that ours lacks are zero."""
    start, values = f"transformer.h.{number}.", block.values
    for ours, theirs in NORMS.items():
        yield same(f"{start}{theirs}.weight", values[f"{ours}.gamma"])
        yield same(f"{start}{theirs}.bias", values[f"{ours}.beta"])
    for ours, theirs in PRODUCTS.items():
        weight = values[f"{ours}weight"]
        yield swapped(f"{start}{theirs}weight", weight)
        if f"{ours}bias" in values:
            yield same(f"{start}{theirs}bias", values[f"{ours}bias"])
        else:
            yield filled(f"{start}{theirs}bias", weight.shape[:1], weight.dtype.name, 0)
