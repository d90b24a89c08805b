"""Datasets: parts, samples and transforms. Values are what MXNet 1.9.1 gives."""

from __future__ import annotations

from initlab.engine.gluon import data

TEN = data.SimpleDataset(list(range(10)))


def test_parts_of_a_dataset():
    assert [list(TEN.shard(3, i)) for i in range(3)] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert (list(TEN.take(3)), len(TEN.take(None)), len(TEN.take(100))) == ([0, 1, 2], 10, 10)
    assert list(TEN.filter(lambda x: x % 4 == 1)) == [1, 5, 9]
    assert list(TEN.sample(data.IntervalSampler(10, 4))) == [0, 4, 8, 1, 5, 9, 2, 6, 3, 7]
    assert list(data.IntervalSampler(10, 4, rollover=False)) == [0, 4, 8]
    assert len(data.IntervalSampler(10, 4, rollover=False)) == 3


def test_transforms_are_made_when_asked_for_or_at_once():
    calls = []
    lazy = data.ArrayDataset([1, 2], [10, 20]).transform(lambda a, b: calls.append(a) or a + b)
    assert calls == []
    assert (lazy[1], calls) == (22, [2])
    eager = TEN.transform(lambda x: calls.append(x) or x, lazy=False)
    assert len(calls) == 11 and isinstance(eager, data.SimpleDataset)
    assert data.ArrayDataset([1, 2], [10, 20]).transform_first(lambda x: -x)[0] == (-1, 10)
    assert TEN.transform_first(lambda x: -x)[3] == -3
