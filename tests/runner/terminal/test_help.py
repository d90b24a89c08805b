"""`--help`: nothing that can be chosen or set is forgotten, and it fits."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from initlab.runner.config import schema
from initlab.runner.terminal import help as runner_help

ROOT = Path(__file__).parents[3]
CONF = ROOT / "conf"
PLUGIN = """
from dataclasses import dataclass
from initlab.engine import init

@init.register
@dataclass(eq=False, repr=False)
class MyOwn(init.Initializer):
    factor: float = 0.5
"""


@pytest.fixture
def text(command) -> str:
    done = command("--help")
    assert done.code == 0
    assert done.err == ""
    return done.out


def options_under(text: str, group: str) -> set[str]:
    """The options printed below a group."""
    found = re.search(rf"^  {group} .*\n((?: {{6,}}.*\n)+)", text, re.MULTILINE)
    assert found, f"{group} is not listed"
    return {word.rstrip("*") for word in found[1].split()}


def test_every_group_is_listed_with_every_option(text):
    for group in (folder for folder in CONF.iterdir() if list(folder.glob("*.yaml"))):
        assert {file.stem for file in group.glob("*.yaml")} <= options_under(text, group.name)
    for group in schema.GROUPS:
        kinds = schema.kinds(group).entries()
        built_in = {kind for kind in kinds if kinds[kind].__module__.startswith("initlab.")}
        assert built_in <= options_under(text, group), "a built-in kind needs a file in conf/"


def test_every_group_says_what_it_is(text):
    assert "of your own" not in text.partition("Keys:")[0]


def test_default_choices_are_marked(text):
    for entry in yaml.safe_load((CONF / "config.yaml").read_text())["defaults"]:
        if isinstance(entry, dict):
            [(group, chosen)] = entry.items()
            for option in [chosen] if isinstance(chosen, str) else chosen:
                assert group.startswith("override") or re.search(
                    rf"^  {group} .*\n(?: {{6,}}.*\n)* {{6,}}(.* )?{option}\*", text, re.MULTILINE
                )


def test_every_key_is_listed_and_says_what_it_means(text):
    root = yaml.safe_load((CONF / "config.yaml").read_text())
    keys = [key for key in root if key not in ("defaults", "hydra", "sweep")] + [
        f"sweep.{key}" for key in root["sweep"]
    ]
    for key in keys:
        assert re.search(rf"^  {re.escape(key)} +\S.*$", text, re.MULTILINE), key
    assert set(root["sweep"]) == set(schema.SweepOptions.__dataclass_fields__)
    groups = {folder.name for folder in CONF.iterdir()}
    assert set(schema.Config.__dataclass_fields__) - groups <= set(keys)


@pytest.mark.parametrize("width", [70, 80, 120])
def test_no_line_is_wider_than_asked(width):
    assert not [
        line for line in runner_help.help_text(width=width).splitlines() if len(line) > width
    ]


def test_in_a_pipe_lines_have_80_columns_and_head_may_stop_reading(tmp_path):
    words = [sys.executable, "-m", "runner", "--help"]
    done = subprocess.run(
        words,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": ""},
    )
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.isascii()
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_every_command_is_named(text):
    listed = text.partition("\nCommands")[2].partition("\n\n")[0]
    named = set(re.findall(r"^ +initlab (\w+)", listed, re.MULTILINE))
    files = {file.stem for file in (ROOT / "runner" / "commands").glob("*.py")}
    assert named == files - {"__init__", "base"}


def test_every_example_composes(command, monkeypatch):
    for words, _ in runner_help.EXAMPLES:
        if "my_init" not in words:
            given = [word.strip("'") for word in words.split()]
            done = command(*given, "dry_run=true") if "task=plan" not in words else command(*given)
            assert done.code == 0, done.err


def test_a_plugins_kinds_and_a_folders_options_are_listed(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "own" / "model").mkdir(parents=True)
    (tmp_path / "own" / "model" / "wide.yaml").write_text("# Wide.\n")
    words = ["--plugin", str(tmp_path / "mine.py"), "--config-dir", str(tmp_path / "own"), "--help"]
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "my_own" in options_under(done.stdout, "init")
    assert "wide" in options_under(done.stdout, "model")


def test_words_beside_help_are_not_composed(command, text, tmp_path):
    marker = tmp_path / "called"
    for words in (
        ["init=he"],
        ["no=thing"],
        [f"+hydra.callbacks.x={{_target_: pathlib.Path.mkdir, self: {marker}}}"],
        ["-m"],
    ):
        assert command("--help", *words).out == text
    assert not list(tmp_path.iterdir())


def test_hydras_own_flags_work_as_before(command):
    assert "kind: he" in command("init=he", "--cfg", "job").out
    assert "Config search path" in command("--info", "searchpath").out
    done = subprocess.run(
        [sys.executable, "-m", "runner", "--hydra-help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "--experimental-rerun" in done.stdout


def test_files_that_an_installed_package_lacks_are_said_to_be_in_the_source(text):
    said = " ".join(text.split())
    assert "The source of InitLab comes with README.md" in said
    assert "docs/experiments.md in the source" in said
