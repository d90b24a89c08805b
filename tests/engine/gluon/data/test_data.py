"""Datasets, samplers and loaders: which samples come, in which order, and what is refused. Values
are what MXNet 1.9.1 gives.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest

from initlab.engine import cpu_pinned, gluon, nd
from initlab.engine.gluon import data

TEN = data.SimpleDataset(list(range(10)))


def lists(loader) -> list:
    return [batch.asnumpy().tolist() for batch in loader]


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


@pytest.mark.parametrize(
    ("last_batch", "first", "second", "lengths"),
    [
        (
            "keep",
            [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]],
            [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]],
            (4, 4),
        ),
        ("discard", [[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1, 2], [3, 4, 5], [6, 7, 8]], (3, 3)),
        ("rollover", [[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[9, 0, 1], [2, 3, 4], [5, 6, 7]], (3, 3)),
    ],
)
@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_left_of_a_batch(last_batch, first, second, lengths, workers):
    loader = data.DataLoader(TEN, 3, last_batch=last_batch, num_workers=workers)
    assert (len(loader), lists(loader), len(loader), lists(loader)) == (
        lengths[0],
        first,
        lengths[1],
        second,
    )


def test_shuffled_samples_come_once_each_in_the_order_that_numpys_seed_gives():
    orders = []
    for _ in range(2):
        np.random.seed(3)
        orders.append(sum(lists(data.DataLoader(TEN, 4, shuffle=True)), []))
    assert orders[0] == orders[1] != sorted(orders[0]) == list(range(10))
    expected = np.arange(10)
    np.random.seed(3)
    np.random.shuffle(expected)
    assert orders[0] == expected.tolist()


def test_samples_of_several_parts_become_several_arrays_in_their_own_types():
    loader = data.DataLoader(
        data.ArrayDataset(np.arange(6, dtype=np.float32).reshape(3, 2), [1, 2, 3]), 2
    )
    batches = list(loader)
    assert [[(x.shape, x.dtype.__name__) for x in batch] for batch in batches] == [
        [((2, 2), "float32"), ((2,), "int64")],
        [((1, 2), "float32"), ((1,), "int64")],
    ]
    assert data.default_batchify_fn([nd.ones((2,)), nd.zeros((2,))]).asnumpy().tolist() == [
        [1, 1],
        [0, 0],
    ]


def test_threads_prepare_batches_ahead_and_in_order():
    seen = set()

    def slow(x):
        seen.add(threading.get_ident())
        return x

    loader = data.DataLoader(TEN.transform(slow), 2, num_workers=2, auto_reload=True)
    assert lists(loader) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert threading.get_ident() not in seen
    assert lists(loader) == lists(data.DataLoader(TEN, 2))


def test_an_error_in_a_thread_is_the_callers():
    def fails(x):
        raise ZeroDivisionError("of sample")

    with pytest.raises(ZeroDivisionError, match="of sample"):
        list(data.DataLoader(TEN.transform(fails), 2, num_workers=1))


def test_batches_may_be_pinned():
    assert next(iter(data.DataLoader(TEN, 2, pin_memory=True))).context == cpu_pinned(0)


def test_a_batch_sampler_names_whole_batches():
    assert lists(data.DataLoader(TEN, batch_sampler=[[3, 1], [7]])) == [[3, 1], [7]]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: data.DataLoader(TEN),
            ValueError,
            "batch_size must be specified unless batch_sampler is specified",
        ),
        (
            lambda: data.DataLoader(TEN, 2, True, data.SequentialSampler(3)),
            ValueError,
            "shuffle must not be specified if sampler is specified",
        ),
        (
            lambda: data.DataLoader(TEN, 2, batch_sampler=[[1]]),
            ValueError,
            "must not be specified if batch_sampler is specified",
        ),
        (
            lambda: list(data.DataLoader(TEN, 3, last_batch="x")),
            ValueError,
            "'keep', 'discard', or 'rollover', but got x",
        ),
        (lambda: data.DataLoader(TEN, 3, timeout=0), AssertionError, "timeout must be positive"),
        (
            lambda: data.ArrayDataset([1], [1, 2]),
            AssertionError,
            r"array\[0\] has length 1 while array\[1\] has 2",
        ),
        (lambda: data.ArrayDataset(), AssertionError, "Needs at least 1 arrays"),
        (lambda: TEN.shard(2, 2), AssertionError, "Shard index of out bound: 2 out of 2"),
        (lambda: TEN.sample([1]), TypeError, "Invalid sampler type"),
        (
            lambda: data.IntervalSampler(2, 3),
            AssertionError,
            "Interval 3 must be smaller than or equal to length 2",
        ),
        (lambda: data.DataLoader(TEN, 2, worker=3), TypeError, "worker"),
    ],
)
def test_what_cannot_be_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_the_module_is_gluons():
    assert gluon.data is data
    assert gluon.contrib.data.IntervalSampler is data.IntervalSampler
