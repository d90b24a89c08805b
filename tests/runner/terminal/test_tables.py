"""Tables that a person reads on a screen."""

from __future__ import annotations

import tracemalloc
from pathlib import Path


def test_the_plan_is_printed_and_nothing_is_written_or_allocated(command):
    tracemalloc.start()
    done = command(
        "task=plan",
        "init=normal",
        "model.input=[100000]",
        "model.layers=[{kind: dense, units: 100000}, {kind: dense, units: 10}]",
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.code == 0
    assert "10,001,100,010 elements, 40 GB" in done.out
    assert peak < 50_000_000
    assert not list(Path(".").iterdir())
