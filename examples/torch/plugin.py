"""The GPT of this folder as a model of configs:

initlab --plugin examples/torch/plugin.py model=small_gpt init=gpt2 data=tokens data.vocabulary=256
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import nn

import initlab.torch

sys.path.insert(0, str(Path(__file__).parent))
from gpt import GPT, Config  # noqa: E402


@initlab.torch.model(input=(32,), tokens=True)
def small_gpt(layers: int = 4, width: int = 64, faulty: bool = False) -> nn.Module:
    """A small GPT."""
    return GPT(Config(layers=layers, width=width, faulty=faulty))
