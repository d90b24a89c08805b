"""docs/ci.md: its workflow is sound YAML, its commands and options exist, and the lock's format is the one described."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from initlab.runner.cli import run_command

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, flags=re.S)


def blocks(kind: str) -> list[str]:
    return [text for language, text in BLOCKS if language == kind]


def workflow() -> dict:
    [text] = [text for text in blocks("yaml") if "jobs:" in text]
    return yaml.safe_load(text)


def commands() -> list[list[str]]:
    """Every command in the guide, as words."""
    lines = [line for text in blocks("sh") for line in text.splitlines()]
    lines += [
        line[2:]
        for text in blocks("console")
        for line in text.splitlines()
        if line.startswith("$ ")
    ]
    lines += [
        step["run"] for step in workflow()["jobs"]["initialization"]["steps"] if "run" in step
    ]
    return [shlex.split(line, comments=True) for line in lines]


def test_the_workflow_is_one_that_github_would_take():
    found = workflow()
    assert set(found) == {
        "name",
        True,
        "permissions",
        "jobs",
    }  # YAML 1.1 reads `on` as true; GitHub does not
    [job] = found["jobs"].values()
    assert job["runs-on"] == "ubuntu-latest"
    assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(
        re.fullmatch(r"actions/(checkout|setup-python|upload-artifact)@v[0-9]+", action)
        for action in uses
    )
    reports = [
        word
        for step in job["steps"]
        for word in step.get("run", "").split()
        if word.endswith(".xml")
    ]
    assert reports == ["reports/verify.xml", "reports/pytest.xml"]
    assert job["steps"][-1]["with"]["path"] == "reports/*.xml"


@lru_cache
def help_of(module: str, *command: str) -> str:
    more = ["-p", "no:initlab", "-p", "initlab.pytest_plugin"] if module == "pytest" else []
    return subprocess.run(
        [sys.executable, "-m", module, *command, *more, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_exists(words):
    if words[0] == "git":
        return
    words = words[2:] if words[:2] == ["python", "-m"] else words
    assert words[0] in ("pip", "pytest", "initlab")
    if words[0] == "pip":
        return
    said = help_of("pytest") if words[0] == "pytest" else help_of("initlab", words[1])
    for word in words[1:]:
        if word.startswith("--"):
            assert re.search(rf"(^|\s){word}\b", said, flags=re.M), word


def test_the_options_that_the_text_names_exist():
    named = set(re.findall(r"`(--?[a-z][a-z-]*)", GUIDE))
    said = "".join(help_of("initlab", name) for name in ("lock", "verify", "compare"))
    said += help_of("pytest")
    assert {
        option for option in named if not re.search(rf"(^|\s){option}\b", said, flags=re.M)
    } == set()


def test_the_format_that_is_described_is_the_one_that_is_written(command, tmp_path):
    assert run_command(["lock", "init=normal,orthogonal", "model=shared"]) == 0
    written = yaml.safe_load((tmp_path / "initlab.lock").read_text())
    section = GUIDE.partition("## The lock format")[2]
    named = set(re.findall(r"^\| `(\w+)` \|", section, flags=re.M))
    assert named == set(written)
    assert all(f"`{key}`" in section for run in written["runs"] for key in run)


def test_the_reports_folder_is_made(command, tmp_path):
    assert run_command(["lock", "init=normal", "probe=none"]) == 0
    assert run_command(["verify", "--lock", "initlab.lock", "--junit", "reports/verify.xml"]) == 0
    assert (tmp_path / "reports" / "verify.xml").is_file()
