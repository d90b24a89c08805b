"""A long stage says how far it has come: plainly where there is no terminal, and a short one says
nothing.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner import progress

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_plain_line_comes_now_and_then(clock, capsys):
    with progress.progress_of("drawing", 4_000_000_000) as shown:
        for second in range(26):
            clock[0] = 100.0 + second
            shown(second * 100_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "drawing: 1.00 of 4.00 GB, 0.10 GB/s, 30 s left",
        "drawing: 2.00 of 4.00 GB, 0.10 GB/s, 20 s left",
    ]


def test_a_stage_without_progress_shows_no_time_left():
    assert progress.bytes_line(0, 10**9, 5.0) == "0.00 of 1.00 GB, 0.00 GB/s, no end in sight"


def test_a_quiet_stage_and_a_short_one_say_nothing(clock, capsys):
    with progress.progress_of("drawing", 100, quiet=True) as shown:
        clock[0] += 60
        shown(50)
    with progress.progress_of("drawing", 100) as shown:
        clock[0] += 0.5
        shown(50)
    assert capsys.readouterr().err == ""


def in_a_terminal(script: str, **more: str) -> str:
    """What a script writes to a terminal of 100 columns."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    environment = {k: v for k, v in environment.items() if k not in ("NO_COLOR", "CI")} | more
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=follower, stdout=follower, env=environment
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(leader)
    assert process.wait() == 0
    return seen.decode()


def test_in_a_terminal_there_is_a_bar_with_rate_and_remaining_time():
    text = in_a_terminal(
        "import time; from initlab.runner import progress; progress.SHOWN_FROM = 0\n"
        "with progress.progress_of('drawing', 10**9) as shown:\n"
        "    for i in range(6): shown(i * 10**8); time.sleep(0.2)\n"
    )
    assert "drawing" in text and "GB" in text and "MB/s" in text


def test_steps_say_what_was_reached_and_the_time_left(clock, capsys):
    with progress.steps_of("probe train") as report:
        for second in range(26):
            clock[0] = 100.0 + second
            report(second * 10, 300, f"loss {second}")
    assert capsys.readouterr().err.splitlines() == [
        "probe train: 100 of 300 steps, loss 10, 20 s left",
        "probe train: 200 of 300 steps, loss 20, 10 s left",
    ]


STEPS = (
    "import time; from initlab.runner import progress; progress.SHOWN_FROM = 0\n"
    "with progress.steps_of('probe train') as report:\n"
    "    for i in range(6): report(i, 10, f'loss {i}'); time.sleep(0.2)\n"
)


def test_in_a_terminal_steps_have_a_bar_with_the_loss_and_the_time_left():
    text = in_a_terminal(STEPS)
    assert "probe train" in text and "5/10" in text and "loss 5" in text and "0:00:0" in text


def test_in_ci_a_terminal_has_no_bar():
    assert in_a_terminal(STEPS, CI="true") == ""
