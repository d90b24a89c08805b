"""Shards, `shard: i/n`: parts of a run, and their files in Hugging Face's sharded layout.

model-00002-of-00004.safetensors    the second of four parts, each a safetensors file
model.safetensors.index.json        which tensor is in which file; the same in every part's folder
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class Shard:
    """Part `index` (from 1) of `count`."""

    index: int
    count: int

    @property
    def file_name(self) -> str:
        """The name of the part's file: `model-00002-of-00004.safetensors`."""
        return f"model-{self.index:05}-of-{self.count:05}.safetensors"

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse(text: object) -> Shard:
    """Return the shard that `i/n` names. Raises ValueError that says what is wrong."""
    found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"must be i/n, part i of n like 1/4, got {text!r}")
    shard = Shard(int(found[1]), int(found[2]))
    if shard.count < 1:
        raise ValueError(f"must be of at least 1 part, got {text!r}")
    if not 1 <= shard.index <= shard.count:
        raise ValueError(f"must be a part from 1 to {shard.count}, got {text!r}")
    return shard


def index_text(parts: Sequence[Sequence[str]], totals: Mapping[str, int]) -> str:
    """Return the index of a snapshot whose parts hold these paths.

    `huggingface_hub` and `transformers` can read it. `totals` counts the `elements` and `bytes` of
    the whole.
    """
    files = {
        path: Shard(number, len(parts)).file_name
        for number, paths in enumerate(parts, 1)
        for path in paths
    }
    metadata = {"total_parameters": totals["elements"], "total_size": totals["bytes"]}
    content = {"metadata": metadata, "weight_map": files}
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
