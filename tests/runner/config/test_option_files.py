"""The option files that are shipped, and the user's beside them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from initlab.runner.config.option_files import check_overlay, conf_dir, shipped_options
from initlab.runner.errors import ConfigError


def test_options_are_the_names_of_files_by_group():
    found = shipped_options()
    assert {"he", "normal", "xavier"} <= found["init"] and "none" in found["tracker"]
    assert found["init"] == {file.stem for file in (conf_dir() / "init").glob("*.yaml")}


def test_a_users_folder_must_be_one_and_a_hidden_option_is_warned_of(tmp_path, capsys):
    with pytest.raises(ConfigError, match="is no folder - give one that holds groups"):
        check_overlay(tmp_path / "nowhere")
    for name in ("he", "mine"):
        file = tmp_path / "init" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text("kind: zero\n")
    check_overlay(tmp_path)
    warned = capsys.readouterr().err.splitlines()
    assert len(warned) == 1 and "he.yaml is ignored: initlab has a init/he of its own" in warned[0]


def test_listing_them_imports_no_engine():
    program = (
        "import sys; from initlab.runner.config.option_files import shipped_options; shipped_options();"
        "print('initlab.engine.init' in sys.modules, 'hydra' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"
