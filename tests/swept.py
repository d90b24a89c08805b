"""The tables that sweeps write."""

from __future__ import annotations

import csv
from pathlib import Path


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "outputs" / "runs" / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


RAISES = """
import sys
from initlab.engine import init, nd, streams

@init.register
class Moody(init.Initializer):
    def _init_weight(self, name, data):
        if streams.current_seed() == 1:
            raise RuntimeError("not today")
        if streams.current_seed() == 2:
            sys.exit(7)
        data[:] = nd.random.uniform(shape=data.shape)
"""
