"""`initlab run …` is `initlab …`."""

from __future__ import annotations


def test_run_is_the_default_command(command):
    said, left_out = command("run", "init=normal"), command("init=normal")
    assert (said.code, left_out.code) == (0, 0)
    assert [line for line in said.out.splitlines() if line.startswith("root ")] == [
        line for line in left_out.out.splitlines() if line.startswith("root ")
    ]
