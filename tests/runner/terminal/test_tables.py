"""Tables that a person reads on a screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_the_plan_is_printed_and_nothing_is_written_or_allocated(command):
    tracemalloc.start()
    done = command(
        "task=plan",
        "init=normal",
        "model.input=[100000]",
        "model.layers=[{kind: dense, units: 100000}, {kind: dense, units: 10}]",
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.code == 0
    assert "10,001,100,010 elements, 40 GB" in done.out
    assert peak < 50_000_000
    assert not list(Path(".").iterdir())


def on_a_terminal(words: list[str], columns: int, code: int = 0) -> str:
    """Return what a command prints on a terminal of some columns."""
    if (child := pty.fork())[0] == 0:
        os.execv(sys.executable, [sys.executable, "-m", "initlab", *words])
    fcntl.ioctl(child[1], termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    found = b""
    with suppress(OSError):  # the end of the output
        while part := os.read(child[1], 65536):
            found += part
    assert os.waitstatus_to_exitcode(os.waitpid(child[0], 0)[1]) == code
    return re.sub(r"\x1b\[[\d;]*m", "", found.decode()).replace("\r\n", "\n")


BLOCKS = (
    "model.layers=[{kind: repeat, name: encoder_blocks, times: 24, layers: [{kind: residual, "
    "name: block, layers: [{kind: dense, name: expand, units: 20}]}]}, {kind: dense, units: 10}]"
)


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_no_line_of_any_command_is_wider_than_the_terminal(columns, command, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("COLUMNS", raising=False)
    shown = on_a_terminal(
        [BLOCKS, "init=he", "measure=[spectrum,cosine]", "probe=backward", "name=a"], columns
    )
    assert command(BLOCKS, "init=he", "seed=1", "name=b").code == 0
    [a], [b] = (list(Path("outputs", name).iterdir()) for name in "ab")
    shown += on_a_terminal(["plan", BLOCKS], columns)
    shown += on_a_terminal(["verify", str(a), str(b)], columns)
    shown += on_a_terminal(["compare", str(a), str(b)], columns, code=1)
    shown += on_a_terminal(["lock", BLOCKS, "init=he", "seed=0,1"], columns)
    shown += on_a_terminal(["verify", "--lock"], columns)
    shown += on_a_terminal(["-m", BLOCKS, "init=he", "seed=0,1", "dry_run=true"], columns)
    shown += on_a_terminal(["experiments", "--list"], columns)
    assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize(
    "words",
    [
        ["measure=[layers,spectrum,jacobian]", "init=he"],
        ["plan", "init=he"],
        ["-m", "init=normal,he", "init_mode=eager,deferred", "dtype=float32", "dry_run=true"],
    ],
)
def test_nothing_is_broken_on_a_terminal_of_80_columns(words, command, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("COLUMNS", raising=False)
    plain = command(*words)
    assert plain.code == 0, plain.err
    shown = on_a_terminal(words, 80)
    assert max(map(len, shown.splitlines())) <= 80
    timed = re.compile(r"\(\d.*s\)")
    assert set(timed.sub("", plain.out).split()) == set(timed.sub("", shown).split())
