"""Record torch 2.13's own random numbers into torch-stream.json, as digests.

    python tests/vectors/record_torch_stream.py

It needs torch 2.13 for CPUs on a processor with AVX2. A row is [what is drawn, its arguments, the seed,
the SHA-256 of the values of all sizes, drawn one after the other].
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

SIZES = (1, 2, 15, 16, 17, 31, 1000, 70_000, 3, 0, 5)
DRAWS = (
    ("uniform", (0.0, 1.0)),
    ("uniform", (-0.3, 0.7)),
    ("uniform", (-1e-39, 2e-39)),
    ("normal", (0.0, 1.0)),
    ("normal", (0.5, 0.02)),
    ("truncated_normal", (0.0, 0.02, -2.0, 2.0)),
    ("integers", (-7, 1000)),
    ("integers", (0, 2**28)),
    ("integers", (-5, 2**40)),
)
SEEDS = (0, 1, 12345, 2**32 - 1)


def draw(kind: str, options: tuple[float, ...], size: int) -> torch.Tensor:
    """Return what torch draws."""
    if kind == "uniform":
        return torch.empty(size).uniform_(*options)
    if kind == "normal":
        return torch.empty(size).normal_(*options)
    if kind == "integers":
        return torch.randint(int(options[0]), int(options[1]), (size,))
    mean, std, low, high = options
    return torch.nn.init.trunc_normal_(
        torch.empty(size), mean, std, mean + low * std, mean + high * std
    )


def rows() -> list[list[object]]:
    """Return all rows."""
    found: list[list[object]] = []
    for kind, options in DRAWS:
        for seed in SEEDS:
            torch.manual_seed(seed)
            digest = hashlib.sha256()
            for size in SIZES:
                digest.update(draw(kind, options, size).numpy().tobytes())
            found.append([kind, options, seed, digest.hexdigest()])
    return found


if __name__ == "__main__":
    content = {"torch": torch.__version__, "sizes": SIZES, "rows": rows()}
    text = json.dumps(content, indent=1)
    Path(__file__).with_name("torch-stream.json").write_text(text + "\n", encoding="utf-8")
