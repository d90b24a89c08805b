"""Samplers: which samples come, in which order. Values are what MXNet 1.9.1 gives."""

from __future__ import annotations

import numpy as np

from initlab.engine.gluon import data

TEN = data.SimpleDataset(list(range(10)))


def lists(loader) -> list:
    return [batch.asnumpy().tolist() for batch in loader]


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


def test_a_batch_sampler_names_whole_batches():
    assert lists(data.DataLoader(TEN, batch_sampler=[[3, 1], [7]])) == [[3, 1], [7]]
