"""The number of BLAS's threads: one while any thread asks for that, and then what it was."""

from __future__ import annotations

import pytest

from initlab.engine.laws import blas


@pytest.fixture
def count(monkeypatch):
    """A BLAS with four threads: a list of the numbers it was told, the last in force."""
    told = [4]
    monkeypatch.setattr(blas, "_functions", lambda: (lambda: told[-1], told.append))
    return told


def test_the_number_is_one_while_open_and_then_what_it_was(count):
    with blas.one_thread() as ours:
        assert (ours, count[-1]) == (True, 1)
    assert count[-1] == 4


def test_the_last_to_close_restores_it(count):
    first, second = blas.one_thread(), blas.one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert count[-1] == 1
    second.__exit__(None, None, None)
    assert count == [4, 1, 4]


def test_an_error_restores_it(count):
    with pytest.raises(ZeroDivisionError), blas.one_thread():
        raise ZeroDivisionError
    assert count[-1] == 4


def test_another_blas_is_left_alone(monkeypatch):
    monkeypatch.setattr(blas, "_functions", lambda: None)
    with blas.one_thread() as ours:
        assert not ours


def test_the_installed_blas_is_told():
    functions = blas._functions()
    if functions is None:
        pytest.skip("NumPy uses no OpenBLAS here")
    get, _ = functions
    before = get()
    with blas.one_thread():
        assert get() == 1
    assert get() == before
