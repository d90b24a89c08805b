"""Small models as people write them, clean: tests plant faults in them."""

from __future__ import annotations

import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.register_buffer("mask", torch.tril(torch.ones(8, 8)), persistent=False)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width)
        self.ln_2 = nn.LayerNorm(width)
        self.fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)


class GPT(nn.Module):
    """A small GPT with tied head, as nanoGPT initializes it."""

    block = Block

    def __init__(self, layers=3, width=32, vocabulary=64, std=0.02):
        super().__init__()
        self.layers, self.std = layers, std
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(8, width)
        self.h = nn.ModuleList(self.block(width) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.tie()
        self.initialize()

    def tie(self):
        self.wte.weight = self.head.weight

    def initialize(self):
        self.apply(self._init_weights)
        self.scale_residuals()

    def scale_residuals(self):
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, std=self.std / math.sqrt(2 * self.layers))

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, mean=0.0, std=self.std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=self.std)


GPT_SPEC = {
    "rules": [
        {"match": ".*(bias)", "init": "zeros"},
        {"match": ".*ln_.*weight", "init": "ones"},
        {"match": ".*c_proj.weight", "init": {"kind": "normal", "sigma": 0.02 / math.sqrt(6)}},
        {"match": ".*", "init": {"kind": "normal", "sigma": 0.02}},
    ],
    "facts": {"layers": 3, "std": 0.02},
    "tied": [["wte.weight", "head.weight"]],
}


class Bottleneck(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.bn2.weight)


class ResNet(nn.Module):
    """A residual network that torchvision's rules initialize, the last layer too."""

    def __init__(self, initialized=True):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 7, bias=False)
        self.blocks = nn.Sequential(Bottleneck(16), Bottleneck(16))
        self.fc = nn.Linear(16, 10)
        if initialized:
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            nn.init.normal_(self.fc.weight, 0, 0.01)
            nn.init.zeros_(self.fc.bias)


class Language(nn.Module):
    """A language model on an LSTM, with torch's own initialization."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 16, 2)
        self.out = nn.Linear(16, 20)
