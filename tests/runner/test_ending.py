"""A process that is asked to end ends as after Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import time
from initlab.runner.ending import end_in_order

end_in_order()
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt as error:
    print(error, flush=True)
    time.sleep(60 if SLOW else 0.3)
    print("in order", flush=True)
"""


@pytest.fixture
def begin():
    """`begin(slow)` starts a process that tidies up when it is asked to end, slowly or not."""
    begun = []

    def call(slow: bool) -> subprocess.Popen[str]:
        program = PROGRAM.replace("SLOW", str(slow))
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield call
    for process in begun:
        process.kill()
        process.communicate()


def test_the_same_signal_twice_at_once_is_one(begin):
    process = begin(slow=False)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "stopped by SIGTERM\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20)[0] == "in order\n"
    assert process.returncode == 0


def test_a_second_signal_later_ends_it_at_once(begin):
    process = begin(slow=True)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "stopped by SIGTERM\n"
    time.sleep(1.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == -signal.SIGTERM
