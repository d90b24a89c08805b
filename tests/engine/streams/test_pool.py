"""The threads that draw."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import streams
from initlab.engine.streams import Key, distribution
from initlab.engine.streams.draw import COMPILED_FROM

ROOT = Path(__file__).parents[3]


chosen = sys.modules["initlab.engine.streams.implementation"]


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """As a process begins."""
    monkeypatch.delenv("ENGINE_DRAW", raising=False)
    monkeypatch.setattr(chosen, "_state", chosen._State())


def test_a_forked_process_draws_on_threads_of_its_own():
    script = """
import os, hashlib, warnings
import numpy as np
from initlab.engine import streams
warnings.simplefilter("ignore")
streams.threads(2)
draw = lambda: hashlib.sha256(streams.normal(streams.Key(0, "fork"), 0, 5_000_000, 0, 1).tobytes()).hexdigest()
before = draw()
child = os.fork()
if not child:
    os._exit(0 if draw() == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), draw() == before)
"""
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["0", "True"]


def test_the_pool_is_kept_from_draw_to_draw():
    from initlab.engine.streams import pool

    before = streams.threads()
    try:
        streams.threads(2)
        out = np.empty(COMPILED_FROM, np.float32)
        streams.draw_many([(distribution.normal(0, 1), Key(0, "pool"), 0, out)])
        first = pool._state.pool
        streams.draw_many([(distribution.normal(0, 1), Key(0, "pool"), 0, out)])
        assert first is not None
        assert pool._state.pool is first
        streams.threads(3)
        streams.draw_many([(distribution.normal(0, 1), Key(0, "pool"), 0, out)])
        assert pool._state.pool is not first
    finally:
        streams.threads(before)
