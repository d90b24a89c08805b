"""Loaders: batches, threads, and what is refused. Values are what MXNet 1.9.1 gives."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from initlab.engine import cpu, cpu_pinned, gluon, nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import data
from initlab.engine.gluon.data import dataloader

TEN = data.SimpleDataset(list(range(10)))


def lists(loader) -> list:
    return [batch.asnumpy().tolist() for batch in loader]


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
def test_an_incomplete_batch_is_kept_discarded_or_rolled_over(
    last_batch, first, second, lengths, workers
):
    loader = data.DataLoader(TEN, 3, last_batch=last_batch, num_workers=workers)
    assert (len(loader), lists(loader), len(loader), lists(loader)) == (
        lengths[0],
        first,
        lengths[1],
        second,
    )


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


def test_an_error_in_a_thread_is_raised_in_the_caller():
    def fails(x):
        raise ZeroDivisionError("of sample")

    with pytest.raises(ZeroDivisionError, match="of sample"):
        list(data.DataLoader(TEN.transform(fails), 2, num_workers=1))


def test_batches_may_be_pinned():
    assert next(iter(data.DataLoader(TEN, 2, pin_memory=True))).context == cpu_pinned(0)


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
def test_invalid_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_the_module_is_gluons():
    assert gluon.data is data
    assert gluon.contrib.data.IntervalSampler is data.IntervalSampler


def test_what_code_for_mxnet_moves_to_a_device_is_moved_within_lists():
    moved = dataloader._as_in_context([nd.ones((1,)), ("text", nd.ones((2,)))], cpu(1))
    assert moved[0].context == cpu(1)
    assert moved[1][0] == "text" and moved[1][1].context == cpu(1)


@pytest.mark.parametrize("name", ["ForkingPickler", "_MultiWorkerIter"])
def test_processes_of_ones_own_are_refused(name):
    with pytest.raises(MXNetError, match=f"^{name}: there are no worker processes here - use "):
        getattr(dataloader, name)(None)
