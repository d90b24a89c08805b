"""What is no GPT-2 of transformers; tests/runner/torch/test_export.py loads what is one."""

from __future__ import annotations

import pytest

from initlab.runner.errors import ConfigError
from initlab.runner.export.export import export

QUIET = ["probe=none", "diagnose=false"]
GPT2 = ["model=gpt2", "data=tokens", "data.vocabulary=61", "model.layers.0.input_dim=61"]
GPT2 += ["model.layers.0.output_dim=24", "model.layers.2.times=2", "model.input=[16]"]
GPT2 += ["model.layers.2.layers.0.heads=3", "model.layers.1.length=16", *QUIET]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["model=mlp", *QUIET],
            "model.layers.0: transformers' GPT-2 has embedding here, got dense. GPT-2 is embedding, "
            "position_embedding, transformer_block …, layer_norm, dense - give --as torch",
        ),
        (
            ["model=residual_mlp", *QUIET],
            "model.layers.1.layers.0: transformers' GPT-2 has no residual. GPT-2 is",
        ),
        (
            [*GPT2, "model.layers.2.layers.0.causal=false"],
            "model.layers.2.layers.0.causal: must be True in transformers' GPT-2, got False - give --as torch",
        ),
        (
            [*GPT2, "model.layers.2.layers.0.activation=softsign"],
            "model.layers.2.layers.0.activation: must be one of gelu_tanh, gelu, relu, silu, tanh, sigmoid "
            "for transformers, got 'softsign' - give --as torch",
        ),
        (
            [*GPT2, "+model.layers.3.epsilon=1e-6"],
            "model.layers.3.epsilon: must be 1e-05, as in the blocks, got 1e-06 - give --as torch",
        ),
        (
            [*GPT2, "model.layers.4.use_bias=true"],
            "model.layers.4.use_bias: must be False in transformers' GPT-2, got True - give --as torch",
        ),
        (
            [*GPT2, "model.share.table=[blocks.0.block,blocks.1.block]"],
            "model.share: 'blocks.1.block.norm1.gamma' is tied to 'blocks.0.block.norm1.gamma', "
            "transformers' GPT-2 ties only the head - give --as torch",
        ),
    ],
)
def test_what_is_no_gpt2_is_said_at_its_place(only_run, words, said):
    folder = only_run("init=normal", *words)
    with pytest.raises(ConfigError) as error:
        export(folder, "transformers")
    assert str(error.value).startswith(said)
    assert [one for one in folder.parent.iterdir() if one != folder] == []
