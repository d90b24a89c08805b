"""Repeated blocks are one row, and nothing that matters is hidden in it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.terminal.folding import Each, Figure, percent, printed, worst_between


def blocks(values, name="blocks.{}.fc.weight", text="ok"):
    return [[name.format(number), Figure(value), text] for number, value in enumerate(values)]


def test_blocks_are_one_row_with_the_first_the_last_and_the_worst_between():
    rows = [["stem", Figure(1.0), "ok"], *blocks([0.5, 0.4, 9.0, 0.3]), ["head", Figure(None), ""]]
    assert printed(rows, True) == [
        ["stem", "1", "ok"],
        ["blocks.0…3.fc.weight", "0.5 … 0.3, 9 (2)", "ok"],
        ["head", "-", ""],
    ]


def test_without_folding_each_block_has_its_row_in_all_digits():
    assert printed(blocks([0.51234, 0.4, 0.3]), False)[0] == ["blocks.0.fc.weight", "0.5123", "ok"]


def test_equal_values_are_one_number():
    assert printed(blocks([0.0, 0.0, 0.0]), True) == [["blocks.0…2.fc.weight", "0", "ok"]]


def test_two_blocks_keep_their_rows():
    assert len(printed(blocks([1.0, 2.0]), True)) == 2


def test_a_block_that_differs_in_a_text_keeps_a_row_of_its_own_beside_its_neighbours():
    rows = [
        [f"b.{number}.{name}", "off" if (number, name) == (3, "w") else "ok", Figure(1.0)]
        for number in range(7)
        for name in ("w", "c")
    ]
    assert [row[:2] for row in printed(rows, True)] == [
        ["b.0…2.w", "ok"],
        ["b.3.w", "off"],
        ["b.4…6.w", "ok"],
        ["b.0…6.c", "ok"],
    ]


def test_a_block_without_a_value_does_not_vanish_among_those_with_one():
    rows = blocks([1.0, 1.0, 1.0, None, 1.0])
    assert [row[1] for row in printed(rows, True)] == ["1", "-", "1"]


def test_layers_that_are_numbered_but_not_repeated_are_not_folded():
    rows = [[str(number), Figure(1.0)] for number in range(5)]
    assert len(printed(rows, True)) == 5


def test_rows_of_another_kind_are_not_folded():
    rows = blocks([1.0, 1.0, 1.0])
    kinds = {row[0]: len(row[0]) * number for number, row in enumerate(rows)}
    assert len(printed(rows, True, kinds)) == 3
    assert len(printed(rows, True, dict.fromkeys(kinds, 1))) == 1


def test_blocks_within_blocks_are_one_row_and_the_worst_has_both_numbers():
    rows = [
        [f"stage.{s}.block.{b}.w", Figure(5.0 if (s, b) == (1, 2) else 1.0)]
        for s in range(3)
        for b in range(4)
    ]
    assert printed(rows, True) == [["stage.0…2.block.0…3.w", "1, 5 (1.2)"]]


def test_stages_of_different_lengths_are_folded_each():
    rows = [[f"s.{s}.b.{b}.w", Figure(1.0)] for s in range(3) for b in range(3 + s)]
    assert [row[0] for row in printed(rows, True)] == [f"s.{s}.b.0…{2 + s}.w" for s in range(3)]


def test_a_layer_that_is_called_twice_has_two_rows():
    rows = [row for row in blocks([1.0, 1.0, 1.0]) for _ in range(2)]
    assert [row[0] for row in printed(rows, True)] == ["blocks.0…2.fc.weight"] * 2


def test_what_tells_blocks_apart_is_counted():
    rows = [[f"b.{n}.w", Each(f"key{n}", lambda count: f"{count} keys")] for n in range(3)]
    assert printed(rows, True) == [["b.0…2.w", "3 keys"]]
    assert printed(rows[:1], True) == [["b.0.w", "key0"]]


@pytest.mark.parametrize(
    ("values", "worst"),
    [
        ([1.0, 1e-9, 1.0], 1),
        ([1.0, 0.0, 3.0, 1.0], 1),
        ([1.0, 1e9, 1e-9, 1.0], 1),
        ([1.0, math.nan, 1e30, 1.0], 1),
        ([1.0, math.inf, 1.0], 1),
        ([1.0, 0.5, 0.1], None),
        ([1.0, 1.05, 1.0], None),
        ([0.0, 1e-30, 0.0], 1),
        ([-0.5, 0.1, 0.4], None),
        ([-0.5, -4.0, 3.0, 0.4], 1),
        ([math.nan, math.nan, 1.0], None),
        ([math.nan, 7.0, 1.0], 1),
        ([math.nan, 7.0, math.inf], None),
        ([1.0, 1.0], None),
        ([1.0], None),
    ],
)
def test_the_worst_is_the_farthest_beyond_both_ends(values, worst):
    assert worst_between(values) == worst


def test_a_small_size_is_not_bad_where_sizes_count():
    assert worst_between([0.9, 0.01, 0.8], size_counts=True) is None
    assert worst_between([0.9, 3.9, 0.8], size_counts=True) == 1


NAMES = st.sampled_from(["w", "b", "0", "1", "2", "3", "10", "fc"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(".".join)


@given(st.lists(st.tuples(PATHS, st.sampled_from(["ok", "off"])), max_size=40))
def test_every_row_is_told_of_once_with_its_text(given_rows):
    rows = [[path, text, Each("1", str)] for path, text in given_rows]
    shown = printed(rows, True)
    for text in ("ok", "off"):
        counted = sum(int(str(row[2])) for row in shown if row[1] == text)
        assert counted == sum(one == text for _, one in given_rows)
    assert len(printed(rows, False)) == len(rows)


@given(st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=30))
def test_no_value_is_farther_than_the_one_that_is_shown(values):
    worst = worst_between(values)
    low, high = min(values[0], values[-1]), max(values[0], values[-1])
    factors = [max(value / high, low / value) for value in values]
    assert max(factors) <= (1.1 if worst is None else factors[worst]) * (1 + 1e-12)


def test_a_worst_value_that_reads_like_an_end_is_not_repeated():
    def shares(*values):
        return [[f"b.{n}.fc", Figure(value, show=percent)] for n, value in enumerate(values)]

    assert printed(shares(0.0, 0.001, 0.0), True) == [["b.0…2.fc", "0%"]]
    assert printed(shares(0.0, 0.3, 0.0), True) == [["b.0…2.fc", "0%, 30% (1)"]]
