"""Metrics against what MXNet 1.9.1 gave in the same session."""

from __future__ import annotations

import json
import math
from pathlib import Path

import metric_session
import pytest

import initlab.engine as mx

RECORDED = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mxnet-metric.json").read_text(encoding="utf-8")
)


OURS = {"ValueError: _BinaryClassificationMetrics currently": "ValueError: F1 currently"}
"""MXNet names an inner class where the metric is meant."""


def same(recorded, found) -> bool:
    if isinstance(recorded, (list, tuple)):
        return len(recorded) == len(found) and all(map(same, recorded, found))
    if isinstance(recorded, float):
        return (math.isnan(recorded) and math.isnan(found)) or found == pytest.approx(
            recorded, rel=2e-5, abs=1e-9
        )
    if isinstance(recorded, str):
        for theirs, ours in OURS.items():
            recorded = recorded.replace(theirs, ours)
    return recorded == found


def test_a_session_gives_what_mxnet_gave():
    found = json.loads(json.dumps(metric_session.session(mx), default=float))
    assert len(found) == len(RECORDED)
    for number, (theirs, ours) in enumerate(zip(RECORDED, found, strict=True)):
        assert same(theirs, ours), f"step {number}: {theirs} != {ours}"
