"""`initlab join`: what is no part of a run is refused."""

from __future__ import annotations


def test_a_run_that_is_no_part_is_refused(only_run, command):
    done = command("join", str(only_run("init=normal", "probe=none")))
    assert (done.code, "is no part of a sharded run" in done.err) == (2, True)
