"""`initlab help`: nothing that a config can name is forgotten, and it fits."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from initlab.runner.config import schema
from initlab.runner.errors import ConfigError
from initlab.runner.reference.groups import OF_MODELS, groups
from initlab.runner.reference.terminal import about, about_group, continued, help_on

ROOT = Path(__file__).parents[3]
CONF = ROOT / "conf"


def text(name: str, *folders: Path, width: int = 80) -> str:
    return "\n".join(line.text for line in help_on(name, folders, width))


def test_every_file_and_kind_of_a_group_is_listed_and_the_default_marked():
    chosen = {
        group: [option] if isinstance(option, str) else option
        for entry in yaml.safe_load((CONF / "config.yaml").read_text())["defaults"]
        if isinstance(entry, dict)
        for group, option in entry.items()
    }
    for folder in (one for one in CONF.iterdir() if list(one.glob("*.yaml"))):
        names = {line.split()[0] for line in text(folder.name).splitlines() if line[2:3].strip()}
        kinds = schema.kinds(folder.name) if folder.name in schema.GROUPS else ()
        known = {file.stem for file in folder.glob("*.yaml")} | set(kinds)
        assert known - set(chosen[folder.name]) <= names
        assert {f"{name}*" for name in chosen[folder.name]} <= names


def test_every_key_is_listed_and_says_what_it_means():
    root = yaml.safe_load((CONF / "config.yaml").read_text())
    keys = {key for key in root if key not in ("defaults", "hydra", "sweep")}
    keys |= {f"sweep.{key}" for key in root["sweep"]}
    entries = groups()["keys"].entries()
    assert set(entries) == keys | set(OF_MODELS)
    of_model = {field.name for field in fields(schema.Model)}
    assert of_model <= {key.removeprefix("model.") for key in OF_MODELS}
    assert [name for name, entry in entries.items() if not entry.summary] == []
    assert set(root["sweep"]) == set(schema.SweepOptions.__dataclass_fields__)
    chosen = {folder.name for folder in CONF.iterdir()}
    assert set(schema.Config.__dataclass_fields__) - chosen <= keys


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("normal", ["normal: initializer", "normal: data"]),
        ("init.normal", ["normal: initializer"]),
        ("init=normal", ["normal: initializer"]),
        ("seed", ["seed: key", "from 0 to 2^64-1"]),
        ("sweep.grid", ["sweep.grid: key"]),
        ("grid", ["sweep.grid: key"]),
        ("verify", ["usage: initlab verify", "exit codes:"]),
        ("sigma", ["'sigma' is an option of", "init.normal"]),
        ("layers", ["Layers", "dense", "initlab help measure.layers"]),
        ("glorot_normal", ["Var = 2 / (fan_in + fan_out)", "kind variance_scaling", "avg"]),
        ("constant", ["must be given"]),
        ("gain", ["gain: closed form", "activation"]),
        ("dead-units", ["dead-units: symptom"]),
        ("slurm", ["launcher"]),
        ("relu", ["relu: activation", "max(x, 0)"]),
        ("adam", ["adam: optimizer", "beta1", "0.9"]),
    ],
)
def test_what_a_name_shows(name, shown):
    printed = text(name)
    assert [part for part in shown if part not in printed] == []
    if name.startswith("init"):
        assert "data" not in printed.splitlines()[0]
        assert "normal: data" not in printed


def test_a_group_is_found_by_what_it_lists_too():
    assert text("initializer") == text("init")
    assert "initlab help sweep.initializers" in text("initializers").removeprefix(text("init"))
    assert "'experiments' is a command too: initlab help commands.experiments" in text(
        "experiments"
    )


def test_no_line_about_an_entry_or_a_group_is_wider_than_asked():
    for group in groups().values():
        for name, entry in group.entries().items():
            lines = [line.text for line in about(entry, group, 80)]
            assert [line for line in lines if len(line) > 80] == []
            assert (entry.group, entry.name) == (group.name, name)
        for width in (72, 80, 120):
            lines = [line.text for line in about_group(group, (), width)]
            assert max(map(len, lines)) <= width


def test_an_example_that_is_too_long_goes_on_after_a_backslash_between_words():
    lines = [one.text for one in continued("initlab 'a b' c=1 'd e f'", 20)]
    assert lines == ["  initlab 'a b' \\", "      c=1 'd e f'"]
    assert [one.text for one in continued("initlab a", 20)] == ["  initlab a"]
    lines = [one.text for one in continued("{form: gain, activation: tanh}", 20)]
    assert lines == ["  {form: gain,", "      activation:", "      tanh}"]


def test_an_option_says_where_it_is_one_and_a_place_narrows_it():
    assert "data.normal" in text("std") and "init.residual_scaled" in text("std")
    assert "data.normal" not in text("init.std")
    with pytest.raises(ConfigError, match="nothing that a config can name"):
        help_on("tracker.std", (), 80)


def test_without_a_name_every_group_is_listed():
    named = {line.split()[0] for line in text("").splitlines() if line.startswith("  ")}
    folders = {folder.name for folder in CONF.iterdir() if list(folder.glob("*.yaml"))}
    assert folders | {"layers", "forms", "laws", "keys", "commands", "launcher"} <= named


@pytest.mark.parametrize("name", ["freeze", "share", "trainable", "grid"])
def test_a_key_is_found_by_its_last_name(name):
    assert "key" in text(name).splitlines()[0]
