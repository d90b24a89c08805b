"""`initlab rerun`, as a command line."""

from __future__ import annotations


def test_it_needs_a_folder(command):
    done = command("rerun")
    assert (done.code, done.err) == (
        2,
        "error: initlab rerun: the following arguments are required: DIR - initlab rerun --help lists "
        "what it takes\n",
    )


def test_the_worst_code_counts_and_every_run_has_a_line(command, only_run):
    folder = only_run("init=normal")
    done = command("rerun", "nothing", str(folder), "--into", "new")
    assert (done.code, len(done.out.splitlines()), len(done.err.splitlines())) == (2, 1, 1)
