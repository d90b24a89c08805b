"""The entry of the command: Ctrl-C during the imports is one line and exit code 130, as later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.{before})

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            exec("os.kill(os.getpid(), signal.SIGINT)")

sys.meta_path.insert(0, Interrupting())
from initlab.__main__ import main
main("--help")
"""


def interrupted(name: str, before: str = "default_int_handler") -> subprocess.CompletedProcess[str]:
    """Run `initlab --help`, which is interrupted when it imports the module of that name."""
    script = SCRIPT.format(name=name, before=before)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.mark.parametrize(
    "name", ["initlab.runner.cli", "numpy", "argparse", "initlab.runner.terminal.help"]
)
def test_an_interrupt_while_a_module_is_imported_is_one_line_and_130(name):
    done = interrupted(name)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: stopped from the keyboard\n"


def test_an_interrupt_that_the_parent_ignores_stays_ignored():
    done = interrupted("numpy", before="SIG_IGN")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage" in done.stdout.lower()


def test_the_entry_leaves_the_handler_of_the_signal_as_it_was():
    script = (
        "import signal\nfrom initlab.__main__ import main\ntry: main('--version')\n"
        "finally: print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stdout.endswith("True\n") and done.returncode == 0
