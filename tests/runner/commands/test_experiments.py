"""`initlab experiments`: names, and what is refused before any run."""

from __future__ import annotations


def test_the_experiments_are_listed_with_their_questions(command):
    done = command("experiments", "--list")
    assert done.code == 0
    lines = done.out.splitlines()
    assert any(line.startswith("he_forward ") for line in lines)
    assert max(map(len, lines)) <= 80
    said = " ".join(done.out.split())
    assert (
        "equally far? With muP it does; otherwise in proportion to the width. order_chaos" in said
    )


def test_an_unknown_name_is_refused_with_the_nearest(command):
    done = command("experiments", "he_foward")
    assert (done.code, "did you mean 'he_forward'?" in done.err) == (2, True)
