"""The files in `conf/` and the classes behind them agree, and every combination of the shipped
choices can be planned.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from initlab.engine import init
from initlab.engine.options import IN_CONFIG, options_of
from initlab.runner import data, probes, stats, trackers
from initlab.runner.config.option_files import conf_dir
from initlab.runner.config.schema import (
    GROUPS,
    Config,
    DeviceOptions,
    SweepOptions,
    kinds,
)
from initlab.runner.terminal.help import options

CONF = Path(__file__).parents[3] / "conf"


TYPED = [(group, file) for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]


def test_the_configuration_is_the_folder_conf():
    assert conf_dir().resolve() == CONF


@pytest.mark.parametrize("group", GROUPS)
def test_every_class_can_be_chosen_with_a_file_or_without(group):
    assert set(kinds(group)) <= set(options()[group])


@pytest.mark.parametrize(("group", "file"), TYPED, ids=lambda value: getattr(value, "stem", value))
def test_a_file_names_its_schema_and_only_options_that_its_class_has(group, file):
    content = yaml.safe_load(file.read_text())
    [schema, _] = content.pop("defaults")
    kind = schema.removeprefix(f"/schema/{group}/").removesuffix("@_here_")
    cls = kinds(group).get(kind)
    options = options_of(cls)
    content.pop("kind", None)
    assert set(content) <= set(options)
    if file.stem == kind and group != "data":
        for name, value in content.items():
            default = options[name].metadata.get(IN_CONFIG, options[name].default)
            assert value == "???" or default is dataclasses.MISSING or value == default, (
                f"{file.name}: {name} is {value!r}, the class says {default!r}"
            )


@pytest.mark.parametrize(
    "file", sorted(CONF.rglob("*.yaml")), ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_every_file_opens_with_what_it_is_for(file):
    lines = file.read_text().splitlines()
    comments = [line for line in lines[:3] if line.startswith("# ") and "@package" not in line]
    assert comments and len(comments[0]) > 10


def test_the_root_file_has_every_key_of_the_schema():
    content = yaml.safe_load((CONF / "config.yaml").read_text())
    groups = {
        next(iter(entry)).removeprefix("override ")
        for entry in content["defaults"]
        if isinstance(entry, dict)
    }
    assert set(Config.__dataclass_fields__) == (set(content) - {"defaults", "hydra"}) | (
        groups & set(Config.__dataclass_fields__)
    )


@pytest.mark.parametrize(
    ("cls", "file", "node"),
    [
        (Config, "config.yaml", None),
        (SweepOptions, "config.yaml", "sweep"),
        (DeviceOptions, "device/cpu.yaml", None),
    ],
)
def test_a_default_of_the_root_stands_in_its_file_and_nowhere_else(cls, file, node):
    content = yaml.safe_load((CONF / file).read_text())
    fields = dataclasses.fields(cls)
    given = content[node] if node else content
    assert {f.name for f in fields if f.name in given and f.default is f.default_factory} == {
        f.name for f in fields if f.name in given
    }


def test_the_registries_hold_what_the_issue_names():
    assert set(init.names()) >= {
        "zero",
        "one",
        "constant",
        "uniform",
        "normal",
        "truncated_normal",
        "variance_scaling",
        "xavier",
        "msra_prelu",
        "he",
        "lecun",
        "orthogonal",
        "gluon_orthogonal",
        "delta_orthogonal",
        "identity",
        "residual_scaled",
        "mixed",
        "load",
        "siren",
        "icnr",
        "fixup",
        "skipinit",
        "t_fixup",
        "deepnorm",
        "mup",
        "lsuv",
        "vgg",
        "bilinear",
        "lstm_bias",
    }
    assert {"uniform", "normal", "ones", "digits", "tokens"} <= set(data.REGISTRY)
    assert {"none", "forward", "backward", "train"} <= set(probes.REGISTRY)
    assert {"moments", "law", "histogram"} <= set(stats.REGISTRY)
    assert {"none", "tensorboard", "mlflow", "wandb"} <= set(trackers.REGISTRY)
