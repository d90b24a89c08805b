"""`initlab plan …` is `initlab … task=plan`."""

from __future__ import annotations


def test_it_shows_the_plan_and_writes_nothing(command, tmp_path):
    done = command("plan", "init=he", "model=mlp")
    assert done.code == 0, done.err
    assert done.out == command("init=he", "model=mlp", "task=plan").out
    assert "nothing was allocated" in done.out
    assert not any(tmp_path.iterdir())
