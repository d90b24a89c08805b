"""`initlab compare A B`: tables or JSON, and an exit code."""

from __future__ import annotations

import json


def test_equal_runs_give_0_different_ones_1_and_unreadable_ones_2(only_run, command):
    one, same = (
        only_run("init=normal", "probe=none"),
        only_run("init=normal", "probe=none", "name=b"),
    )
    other = only_run("init=normal", "probe=none", "seed=1")
    assert command("compare", str(one), str(same)).code == 0
    done = command("compare", str(one), str(other), "--json")
    assert (done.code, json.loads(done.out)["identical"]) == (1, False)
    done = command("compare", "nowhere", "elsewhere")
    assert (done.code, len(done.err.splitlines())) == (2, 2)
