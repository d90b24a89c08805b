"""The parts of a schema: what stands beside an option's values, what is told, and what is required."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator

from initlab.engine.init.base import KINDS
from initlab.runner.layers import REGISTRY as LAYERS
from initlab.runner.layers.base import OF_ANY_LAYER as KEYS_OF_ANY_LAYER
from initlab.runner.reference.entry import Option, of_class
from initlab.runner.reference.schemas import (
    INTERPOLATION,
    OF_ANY_LAYER,
    REFERENCE,
    by_kind,
    chosen,
    definitions,
    group_definitions,
    kind_schema,
    opened,
    option_schema,
    told,
    unsuggested,
)


def valid(schema: dict[str, object], value: object) -> bool:
    whole = {**schema, "$defs": {"interpolation": {"type": "string", "pattern": INTERPOLATION}}}
    return Draft7Validator(whole).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer", "minimum": 1}, [1, "${vars.x}", "a${x}", "???"], [0, 1.5, "1", None]),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, [None, 2.5, "${x}"], ["a", True]),
        ({"enum": ["a"]}, ["a", "${x}"], ["b", 1]),
        ({"type": "string"}, ["a", 2024], [None, []]),
        ({"type": "array", "items": {"type": "integer"}}, [[1, "${x}"], "${x}"], [["a"], 1]),
        ({}, [1, "a", None, []], []),
    ],
)
def test_an_interpolation_may_stand_for_any_value(schema, good, bad):
    assert [value for value in good if not valid(opened(schema), value)] == []
    assert [value for value in bad if valid(opened(schema), value)] == []


def test_an_option_says_what_it_does_what_it_may_be_and_what_is_wrong():
    [option] = [one for one in of_class("", "dense", LAYERS.get("dense")).options if one.required]
    made = option_schema(option)
    assert made["description"] == "The outputs. (a whole number of at least 1; must be given)"
    assert made["patternErrorMessage"] == (
        "must be a whole number of at least 1, or an interpolation like ${vars.x}"
    )


def test_an_option_that_holds_layers_or_an_initializer_refers_to_them():
    assert {"$ref": "#/$defs/layers"} in option_schema(Option("layers"), ["layers"])["anyOf"]
    assert {"$ref": "#/$defs/initializer"} in option_schema(Option("default_init"))["anyOf"]


def test_the_options_that_must_be_given_are_required_of_a_whole_mapping_only():
    entry = of_class("layers", "dense", LAYERS.get("dense"))
    assert kind_schema(entry, whole=True)["required"] == ["units"]
    assert "required" not in kind_schema(entry, whole=False)
    assert "defaults" in kind_schema(entry, False, {"defaults": {}})["properties"]


def test_an_editor_shows_description_formula_and_source():
    shown = told(of_class("init", "he", KINDS.get("he")))
    assert shown.startswith("Keeps the second moment")
    assert "\n\nFormula: Var = 2" in shown
    assert "\n\nSource: He et al." in shown


def test_names_that_are_accepted_need_not_be_suggested():
    schema = by_kind({"one": "a", "uno": "a"}, ["one"])
    assert {"enum": ["one"]} in schema["properties"]["kind"]["anyOf"]
    assert valid(unsuggested(["uno", "x"]), "uno")
    assert not valid(unsuggested(["uno", "x"]), "unox")
    assert REFERENCE in schema["properties"]["kind"]["anyOf"]
    assert chosen("one", "a") in schema["allOf"]


def test_any_layer_has_the_keys_that_the_runner_knows():
    assert set(OF_ANY_LAYER) == set(KEYS_OF_ANY_LAYER)


def test_every_layer_and_initializer_has_a_definition():
    found = definitions()
    assert {f"layers.{kind}" for kind in LAYERS} | {f"init.{kind}" for kind in KINDS} <= set(found)
    assert set(group_definitions("init", KINDS)) == {f"init.{kind}.part" for kind in KINDS}
