"""The comment by which a file names its schema."""

from __future__ import annotations

from pathlib import Path

from initlab.runner.config.option_reader import read
from initlab.runner.reference.modelines import modelines


def test_the_line_leads_from_a_file_to_its_schema(tmp_path):
    found = dict(modelines(tmp_path / "schemas", tmp_path / "own"))
    assert found[str(tmp_path / "own/init/*.yaml")].endswith("$schema=../../schemas/init.json")
    assert found[str(tmp_path / "own/sweep/*.yaml")].endswith("$schema=../../schemas/config.json")
    launcher = found[str(tmp_path / "own/hydra/launcher/*.yaml")]
    assert launcher.endswith("$schema=../../../schemas/launcher.json")


def test_the_line_is_a_comment_for_the_runner_also_below_the_package(tmp_path):
    line = dict(modelines(Path("schemas"), Path("own")))["own/experiment/*.yaml"]
    file = tmp_path / "mine.yaml"
    file.write_text(f"# @package _global_\n{line}\nname: mine\n")
    found = read(file, "experiment/mine")
    assert (found.package, found.content) == ("_global_", {"name": "mine"})
