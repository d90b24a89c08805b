"""Everything that a config can name is described: what it does, each option, its source, and an example
that the runner takes.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from initlab.engine import laws
from initlab.runner import layers
from initlab.runner.command import REGISTRY as COMMANDS
from initlab.runner.config import schema
from initlab.runner.reference.entry import Entry
from initlab.runner.reference.groups import groups
from initlab.runner.theory import forms

OURS = {
    *("repeat", "last_step"),  # layers
    *("blocks", "stacked", "custom", "loaded", "structured", "zero_rows"),
    *("constant", "normal", "uniform", "truncated_normal"),  # laws
}
"""Kinds of groups with sources that are from nowhere else."""
SOURCED = ("layers", "activations", "init", "optimizers", "measure", "forms", "laws", "symptoms")
ENTRIES = {
    f"{group.name}.{name}": entry
    for group in groups().values()
    for name, entry in group.entries().items()
}


@pytest.mark.parametrize("place", ENTRIES)
def test_an_entry_says_what_it_is_and_has_an_example(place):
    entry = ENTRIES[place]
    assert entry.summary, "a first sentence in the docstring, or the file's first comment"
    assert entry.example or entry.group == "symptoms", "a paragraph Example: in the docstring"
    silent = [option.name for option in entry.options if not option.about]
    assert silent == [] or entry.group == "keys", "a string below the field in the class"
    if entry.group in SOURCED and entry.cls is not None and entry.name not in OURS:
        assert entry.source, "a paragraph Source: in the docstring"


def words_in(example: str) -> list[list[str]]:
    """The words after `initlab` of each line of an example."""
    lines = [shlex.split(line.partition("  #")[0]) for line in example.split("\n") if line]
    assert all(line[0] == "initlab" for line in lines)
    return [line[1:] for line in lines]


def planned(command, entry: Entry, folder: Path) -> None:
    """Plan the network of an example, drawn by the kind where it is an initializer."""
    (folder / "own" / "model").mkdir(parents=True)
    head = "defaults:\n  - /schema/model@_here_\n  - _self_\n"
    (folder / "own" / "model" / "example.yaml").write_text(head + entry.example)
    kinds = entry.example
    assert entry.name in kinds or entry.group == "init"
    chosen = [f"init={entry.name}"] if entry.group == "init" and entry.name not in kinds else []
    data = ["data=tokens", "probe=none"] if "kind: embedding" in kinds else []
    done = command("plan", "model=example", *chosen, *data, "--config-dir", "own")
    assert done.code == 0, done.err


YAML = [place for place, entry in ENTRIES.items() if "layers:\n" in entry.example]
SLOW = ("experiment",)
"""Groups whose examples are many runs."""
WORDS = [
    pytest.param(place, marks=[pytest.mark.slow] if entry.group in SLOW else [])
    for place, entry in ENTRIES.items()
    if entry.example.startswith("initlab") and entry.group != "commands"
]
NEEDS = {
    "tracker": "a library that is not installed everywhere",
    "launcher": "a library that is not installed everywhere",
    "device": "a GPU",
}


@pytest.mark.parametrize("place", YAML)
def test_the_example_of_a_layer_or_an_initializer_is_planned(place, command, tmp_path):
    planned(command, ENTRIES[place], tmp_path)


def test_every_layer_has_an_example_network():
    assert {f"layers.{kind}" for kind in layers.REGISTRY} <= set(YAML)


@pytest.mark.parametrize("place", WORDS)
def test_the_words_of_an_example_are_taken(place, command, tmp_path):
    entry = ENTRIES[place]
    if entry.group in NEEDS and entry.name not in ("none", "cpu"):
        pytest.skip(f"needs {NEEDS[entry.group]}")
    if "optuna" in entry.example or entry.name == "tune_sigma":
        pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="needs the extra optuna")
    if "values.safetensors" in entry.example:
        assert command("run", "name=r", "snapshot=safetensors").code == 0
        [made] = tmp_path.glob("outputs/r/*/*.safetensors")
        made.rename(tmp_path / "values.safetensors")
    for words in words_in(entry.example):
        dry = ["dry_run=true"] if not {"dry_run=true", "task=plan"} & set(words) else []
        done = command(*words, *dry)
        assert done.code == 0, done.err


@pytest.mark.parametrize("name", list(forms.FORMS))
def test_the_example_of_a_closed_form_has_a_value(name):
    given = yaml.safe_load(ENTRIES[f"forms.{name}"].example)
    assert given.pop("form") == name
    assert isinstance(forms.evaluate(name, given), float)


@pytest.mark.parametrize("name", [place for place in ENTRIES if place.startswith("laws.")])
def test_the_example_of_a_law_is_one(name):
    found = laws.from_description(yaml.safe_load(ENTRIES[name].example))
    assert f"laws.{found.kind}" == name


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_example_of_a_command_is_parsed(name):
    for words in words_in(ENTRIES[f"commands.{name}"].example):
        assert words[0] == name
        COMMANDS.get(name)().parser().parse_intermixed_args(words[1:])


def test_every_kind_of_the_groups_is_walked():
    for group in schema.GROUPS:
        assert {f"{group}.{kind}" for kind in schema.kinds(group)} <= set(ENTRIES)
