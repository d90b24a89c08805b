"""What a sweep says on its way: one live line in a terminal, a plain line a run elsewhere, from the
status files.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from initlab.runner.evidence.members import Member
from initlab.runner.evidence.status import COMPLETED, CRASHED, FAILED, RUNNING, Status, write
from initlab.runner.sweep.monitor import Monitor, line

ROOT = Path(__file__).parents[3]


def in_a_terminal(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Exit code and what was written to the terminal that the command's stdout is."""
    master, slave = pty.openpty()
    given = {
        name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "TERM")
    }
    given |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *words],
        cwd=folder,
        env=given,
        stdout=slave,
        stderr=subprocess.PIPE,
    )
    os.close(slave)
    heard = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        heard += piece
    os.close(master)
    process.communicate()
    return process.returncode, heard.decode()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_terminal_shows_one_live_line_and_what_failed(tmp_path):
    code, text = in_a_terminal(tmp_path, "-m", "init=normal", "init.sigma=0.1,-1,0.2,0.3")
    assert code == 1
    said = plain(text)
    assert "4/4" in said
    assert "1 failed" in said and "runs/s" in said
    assert said.count("failed     normal_sigma_1-seed0-") == 1
    assert "completed  normal" not in said
    assert said.replace("\r", "").endswith("3 of 4 runs completed: outputs/runs/summary.md\n")


def test_in_ci_a_terminal_gets_plain_lines(tmp_path):
    code, text = in_a_terminal(tmp_path, "-m", "seed=0,1", CI="true")
    assert code == 0
    assert "\x1b" not in text
    words = [found.split()[0] for found in text.splitlines() if found]
    assert words == ["completed", "completed", "runs", "2", "mean", "2"]


@pytest.fixture
def members(tmp_path) -> list[Member]:
    made = [Member(f"x-{n}", str(tmp_path / f"x-{n}"), [f"seed={n}"]) for n in range(4)]
    for member in made:
        Path(member.folder).mkdir()
    return made


def test_runs_of_other_processes_are_told_of_from_their_statuses_each_once(members, capsys):
    old, done, failed, dead = (Path(member.folder) for member in members)
    write(old, Status(COMPLETED, "x-0", seconds=1.0))  # of a sweep before this one
    monitor = Monitor(members, None)
    monitor.poll()
    assert capsys.readouterr().out == ""
    (done / "manifest.json").write_text("{}")
    write(done, Status(COMPLETED, "x-1", seconds=0.25))
    write(failed, Status(FAILED, "x-2", error="E: no\nmore"))
    write(dead, Status(RUNNING, "x-3"))
    monitor.poll()
    assert (
        capsys.readouterr().out
        == "completed  x-1  seed=1  (0.25 s)\nfailed     x-2  seed=2: E: no\n"
    )
    write(dead, Status(RUNNING, "x-3", pid=2**22 + 1))
    monitor.poll()
    monitor.poll()
    assert capsys.readouterr().out == "crashed    x-3  seed=3: its process 4194305 is gone\n"
    (old / "manifest.json").write_text("{}")
    write(old, Status(COMPLETED, "x-0", seconds=1.0, resumed=True))
    monitor.poll()
    assert capsys.readouterr().out == "completed  x-0  seed=0  (finished before)\n"
    assert (monitor.completed, monitor.failed) == (2, 2)


def test_a_run_that_never_began_has_a_line_too():
    assert (
        line(Status(CRASHED, "x"), Member("x", "x", ["a=1"])) == "crashed    x  a=1: it did not end"
    )


def test_a_long_probe_is_on_the_live_line_of_its_sweep(members):
    bar = Progress(TextColumn("{task.fields[said]}"), console=Console(file=io.StringIO()))
    monitor = Monitor(members, bar)
    monitor.of_run(40, 290, "loss 1.2")
    assert bar.tasks[0].fields["said"].strip() == "step 40 of 290, loss 1.2"
    monitor.ended(0, Status(COMPLETED, "x-0", seconds=1.0))
    assert "step" not in bar.tasks[0].fields["said"]
    Monitor(members, None).of_run(40, 290, "loss 1.2")
