"""What makes a command start fast."""

from __future__ import annotations

import gc
import os

from initlab.starting import BLAS, let_blas_rest, uncollected


def test_nothing_is_collected_inside_and_the_collector_is_as_before():
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_what_the_user_says_of_blas_is_kept(monkeypatch):
    [(name, value)] = BLAS.items()
    monkeypatch.delenv(name, raising=False)
    let_blas_rest()
    assert os.environ[name] == value
    monkeypatch.setenv(name, "13")
    let_blas_rest()
    assert os.environ[name] == "13"
