"""Tensors that a run converts to its dtype are listed."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import formats
from initlab.engine.formats import Snapshot
from initlab.engine.gluon import nn
from initlab.engine.init import Load
from initlab.runner.plan.block import plan
from initlab.runner.plan.conversions import conversions


def lines(tmp_path, weight, bias):
    path = tmp_path / "a.npz"
    tensors = {"weight": np.ones((2, 3), weight), "bias": np.zeros(2, bias)}
    formats.get(path).write(path, Snapshot(tensors))
    found = plan(nn.Dense(2, in_units=3), Load(path))
    return [line.replace(str(path), "FILE") for line in conversions(found.rows)]


@pytest.mark.parametrize(
    ("weight", "bias", "said"),
    [
        ("float32", "float32", []),
        ("float16", "float32", ["1 tensor of FILE is converted from float16 to float32: 'weight'"]),
        (
            "float64",
            "float64",
            [
                "2 tensors of FILE are converted from float64 to float32, which may round: 'weight', "
                "'bias'"
            ],
        ),
        (
            "int64",
            "int8",
            [
                "1 tensor of FILE is converted from int64 to float32, which may round: 'weight'",
                "1 tensor of FILE is converted from int8 to float32: 'bias'",
            ],
        ),
    ],
)
def test_each_pair_of_dtypes_has_a_line(weight, bias, said, tmp_path):
    assert lines(tmp_path, weight, bias) == said


def test_a_mapping_is_no_file():
    found = plan(nn.Dense(2, in_units=3, use_bias=False), Load({"weight": np.ones((2, 3))}))
    assert conversions(found.rows) == []
