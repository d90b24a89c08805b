"""In a checkout `engine` and `runner` stand for the packages of `initlab`, and `python -m
runner.COMMAND` runs a command.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.commands import REGISTRY

ROOT = Path(__file__).parents[1]


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_command_runs_below_runner_also_where_a_package_has_its_name(name):
    done = python("-m", f"runner.{name}", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == python("-m", "initlab", name, "--help").stdout


def test_a_wrong_command_below_runner_is_told_the_nearest():
    done = python("-m", "runner.verfy")
    assert done.returncode == 2
    assert "did you mean 'verify'?" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("engine.verify", "No module named engine.verify"),
        ("engine.init", "'engine.init' is no command and cannot be directly executed"),
        ("runner.commands.verify", "'runner.commands.verify' is no command and cannot be"),
        ("runner.figures.nope", "No module named runner.figures.nope"),
        ("initlab.runner.commands.verify", "verify is run by its name: python -m initlab verify"),
    ],
)
def test_what_is_no_command_is_refused_by_python(name, said):
    done = python("-m", name)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", ["engine.nope", "runner.nope", "runner.verify", "engine.gluon.nope"]
)
def test_a_module_that_does_not_exist_has_no_spec_and_is_not_found_under_its_own_name(name):
    importlib.import_module(name.partition(".")[0])
    assert importlib.util.find_spec(name) is None
    with pytest.raises(ModuleNotFoundError, match=f"^No module named '{name}'$") as missing:
        importlib.import_module(name)
    assert missing.value.name == name


def test_a_module_behind_the_doorway_is_the_same_module():
    for name in ("engine.nd", "runner.plan", "runner.figures.path"):
        importlib.import_module(name.partition(".")[0])
        assert importlib.import_module(name) is importlib.import_module(f"initlab.{name}")
        assert importlib.util.find_spec(name) is not None


def test_a_module_is_imported_also_while_python_looks_for_the_one_to_run(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("import runner.plan.row as found\n")
    (tmp_path / "mine" / "__main__.py").write_text("import mine; print(mine.found.__name__)\n")
    code = f"import sys, runpy; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
    code += "sys.argv[0] = '-m'; runpy.run_module('mine')"
    done = python("-c", code)
    assert done.stdout == "initlab.runner.plan.row\n", done.stderr
