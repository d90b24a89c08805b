"""The files around the code say what is true: the workflow, the hooks, the citation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import initlab

ROOT = Path(__file__).parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def commands() -> list[str]:
    """Return every command that the workflow runs."""
    return [
        step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step
    ]


def targets() -> set[str]:
    """Return the names that `make` knows."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def test_the_workflow_tests_every_python_that_the_package_names():
    named = [
        found[1]
        for text in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", text))
    ]
    assert WORKFLOW["jobs"]["quick"]["strategy"]["matrix"]["python"] == named


@pytest.mark.parametrize("page", [".github/workflows/tests.yml", "CONTRIBUTING.md", "README.md"])
def test_every_make_command_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    said = re.findall(r"(?:`|run: |^)make (?:[A-Z]+=\S+ )*([a-z-]+)", text, re.M)
    assert "test" in said and set(said) <= targets()


def test_the_workflow_looks_for_the_known_values():
    root = "dfb99da95943c7c2c7e516496bee8cae0f1a4b3be8603e7e2a1f6c380b3a433e"
    assert any(root in command for command in commands())
    assert any(".ci/run" in command for command in commands())


def test_the_hooks_use_the_ruff_that_the_tests_use():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [rev] = [repo["rev"] for repo in hooks["repos"] if "ruff" in repo["repo"]]
    pinned = re.search(r"^ruff==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.M)
    assert pinned is not None and rev == f"v{pinned[1]}"


def test_the_citation_is_of_this_version_and_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == initlab.__version__
    assert citation["license"] == PROJECT["license"]
