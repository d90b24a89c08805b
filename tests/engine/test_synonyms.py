"""Other names of the field lead to ours."""

from __future__ import annotations

import dataclasses

import pytest

from initlab.engine import gluon, init
from initlab.engine.gluon import nn
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.engine.options import options_of
from initlab.engine.registry import nearest
from initlab.engine.synonyms import SYNONYMS, meant, plain
from initlab.runner.config import schema
from initlab.runner.config.option_files import shipped_options
from initlab.runner.layers import REGISTRY

OPTIONS = shipped_options()


@pytest.mark.parametrize(
    ("name", "group", "ours"),
    [
        ("he_normal", "init", "he"),
        ("kaiming_normal", "init", "he"),
        ("kaiming_normal_", "init", "he"),
        ("kaiming_uniform", "init", "he_uniform"),
        ("xavier_uniform", "init", "glorot_uniform"),
        ("XavierNormal", "init", "glorot_normal"),
        ("trunc_normal", "init", "truncated_normal"),
        ("zeros", "init", "zero"),
        ("ones", "init", "one"),
        ("eye", "init", "identity"),
        ("cuda", "device", "gpu"),
        ("mnist", "data", "digits"),
        ("norml", "init", "normal"),
    ],
)
def test_a_name_of_another_library_leads_to_the_option(name, group, ours):
    assert nearest(name, OPTIONS[group]) == ours


@pytest.mark.parametrize(
    ("name", "ours"),
    [("linear", "dense"), ("fc", "dense"), ("bn", "batch_norm"), ("conv", "conv2d")],
)
def test_a_name_of_another_library_leads_to_the_layer(name, ours):
    assert nearest(name, REGISTRY) == ours


@pytest.mark.parametrize(
    ("name", "ours"), [("Linear", "Dense"), ("BatchNorm2d", "BatchNorm"), ("Conv2d", "Conv2D")]
)
def test_a_name_of_another_library_leads_to_the_class(name, ours):
    assert nearest(name, [one for one in dir(nn) if not one.startswith("_")]) == ours
    assert nearest("Kaiming", ["He", "Normal"]) == "He"


def test_a_name_that_means_nothing_here_is_compared_by_its_letters():
    assert meant("zzz", ["a", "b"]) is None
    assert meant("kaiming", ["normal"]) is None
    assert nearest("normla", ["normal", "he"]) == "normal"


def test_every_name_of_ours_in_the_list_exists():
    sets = [schema.kinds(group) for group in schema.GROUPS]
    kinds = [registry.get(kind) for registry in sets for kind in registry]
    layers = {kind: REGISTRY.get(kind) for kind in REGISTRY}
    known = {*layers, *ACTIVATIONS, *schema.DTYPES, *init.names(), *dir(nn), *dir(gluon)}
    known |= {name for names in OPTIONS.values() for name in names} | OPTIONS.keys()
    known |= {name for cls in (*kinds, *layers.values()) for name in options_of(cls)}
    known |= {field.name for field in dataclasses.fields(schema.Config)}
    known |= {kind for registry in sets for kind in registry}
    spelled = {plain(name) for name in known}
    assert [name for name in SYNONYMS if plain(name) not in spelled] == []
