"""What a command's runs have in common: its words without secrets, and the folder of options."""

from __future__ import annotations

import pytest

from initlab.runner.config.calling import Asking, command_line, config_dir_of, masked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/usr/bin/initlab", "init=he"], ["initlab", "init=he"]),
        (["/src/runner/__main__.py", "-m", "a=1,2"], ["initlab", "-m", "a=1,2"]),
        (["/lib/initlab/__main__.py"], ["initlab"]),
        (["train.py", "--key=abc"], None),
        (["/lib/ipykernel/__main__.py", "-f", "x"], None),
        ([], None),
    ],
)
def test_the_command_line_is_ours_or_none(words, said):
    assert command_line(words) == said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("+hydra.job.env_set.WANDB_API_KEY=abc=d", "+hydra.job.env_set.WANDB_API_KEY=***"),
        ("hydra.launcher.ray.init.runtime_env.env_vars={A: b}", None),
        ("vars.api_key=1", "vars.api_key=***"),
        (
            "tracker.tracking_uri=https://me:secret@host/x",
            "tracker.tracking_uri=https://***@host/x",
        ),
        ("init=he", "init=he"),
        ("data.tokens=3", "data.tokens=3"),
        ("note=a=b://c", "note=a=b://c"),
    ],
)
def test_a_secret_in_a_word_is_masked(word, said):
    assert masked(word) == (said or f"{word.partition('=')[0]}=***")


def test_the_digest_of_a_folder_of_options_follows_names_and_content(tmp_path):
    (tmp_path / "init").mkdir()
    file = tmp_path / "init" / "wide.yaml"
    found = []
    for text in ("a: 1\n", "a: 2\n", "a: 1\n"):
        file.write_text(text)
        found.append(config_dir_of(tmp_path))
    (tmp_path / "notes.txt").write_text("no option")
    assert found[0] == found[2] == config_dir_of(tmp_path) != found[1]
    file.rename(tmp_path / "init" / "other.yaml")
    assert config_dir_of(tmp_path).sha256 != found[0].sha256


def test_a_command_asks_once(monkeypatch):
    asked = []
    monkeypatch.setattr("initlab.runner.evidence.git.state_of", lambda folder: asked.append(folder))
    asking = Asking()
    asking.begin()
    assert asking() is asking()
    assert len(asked) == 1
