"""The option files that are shipped, and the user's beside them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.config.compose import HYDRAS
from initlab.runner.config.option_files import check_overlay, conf_dir, shipped_options
from initlab.runner.errors import ConfigError


def test_options_are_the_names_of_files_by_group():
    found = shipped_options()
    assert {"he", "normal", "xavier"} <= found["init"] and "none" in found["tracker"]
    assert found["init"] == {file.stem for file in (conf_dir() / "init").glob("*.yaml")}


def overlay(folder: Path, *options: str) -> Path:
    """A folder of options; a file's text is `kind: zero`."""
    folder.mkdir(exist_ok=True)
    for option in options:
        file = folder / f"{option}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("kind: zero\n")
    return folder


GROUPS = sorted(shipped_options())


@pytest.mark.parametrize("group", GROUPS)
def test_a_users_option_that_ours_hides_is_refused_in_every_group(tmp_path, group):
    ours = sorted(path.stem for path in (conf_dir() / group).rglob("*.yaml"))[0]
    option = next((conf_dir() / group).rglob(f"{ours}.yaml")).relative_to(conf_dir())
    folder = overlay(tmp_path / "own", str(option.with_suffix("")), f"{group}/of_my_own")
    with pytest.raises(ConfigError) as refused:
        check_overlay(folder)
    [problem] = refused.value.problems
    assert problem.place == str(folder / option)
    assert problem.message == (
        f"is hidden by {option.parent.as_posix()}={ours} of initlab itself - give it another name"
    )


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("hydra/output/default", "is hidden by hydra/output=default of initlab itself"),
        ("hydra/job_logging/none", "is hidden by hydra/job_logging=none of initlab itself"),
        ("schema/config", "is in the group schema, which is initlab's"),
        ("config", "is not read: there is one root config"),
    ],
)
def test_a_users_file_that_would_not_be_read_or_would_replace_a_schema_is_refused(
    tmp_path, option, said
):
    with pytest.raises(ConfigError, match=said):
        check_overlay(overlay(tmp_path / "own", option, "init/mine"), before=HYDRAS)


def test_every_hidden_option_is_named_and_a_copy_of_ours_is_none(tmp_path):
    folder = overlay(tmp_path / "own", "init/he", "model/mlp", "init/mine")
    with pytest.raises(ConfigError) as refused:
        check_overlay(folder)
    assert len(refused.value.problems) == 2
    shutil.copytree(conf_dir() / "init", folder / "init", dirs_exist_ok=True)
    shutil.copytree(conf_dir() / "model", folder / "model", dirs_exist_ok=True)
    check_overlay(folder)


@pytest.mark.parametrize(
    ("options", "within", "said"),
    [
        ([], "", "has no option - give a folder that holds groups, like my_conf/init/wide.yaml"),
        (["init/mine"], "init", "is a group itself, not a folder of groups - give"),
        (["mine"], "", "has no option"),
    ],
)
def test_a_folder_without_options_is_refused_by_its_name(tmp_path, options, within, said):
    folder = overlay(tmp_path / "own", *options) / within
    with pytest.raises(ConfigError) as refused:
        check_overlay(folder)
    assert str(refused.value).startswith(f"--config-dir {folder}: {said}")


def test_a_users_folder_must_be_one(tmp_path):
    with pytest.raises(ConfigError, match="is no folder - give one that holds groups"):
        check_overlay(tmp_path / "nowhere")


def test_a_users_folder_is_none_of_a_package_and_is_named_as_it_was_typed():
    with pytest.raises(
        ConfigError, match="^--config-dir pkg://evil: is no folder: options are read"
    ):
        check_overlay("pkg://evil")


def test_files_that_end_in_yml_are_not_the_reason_why_there_is_nothing_without_saying_so(tmp_path):
    overlay(tmp_path / "own", "init/mine")
    (tmp_path / "own/init/mine.yaml").rename(tmp_path / "own/init/mine.yml")
    with pytest.raises(ConfigError, match="which are not read - rename them to .yaml"):
        check_overlay(tmp_path / "own")


def test_a_link_to_nothing_in_the_place_of_ours_is_refused_as_a_file_would_be(tmp_path):
    folder = overlay(tmp_path / "own", "init/mine")
    (folder / "init/he.yaml").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="is hidden by init=he of initlab itself"):
        check_overlay(folder)


def test_listing_them_imports_no_engine():
    program = (
        "import sys; from initlab.runner.config.option_files import shipped_options; shipped_options();"
        "print('initlab.engine.init' in sys.modules, 'hydra' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"
