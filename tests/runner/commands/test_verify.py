"""`initlab verify`: several runs, one exit code."""

from __future__ import annotations


def test_the_worst_of_several_runs_is_the_exit_code(only_run, command):
    good = only_run("init=normal", "probe=none")
    assert command("verify", str(good)).code == 0
    done = command("verify", str(good), "nowhere")
    assert (done.code, "verified" in done.out) == (2, True)
    assert "nowhere: no such folder" in done.err


def test_an_option_for_locks_is_refused_beside_folders(command):
    done = command("verify", "x", "--junit", "y")
    assert (done.code, done.err) == (2, "error: --junit: is for --lock FILE\n")


def test_the_lock_has_a_name_of_its_own(command):
    assert command("lock", "init=normal", "probe=none").code == 0
    done = command("verify", "--lock")
    assert done.code == 0, done.err
    done = command("verify", "--junit")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert done.err.startswith("error: initlab verify: argument --junit: expected one argument - ")
