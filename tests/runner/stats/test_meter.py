"""Statistics of a tensor, of one piece or block by block."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest

from initlab.engine import laws
from initlab.engine.device import gpu
from initlab.engine.streams import Key
from initlab.runner.stats import measure_all, meter, onepass, summary_of
from initlab.runner.stats.histogram import Histogram
from initlab.runner.stats.law import Law
from initlab.runner.stats.moments import Moments
from initlab.runner.stats.onepass import BLOCK, Accumulator

ALL = [Moments(), Law(), Histogram()]


LARGE = (1031, 1033)


class Row(NamedTuple):
    """A tensor to measure."""

    law: laws.Law
    shape: tuple[int, ...]
    dtype: str


CASES = [
    (laws.Normal(0.1, 0.02), LARGE, "float32"),
    (laws.Normal(0.1, 0.02), LARGE, "float64"),
    (laws.Uniform(-1, 1), LARGE, "float16"),
    (laws.TruncatedNormal(0, 1, -2, 2), LARGE, "float32"),
    (laws.Constant(0.25), LARGE, "float32"),
    (laws.Constant(3), LARGE, "int32"),
    (laws.Structured(), LARGE, "float32"),
    (laws.Structured("bilinear"), (64, 65, 16, 16), "float32"),
    (laws.ForgetGate(1.0), (4 * 300_000,), "float32"),
]


def streamed(law: laws.Law, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    size = math.prod(shape)
    accumulator = Accumulator(dtype, size, lambda values, start: law.wrong_in(values, shape, start))
    for number in reversed(range(-(-size // BLOCK))):
        end = min((number + 1) * BLOCK, size)
        accumulator.add(number, law.draw(Key(0, "x"), shape, dtype, number * BLOCK, end))
    return measure_all(ALL, law, accumulator.result(), None)


@pytest.mark.parametrize(
    ("law", "shape", "dtype"), CASES, ids=[f"{law}-{dtype}" for law, _, dtype in CASES]
)
def test_streamed_and_in_memory_the_row_is_the_same(law, shape, dtype):
    values = law.draw(Key(0, "x"), shape, dtype)
    row = streamed(law, shape, dtype)
    assert row == measure_all(ALL, law, summary_of(values, law), values)
    assert row["bound_ok"] is True
    assert row["invariants_ok"] is (None if law.random else True)
    if law.random:
        assert row["p"] > 1e-4


@pytest.mark.parametrize(
    "law", [laws.Constant(0.25), laws.Structured(), laws.ForgetGate(1.0)], ids=str
)
def test_one_wrong_element_of_a_large_tensor_is_found(law):
    values = law.draw(Key(0, "x"), LARGE)
    values[777, 5] = 0.125
    assert measure_all(ALL, law, summary_of(values, law), None)["invariants_ok"] is False


def test_a_large_tensor_of_another_law_is_found():
    drawn, declared = laws.Uniform(-0.07 * math.sqrt(3), 0.07 * math.sqrt(3)), laws.Normal(0, 0.07)
    row = Law().measure(drawn.draw(Key(1, "x"), LARGE), declared)
    assert row["ks_p"] < 1e-6


@pytest.mark.parametrize(
    ("law", "shape", "on_the_device"),
    [
        (laws.Normal(0, 0.1), LARGE, True),
        (laws.Normal(0, 0.1), (1024, 1024), False),
        (laws.Constant(0.25), LARGE, False),
        (laws.Haar(1.0), LARGE, False),
    ],
    ids=["large", "not so large", "declared", "not drawn in slices"],
)
def test_a_device_measures_large_tensors_of_random_elements(law, shape, on_the_device, monkeypatch):
    values = laws.Normal(0, 0.1).draw(Key(0, "x"), shape)
    asked = []
    monkeypatch.setattr(onepass.cuda, "summarize", lambda *there: asked.append(there))
    row = Row(law, shape, "float32")
    there = (values, gpu(0))
    assert meter.measure([Moments()], row, values, there) == meter.measure([Moments()], row, values)
    assert bool(asked) == on_the_device
