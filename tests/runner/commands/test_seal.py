"""`initlab seal DIR`: what it takes. `tests/runner/check/test_seal.py` has what it does."""

from __future__ import annotations


def test_it_takes_one_folder(command):
    done = command("seal")
    assert done.code == 2
    assert "the following arguments are required: DIR" in done.err


def test_help_says_that_nothing_is_signed(command):
    done = command("seal", "--help")
    assert (done.code, "Nothing is signed" in done.out) == (0, True)
