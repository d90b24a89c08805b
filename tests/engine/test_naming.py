"""Names of blocks: counters a hint, name scopes, and threads."""

from __future__ import annotations

import threading

import pytest

from initlab.engine import naming
from initlab.engine.gluon import nn


def number(block: nn.Block) -> int:
    return int(block.name.rsplit("dense", 1)[1])


def test_each_hint_counts_for_itself():
    first, _, second = nn.Dense(1), nn.Sequential(), nn.Dense(1)
    assert number(second) == number(first) + 1


def test_a_scope_counts_from_zero_and_puts_its_prefix_before_names():
    net = nn.Sequential(prefix="net_")
    with net.name_scope():
        blocks = nn.Dense(1), nn.Dense(1), nn.Dense(1, prefix="out_")
    assert [block.prefix for block in blocks] == ["net_dense0_", "net_dense1_", "net_out_"]
    with net.name_scope():
        assert nn.Dense(1).prefix == "net_dense2_"


def test_scopes_nest_and_close():
    outer, inner = nn.Sequential(prefix="o_"), None
    with outer.name_scope():
        inner = nn.Sequential(prefix="i_")
        with inner.name_scope():
            assert nn.Dense(1).prefix == "o_i_dense0_"
        assert nn.Dense(1).prefix == "o_dense0_"
    assert naming.current_scope() is None


def test_an_error_inside_a_scope_closes_it():
    net = nn.Sequential(prefix="net_")
    with pytest.raises(KeyError), net.name_scope():
        raise KeyError("no")
    assert naming.current_scope() is None


def test_the_scope_of_an_empty_prefix_is_transparent():
    net = nn.Sequential(prefix="net_")
    with net.name_scope(), nn.Sequential(prefix="").name_scope():
        assert nn.Dense(1).prefix == "net_dense0_"


def test_every_thread_counts_for_itself():
    names = []

    def work():
        names.append([nn.Dense(1).name, nn.Dense(1).name])

    nn.Dense(1)
    for _ in range(2):
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
    assert names == [["dense0", "dense1"]] * 2


def test_an_open_scope_of_one_thread_is_not_anothers():
    seen = []
    with nn.Sequential(prefix="net_").name_scope():
        worker = threading.Thread(target=lambda: seen.append(nn.Dense(1).prefix))
        worker.start()
        worker.join()
    assert seen == ["dense0_"]


def test_what_is_named_within_kept_leaves_no_trace():
    net = nn.Sequential(prefix="net_")
    before = number(nn.Dense(1))
    with net.name_scope():
        with naming.kept():
            assert nn.Dense(1).prefix == "dense0_"
            assert naming.current_scope() is None
        assert nn.Dense(1).prefix == "net_dense0_"
    assert number(nn.Dense(1)) == before + 1
