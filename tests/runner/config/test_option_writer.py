"""Options of one's own, written as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from initlab.runner.config.option_writer import OptionFile
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("my.yaml", "must be a file in a folder 'init', like my_conf/init/my_net.yaml"),
        ("init/my.yml", "must be a file in a folder 'init'"),
        ("init/my net.yaml", "must have a name of letters, digits, _ and -"),
        ("init/he.yaml", "is hidden by init=he of initlab itself"),
        ("init/there.yaml", "exists - remove it, or give another name"),
    ],
)
def test_a_file_that_cannot_be_a_new_option_is_refused(tmp_path, path, said):
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "there.yaml").touch()
    with pytest.raises(ConfigError, match=said):
        OptionFile(tmp_path / path, "init", "--write")


def test_nested_options_and_texts_that_look_like_interpolations_come_back(tmp_path):
    rule = {"match": r".*\.a$", "kind": "normal", "sigma": 1e-05}
    options = {"kind": "mixed", "rules": [rule, {"match": "x${1}", "kind": "zero"}]}
    file = OptionFile(tmp_path / "init" / "mine.yaml", "init", "--write")
    file.write(options, "a remark")
    from initlab.runner.config.compose import read_option

    found = read_option(Path(tmp_path / "init" / "mine.yaml"))
    assert found["defaults"] == ["/schema/init/mixed@_here_", "_self_"]
    assert found["rules"][0] == rule


def test_a_written_option_is_found(tmp_path):
    file = OptionFile(tmp_path / "init" / "mine.yaml", "init", "--write")
    file.write({"kind": "normal", "sigma": 0.25}, "a remark")
    run = declare("init=mine", config_dir=tmp_path)
    assert (
        run.run_id.split("-")[-1] == declare("init=normal", "init.sigma=0.25").run_id.split("-")[-1]
    )
