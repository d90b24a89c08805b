"""Fresh models of transformers and timm, made from small configs: what the watch finds, how many tensors the
audit cannot name, and what the diagnosis says. Prints the table of docs/torch.md.

    pip install 'initlab[torch]' transformers timm
    python docs/torch_models.py
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import timm
import torch
import transformers as tf
from torch import nn

import initlab.torch
from initlab.runner.audit.infer import infer
from initlab.runner.errors import ConfigError

SIZES = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
}
WORDS = {**SIZES, "vocab_size": 200}
IMAGES = {**SIZES, "image_size": 32, "patch_size": 8}
SPEECH = {
    "d_model": 64,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "decoder_ffn_dim": 128,
    "vocab_size": 200,
    "max_source_positions": 32,
    "max_target_positions": 32,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
TRANSFORMERS = {
    "gpt2": (
        tf.GPT2LMHeadModel,
        tf.GPT2Config,
        {"n_layer": 2, "n_embd": 64, "n_head": 4, "vocab_size": 200},
    ),
    "llama": (tf.LlamaForCausalLM, tf.LlamaConfig, {**WORDS, "num_key_value_heads": 2}),
    "qwen3": (
        tf.Qwen3ForCausalLM,
        tf.Qwen3Config,
        {**WORDS, "num_key_value_heads": 2, "head_dim": 16},
    ),
    "gemma": (
        tf.GemmaForCausalLM,
        tf.GemmaConfig,
        {**WORDS, "num_key_value_heads": 2, "head_dim": 16},
    ),
    "bert": (tf.BertForMaskedLM, tf.BertConfig, WORDS),
    "roberta": (tf.RobertaForMaskedLM, tf.RobertaConfig, WORDS),
    "t5": (
        tf.T5ForConditionalGeneration,
        tf.T5Config,
        {
            "num_layers": 2,
            "d_model": 64,
            "d_ff": 128,
            "num_heads": 4,
            "d_kv": 16,
            "vocab_size": 200,
        },
    ),
    "opt": (
        tf.OPTForCausalLM,
        tf.OPTConfig,
        {
            "num_hidden_layers": 2,
            "hidden_size": 64,
            "ffn_dim": 128,
            "num_attention_heads": 4,
            "vocab_size": 200,
            "word_embed_proj_dim": 64,
        },
    ),
    "bloom": (
        tf.BloomForCausalLM,
        tf.BloomConfig,
        {"n_layer": 2, "hidden_size": 64, "n_head": 4, "vocab_size": 200},
    ),
    "gpt_neox": (tf.GPTNeoXForCausalLM, tf.GPTNeoXConfig, WORDS),
    "mamba": (
        tf.MambaForCausalLM,
        tf.MambaConfig,
        {"num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 200},
    ),
    "vit": (tf.ViTForImageClassification, tf.ViTConfig, IMAGES),
    "clip": (
        tf.CLIPModel,
        tf.CLIPConfig,
        {"text_config": WORDS, "vision_config": IMAGES, "projection_dim": 32},
    ),
    "whisper": (tf.WhisperForConditionalGeneration, tf.WhisperConfig, SPEECH),
    "distilbert": (
        tf.DistilBertForMaskedLM,
        tf.DistilBertConfig,
        {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128, "vocab_size": 200},
    ),
}
TIMM = (
    "resnet18",
    "vit_tiny_patch16_224",
    "convnext_atto",
    "efficientnet_b0",
    "mixer_s32_224",
    "regnety_002",
    "swin_tiny_patch4_window7_224",
)
UNTRIED = ("t5", "clip", "whisper")
"""Models that take several inputs."""


def builders() -> dict[str, Callable[[], nn.Module]]:
    """Return {name: what builds the model}."""
    found: dict[str, Callable[[], nn.Module]] = {
        f"transformers {name}": lambda cls=cls, config=config, options=options: cls(
            config(**options)
        )
        for name, (cls, config, options) in TRANSFORMERS.items()
    }
    return found | {
        f"timm {name}": lambda name=name: timm.create_model(name, num_classes=10) for name in TIMM
    }


def row(name: str, build: Callable[[], nn.Module]) -> str:
    """Return the line of the table for one model."""
    torch.manual_seed(0)
    with initlab.torch.watch() as w:
        model = build()
    findings = w.report(model=model).findings
    found = "; ".join(f"{one.id}: {', '.join(one.names[:2])}" for one in findings) or "-"
    tensors = {key: value for key, value in model.state_dict().items() if value.is_floating_point()}
    unknown = [key for key, value in tensors.items() if infer(value.numpy()).kind == "unknown"]
    return f"| {name} | {len(tensors)} | {found} | {len(unknown)} | {diagnosed(name, model)} |"


def diagnosed(name: str, model: nn.Module) -> str:
    """Return what the diagnosis says of a model."""
    library, _, kind = name.partition(" ")
    if kind in UNTRIED:
        return "several inputs"
    words = library == "transformers" and kind != "vit"
    size = 32 if kind == "vit" else 224
    inputs = torch.randint(3, 200, (4, 12)) if words else torch.randn(2, 3, size, size)
    try:
        found = initlab.torch.diagnose(model, inputs).findings
    except ConfigError as error:
        return f"{len(error.problems)} unknown roles"
    return ", ".join(f"{one.severity}: {one.id}" for one in found) or "nothing found"


def main(names: list[str]) -> None:
    """Print the table, for the named models or all."""
    warnings.filterwarnings("ignore")
    tf.logging.set_verbosity_error()
    print(f"torch {torch.__version__}, transformers {tf.__version__}, timm {timm.__version__}\n")
    print(
        "| model | tensors | the watch finds | law unknown | the diagnosis |\n| --- | --- | --- | --- | --- |"
    )
    for name, build in builders().items():
        if not names or name in names:
            print(row(name, build), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
