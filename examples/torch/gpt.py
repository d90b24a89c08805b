"""A small GPT as people write it. `faulty` leaves out the scaling of the residual branches' last layers,
as many ports of GPT-2 have done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass
class Config:
    """The sizes of a GPT. `initializer_range` is the standard deviation of its weights."""

    vocabulary: int = 256
    context: int = 32
    width: int = 64
    heads: int = 4
    layers: int = 4
    initializer_range: float = 0.02
    faulty: bool = False


class Attention(nn.Module):
    """Causal self-attention with packed queries, keys and values."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.proj = nn.Linear(config.width, config.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x is (batch, length, width)."""
        batch, length, width = x.shape
        parts = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    """Attention and a feed-forward network, each added to the stream."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width)
        self.attention = Attention(config)
        self.norm2 = nn.LayerNorm(config.width)
        self.expand = nn.Linear(config.width, 4 * config.width)
        self.act = nn.GELU()
        self.contract = nn.Linear(4 * config.width, config.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x is (batch, length, width)."""
        x = x + self.attention(self.norm1(x))
        return x + self.contract(self.act(self.expand(self.norm2(x))))


class GPT(nn.Module):
    """A decoder with learned positions, and a head that is tied to the table of words."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.head.weight = self.words.weight
        self.apply(self._initialize)
        if not config.faulty:
            std = config.initializer_range / math.sqrt(2 * config.layers)
            for block in self.blocks:
                nn.init.normal_(block.attention.proj.weight, std=std)
                nn.init.normal_(block.contract.weight, std=std)

    def _initialize(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return scores (batch, length, vocabulary) for tokens (batch, length)."""
        x = self.words(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))
