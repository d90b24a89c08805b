"""Write `torch-attention.npz`: attention and encoder layers of torch 2.13.

Run it with a Python that has torch, e.g. `benchmarks/.venv/bin/python`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

UNITS, HEADS, STEPS, BATCH = 8, 2, 5, 3


def recorded() -> dict[str, torch.Tensor]:
    """Weights, inputs, outputs and gradients by name."""
    torch.manual_seed(0)
    x, memory = torch.randn(BATCH, STEPS, UNITS, requires_grad=True), torch.randn(BATCH, 4, UNITS)
    layer = torch.nn.MultiheadAttention(UNITS, HEADS, batch_first=True)
    torch.nn.init.normal_(layer.in_proj_bias)
    torch.nn.init.normal_(layer.out_proj.bias)
    lengths = torch.tensor([2, 5, 3])
    later = torch.triu(torch.full((STEPS, STEPS), float("-inf")), 1)
    beyond = torch.arange(STEPS)[None] >= lengths[:, None]
    found = {
        "x": x,
        "memory": memory,
        "valid_length": lengths,
        "qkv_weight": layer.in_proj_weight,
        "qkv_bias": layer.in_proj_bias,
        "projection_weight": layer.out_proj.weight,
        "projection_bias": layer.out_proj.bias,
        "plain": layer(x, x, x, need_weights=False)[0],
        "causal": layer(x, x, x, need_weights=False, attn_mask=later)[0],
        "cross": layer(x, memory, memory, need_weights=False)[0],
        "lengths": layer(x, x, x, need_weights=False, key_padding_mask=beyond)[0],
        "head": torch.randn(BATCH, STEPS, UNITS),
    }
    found["plain"].backward(found["head"])
    found |= {
        "dx": x.grad,
        "dqkv": layer.in_proj_weight.grad,
        "dprojection": layer.out_proj.weight.grad,
    }
    for norm in ("pre", "post"):
        block = torch.nn.TransformerEncoderLayer(
            UNITS,
            HEADS,
            dim_feedforward=12,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=norm == "pre",
        )
        for name, parameter in block.named_parameters():
            torch.nn.init.normal_(parameter, 0, 0.5)
            found[f"{norm} {name}"] = parameter
        found[f"{norm} out"] = block(x)
    return found


if __name__ == "__main__":
    arrays = {name: value.detach().numpy() for name, value in recorded().items()}
    np.savez_compressed(Path(__file__).with_name("torch-attention.npz"), **arrays)
