"""Record the values that torch 2.13's constructors give into torch-layers.json, as digests.

    PYTHONPATH=tests python tests/vectors/record_torch_layers.py

It needs torch 2.13 for CPUs on a processor with AVX2. The networks are those of tests/torch_nets.py; a
digest is the first 16 hex digits of the SHA-256 of a tensor's bytes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch_nets import NETS, SEED, built


def digests(name: str) -> dict[str, str]:
    """Return {our path: digest} of a network."""
    return {
        path: hashlib.sha256(tensor.detach().numpy().tobytes()).hexdigest()[:16]
        for path, tensor in built(name, torch).items()
    }


if __name__ == "__main__":
    content = {"torch": torch.__version__, "seed": SEED, "nets": {n: digests(n) for n in NETS}}
    text = json.dumps(content, indent=1)
    Path(__file__).with_name("torch-layers.json").write_text(text + "\n", encoding="utf-8")
