"""Completion in a real bash, through a script named `initlab`; nothing is run, imported or written
on the way.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from initlab.runner.config.hydra_internals import arguments_parser
from initlab.runner.sweep.plugin import register
from initlab.runner.terminal import completion

ROOT = Path(__file__).parents[3]
SCRIPT = """#!{python}
import sys
from initlab.runner.cli import main
sys.exit(main())
"""
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.fixture
def environment(tmp_path, monkeypatch) -> dict[str, str]:
    """Where `initlab` is a command, in an empty folder that is the working directory."""
    program = tmp_path / "bin" / "initlab"
    program.parent.mkdir()
    program.write_text(SCRIPT.format(python=sys.executable))
    program.chmod(0o755)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "PS1": "$ ",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def ask_bash(line: str, environment: dict[str, str], breaks: str = "") -> list[str]:
    """What the function that `-sc install=bash` defines answers to TAB at the line's end, in a bash
    that breaks words at `breaks`.
    """
    words = f"({' '.join(shlex.quote(word) for word in line.split(' '))})"
    asked = f"""
        eval "$(initlab -sc install=bash)"
        COMP_WORDBREAKS={shlex.quote(breaks)} COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)} COMP_WORDS={words}
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _initlab_complete initlab
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", asked], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@needs_bash
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("initlab init=no", ["init=normal"]),
        ("initlab init=normal init.sig", ["init.sigma="]),
        ("initlab init=normal init.sigma=", ["init.sigma=0.01"]),
        ("initlab sweep=", ["sweep=initializers", "sweep=none", "sweep=tune_sigma"]),
        ("initlab sweep.gr", ["sweep.grid="]),
        ("initlab mod", ["model.", "model="]),
        ("initlab --mul", ["--multirun"]),
    ],
)
def test_bash_completes(line, expected, environment):
    assert ask_bash(line, environment) == expected
    assert not list(Path().iterdir())


@needs_bash
def test_bash_that_breaks_words_at_equal_signs_gets_what_comes_after(environment):
    assert ask_bash("initlab init=no", environment, breaks=" =:") == ["normal"]


@needs_bash
def test_tab_in_an_interactive_bash_writes_the_word(environment):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
    screen = ""

    def until(wanted: str) -> None:
        nonlocal screen
        deadline = time.monotonic() + 60
        while wanted not in screen and time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.2)[0]:
                screen += os.read(terminal, 4096).decode()
        assert wanted in screen, screen

    try:
        os.write(terminal, b'eval "$(initlab -sc install=bash)"; echo rea""dy\n')
        until("ready\r\n")
        os.write(terminal, b"initlab init=no\t")
        until("init=normal")
        os.write(terminal, b"\x15exit\n")
        until("exit\r\n")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def sc(words: str, environment: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    program = Path(environment["PATH"].split(os.pathsep)[0]) / "initlab"
    return subprocess.run(
        [str(program), "-sc", *words.split()],
        env=environment | more,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("what", ["install", "uninstall"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(shell, what, environment):
    done = sc(f"{what}={shell}", environment)
    assert done.returncode == 0
    assert "_initlab_complete" in done.stdout
    assert "NAME" not in done.stdout
    assert done.stderr == ""


def test_python_m_says_in_one_line_that_completion_needs_the_console_script():
    done = subprocess.run(
        [sys.executable, "-m", "runner", "-sc", "install=bash"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == 'error: -sc: completion needs the console script - install initlab, then: eval "$(initlab -sc install=bash)"\n'
    )


def test_an_unknown_shell_is_refused(environment):
    done = sc("install=tcsh", environment)
    assert done.returncode == 2
    assert (
        "takes one of install=SHELL, uninstall=SHELL, query=SHELL, where SHELL is bash, zsh, fish"
        in done.stderr
    )


@pytest.mark.parametrize(
    "word",
    [
        "+hydra.callbacks.x={{_target_: pathlib.Path.mkdir, self: {marker}}}",
        "+model.x={{_target_: pathlib.Path.mkdir, self: {marker}}}",
        "hydra.searchpath=[pkg://mischief]",
        "--plugin mischief.py",
        "hydra.job_logging.handlers.console.stream=ext://mischief.x",
        "$(touch {marker})",
    ],
)
def test_nothing_that_the_line_names_is_run(word, environment, tmp_path):
    marker = tmp_path / "called"
    (tmp_path / "mischief.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    given = word.format(marker=marker).replace("mischief.py", str(tmp_path / "mischief.py"))
    quoted = given if given.startswith("--plugin") else shlex.quote(given)
    more = {"COMP_LINE": f"initlab {quoted} init=no", "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = sc("query=bash", environment, **more)
    assert (done.returncode, done.stdout, done.stderr) == (0, "init=normal\n", "")
    sc("query=bash", environment, **more | {"COMP_LINE": f"initlab {quoted}"})
    sc("query=bash", environment, **more | {"COMP_LINE": f"initlab {quoted} hydra."})
    assert not marker.exists()
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("initlab -m init=normal,xav", ["init=normal,xavier"]),
        ("initlab stats=[moments,hi", ["stats=[moments,histogram"]),
        ("initlab measure=[lay", ["measure=[layers"]),
        ("initlab no=thing init=bad dry_run=", ["dry_run=false", "dry_run=true"]),
        ("initlab --cfg j", ["job"]),
        ("initlab --plugin x", []),
        ("initlab 'init=no", ["init=normal"]),
        ("initlab shard=", []),
        ("initlab help residual_s", ["residual_scaled"]),
        ("initlab help nothing", []),
        ("initlab name", ["name="]),
        ("initlab nothing.at.all", []),
        ("initlab", []),
        ("", []),
    ],
)
def test_a_line_has_these_completions(line, expected):
    register()
    assert completion.answer(line) == expected


def test_every_flag_exists():
    known = {flag for action in arguments_parser()._actions for flag in action.option_strings} | {
        "--plugin"
    }
    assert set(completion.FLAGS) | set(completion.WITH_VALUE) <= known


def test_a_folders_options_are_completed(tmp_path):
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "wide.yaml").write_text("kind: normal\nsigma: 3\n")
    assert completion.answer(f"initlab --config-dir {tmp_path} init=wi") == ["init=wide"]
    assert completion.answer(f"initlab --config-dir {tmp_path / 'none'} init=wi") == []
