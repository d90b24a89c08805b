"""Orders that no chance gives are named."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import dtypes
from initlab.runner.audit import patterns
from initlab.runner.audit.infer import infer
from initlab.runner.stats.onepass import summarize

RNG = np.random.default_rng(0)


def found(values):
    return patterns.pattern(values, summarize(values))


def test_identities_and_what_is_none():
    assert found(2 * np.eye(5)).numbers == {"gain": 2.0}
    assert found(np.concatenate([np.eye(4)] * 3)).remarks == ("in 3 blocks of axis 0",)
    assert found(np.eye(5)[::-1].copy()) is None
    assert found(RNG.normal(size=(5, 5))) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.tile(RNG.normal(size=6), (4, 1)), "all rows of axis 0 are equal"),
        (np.tile(RNG.normal(size=(6, 1)), (1, 4)), "equal along the last axis"),
        (np.array([0.0, 0, 1, 1, 0, 0, 0, 0]), "runs of equal numbers: 0 | 1 | 0"),
        (np.arange(9.0), "a sequence of equal steps"),
        (2.0 ** np.arange(9), "a sequence of equal ratios"),
        (np.log(np.arange(1.0, 9)), "the logarithms of equal steps"),
    ],
)
def test_orders_are_named(values, said):
    assert found(values).remarks == (said,)


def test_the_position_of_a_kernel_that_is_not_zero_is_found():
    values = np.zeros((6, 5, 3, 3))
    values[:, :, 1, 1] = RNG.normal(size=(6, 5))
    part, said = patterns.tap(values, summarize(values))
    assert part.shape == (6, 5) and said == "zero beside position [1, 1] of the kernel"


def test_zero_rows_are_found_if_they_are_few():
    values = RNG.normal(size=(20, 8))
    values[[3, 7]] = 0
    assert patterns.zero_rows(values, summarize(values)) == [3, 7]
    assert patterns.without(values, [3, 7]).shape == (12, 8)
    values[:15] = 0
    assert patterns.zero_rows(values, summarize(values)) == []


def test_repeats_are_counted():
    half = RNG.normal(size=(8, 6))
    assert (
        patterns.times(np.repeat(half[:2], 4, 0)) == patterns.times(np.repeat(half, 4, 0)) == 4
        and patterns.times(half) == 1
    )
    assert patterns.times(np.repeat(half[0], 4).repeat(2)) == 8
    assert patterns.repeated(np.concatenate([half] * 3)) == (0, 3)
    assert patterns.repeated(np.concatenate([half] * 2, 1)) == (1, 2)
    assert patterns.repeated(half) is None


def positions(length, width, order=np.concatenate):
    """Fixed positions as transformers have them (Vaswani et al. 2017)."""
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(width // 2) / (width // 2))
    return order([np.sin(angles), np.cos(angles)], 1)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("shape", [(1500, 96), (16, 64), (1, 64, 32)])
def test_fixed_positions_are_a_pattern_and_not_trained(dtype, shape):
    table = positions(*shape[-2:])
    interleaved = np.stack(np.split(table, 2, 1), 2).reshape(table.shape)
    standardized = (table - table.mean()) / table.std() / 10
    for values in (table, interleaved, standardized):
        one = infer(values.reshape(shape).astype(dtypes.resolve(dtype)))
        assert (one.kind, one.fresh) == ("pattern", True), one
        assert one.remarks[0] == "each column is a wave or a sequence, as fixed positions are"


def test_a_padding_row_of_fixed_positions_is_named():
    one = infer(np.concatenate([np.zeros((1, 32)), positions(64, 32)]))
    assert one.kind == "pattern" and one.remarks[-1] == "zero rows: 0"


@pytest.mark.parametrize("shape", [(8, 4), (9, 300), (64, 64), (2000, 4)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_is_drawn_is_no_wave(shape, dtype):
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=shape)
        for one in (values, 1 + 0.001 * values, np.abs(values), positions(*shape) + 0.1 * values):
            other = found(one.astype(dtypes.resolve(dtype)))
            assert other is None or "wave" not in other.remarks[0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((np.arange(96) / 96).reshape(1, 1, 96) ** 0.7, "a rising sequence"),
        (-5 + 8 * (np.arange(64) / 63) ** 1.4, "a rising sequence"),
        (np.exp(-(np.linspace(0, 3, 40) ** 2)), "a falling sequence"),
    ],
)
def test_a_vector_in_order_is_a_sequence(values, said):
    """RWKV's mixing and decay look uniform, or normal, one by one."""
    for dtype in ("float64", "float32", "bfloat16"):
        assert found(values.astype(dtypes.resolve(dtype))).remarks == (said,)


def test_few_elements_in_order_are_chance():
    assert found(np.sort(RNG.normal(size=15))) is None
    assert found(np.sort(RNG.normal(size=16))).remarks == ("a rising sequence",)
