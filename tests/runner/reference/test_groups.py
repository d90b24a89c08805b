"""The groups have everything: kinds, option files, keys and commands, with the defaults that hold."""

from __future__ import annotations

import pytest

from initlab.runner.config import schema
from initlab.runner.errors import ConfigError
from initlab.runner.layers import REGISTRY as LAYERS
from initlab.runner.reference.groups import files_of, groups, overlay, usual
from initlab.runner.theory.forms import FORMS


def default(group: str, name: str, option: str) -> str | None:
    [found] = [one for one in groups()[group].entries()[name].options if one.name == option]
    return found.default


def test_every_kind_of_every_registry_is_in_its_group():
    known = groups()
    for group in schema.GROUPS:
        assert set(schema.kinds(group)) <= set(known[group].entries())
    assert set(known["layers"].entries()) == set(LAYERS)
    assert set(known["forms"].entries()) == set(FORMS)


def test_the_default_of_an_option_is_that_of_the_file_which_the_name_chooses():
    assert default("data", "normal", "batch") == "256"
    assert default("init", "glorot_normal", "mode") == "avg"
    assert default("init", "variance_scaling", "mode") == "in"
    assert default("init", "xavier", "fans") == "roles"


def test_a_kind_names_the_files_that_choose_it_under_other_names():
    notes = groups()["init"].entries()["he"].notes
    assert [note.partition(":")[0] for note in notes] == ["init=he_fan_out", "init=he_uniform"]


def test_the_options_of_the_root_config_are_the_defaults_of_their_groups():
    known = groups()
    assert known["stats"].default == ("moments", "law")
    assert known["measure"].default == ()
    assert known["init"].default == ("default",)


def test_a_users_folder_has_options_too(tmp_path):
    (tmp_path / "init").mkdir()
    text = "# Wider.\ndefaults:\n  - /schema/init/normal@_here_\n  - _self_\nsigma: 0.5\n"
    (tmp_path / "init" / "wide.yaml").write_text(text)
    entry = groups()["init"].entries(overlay(str(tmp_path)))["wide"]
    assert entry.text == ("Wider.", "It is the kind normal with other defaults.")
    assert [(one.name, one.default) for one in entry.options] == [("sigma", "0.5")]
    file = files_of("init", [tmp_path])["wide"]
    assert (file.kind, file.sets) == ("normal", {"sigma": 0.5})


def test_a_users_folder_must_be_one(tmp_path):
    assert overlay(None) == ()
    with pytest.raises(ConfigError, match="is no folder"):
        overlay(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("init", "initlab init=x"),
        ("stats", "initlab stats=[x]"),
        ("experiment", "initlab -m experiment=x dry_run=true"),
        ("launcher", "initlab -m seed=0,1 hydra/launcher=x"),
    ],
)
def test_the_words_that_choose_an_option(group, words):
    assert usual(group, "x") == words
