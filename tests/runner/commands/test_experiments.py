"""`initlab experiments`: names, and what is refused before any run."""

from __future__ import annotations


def test_the_experiments_are_listed_with_their_questions(command):
    done = command("experiments", "--list")
    assert done.code == 0
    assert any(line.startswith("he_forward ") for line in done.out.splitlines())


def test_an_unknown_name_is_refused_with_the_nearest(command):
    done = command("experiments", "he_foward")
    assert (done.code, "did you mean 'he_forward'?" in done.err) == (2, True)
