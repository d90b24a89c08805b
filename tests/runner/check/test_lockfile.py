"""Lock files: what is damaged is one line that names it."""

from __future__ import annotations

import contextlib
import json

import pytest
from altered import places
from locks import SMALL, change

from initlab.runner.check import lock, lockcheck, lockfile
from initlab.runner.check.lockfile import Lock
from initlab.runner.errors import EvidenceError

DAMAGE = {
    "missing": (
        lambda path: path.unlink(),
        "no such lock file - write one with initlab lock",
    ),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-20]), "the lock is damaged ("),
    "empty": (lambda path: path.write_text(""), "the lock is damaged ("),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe"), "the lock is damaged ("),
    "a list": (
        lambda path: path.write_text("[]"),
        "this is no lock of format initlab-lock-1, found 'list'",
    ),
    "deep": (lambda path: path.write_text("[" * 200_000), "the lock is damaged ("),
    "another format": (
        lambda path: change(path, lambda c: c.update(format="initlab-lock-2")),
        "this is no lock of format initlab-lock-1, found 'initlab-lock-2' - write it again with initlab lock",
    ),
    "a run twice": (
        lambda path: change(path, lambda c: c["runs"].append(c["runs"][0])),
        "it has the run init=normal",
    ),
    "a key twice": (
        lambda path: path.write_text(path.read_text().replace('"words"', '"format"')),
        "it has 'format' twice",
    ),
    "no runs": (lambda path: change(path, lambda c: c["runs"].clear()), "it holds no run"),
    "another key": (
        lambda path: change(path, lambda c: c.update(extra=1)),
        "the file has 'extra', which no lock has",
    ),
    "a key less": (lambda path: change(path, lambda c: c.pop("laws")), "the file lacks 'laws'"),
    "NaN": (
        lambda path: path.write_text(path.read_text().replace("0.01", "NaN")),
        "it has the number NaN, which JSON lacks",
    ),
    "a merge conflict": (
        lambda path: path.write_text("<<<<<<< ours\n" + path.read_text()),
        "the lock is damaged (",
    ),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "the lock is damaged ("),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_lock_is_one_line_that_names_it(what, locked, said):
    path = locked("init=normal", *SMALL)
    alter, message = DAMAGE[what]
    alter(path)
    code, out, err = said("verify", "--lock", path)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"error: {path}: ")
    assert message in err


def test_whatever_a_lock_holds_there_is_an_answer_and_never_a_failure(locked):
    path = locked("init=orthogonal", "model=shared", "seed=1,2")
    whole = json.loads(path.read_text())
    for place in places(whole):
        for value in [None, 3, 1.5, True, "x", "", [], {}, ["x"], {"x": 1}, KeyError]:
            content = json.loads(json.dumps(whole))
            inner = content
            for part in place[:-1]:
                inner = inner[part]
            if value is KeyError:
                del inner[place[-1]]
            else:
                inner[place[-1]] = value
            path.write_text(json.dumps(content))
            with contextlib.suppress(EvidenceError):
                found: Lock = lockfile.read(path)
                again = [lockcheck.compare(run, Echo(run), found.laws) for run in found.runs]
                assert again == [[]] * len(found.runs)


def Echo(run):
    """A run drawn just as it was locked."""
    return lock.DrawnRun(run, {}, None)


def test_the_words_of_a_lock_that_cannot_be_composed_are_said_with_its_name(locked, said):
    path = locked("init=normal", *SMALL)
    change(path, lambda content: content["words"].append("sead=1"))
    code, _, err = said("verify", "--lock", path)
    assert (code, err.startswith(f"error: {path}: sead: no such key - did you mean 'seed'?")) == (
        2,
        True,
    )
