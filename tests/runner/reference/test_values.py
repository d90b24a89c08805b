"""What an option may be, in words and in JSON Schema: whatever its checks accept is valid."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from initlab.engine.errors import OptionError
from initlab.engine.init import Initializer
from initlab.engine.options import Count, Positive, Rule, Text, _check_of, choice, whole, within
from initlab.runner.reference.values import in_words, merged, optional, schema_of

EVEN = Rule("be even", lambda value: type(value) is int and value % 2 == 0)
HINTS: list[tuple[Any, str, Any]] = [
    (bool, "true or false", {"type": "boolean"}),
    (Count, "a whole number of at least 1", {"type": "integer", "minimum": 1}),
    (Optional[Text], "a text that is not empty, or null", None),
    (Positive, "a positive number", {"type": "number", "exclusiveMinimum": 0}),
    (
        Annotated[float, within(0, 1, "[)")],
        "a number that must lie in [0, 1)",
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    ),
    (Annotated[str, choice("b a c")], "a, b or c", {"enum": ["a", "b", "c"]}),
    (Annotated[str, choice("a")], "a", {"enum": ["a"]}),
    (list[Count], "a list, each of it a whole number of at least 1", None),
    (int | list[int], "a whole number or a list, each of it a whole number", None),
    (dict[str, Any], "a mapping", {"type": "object"}),
    (
        Annotated[Any, whole(0).or_null(", or null for all")],
        "a whole number of at least 0, or null for all",
        None,
    ),
    (Annotated[int, EVEN], "even", {"type": "integer"}),
    (
        Optional[Initializer],
        "an initializer: its name, or {kind: …, and its options}, or null",
        {"anyOf": [{"$ref": "#/$defs/initializer"}, {"type": "null"}]},
    ),
    (Any, "", {}),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from("abc "),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("k"), inner),
    max_leaves=3,
)


@pytest.mark.parametrize(("hint", "words", "schema"), HINTS)
def test_a_type_is_told_in_words_and_as_a_schema(hint, words, schema):
    assert in_words(hint) == words
    if schema is not None:
        assert schema_of(hint) == schema


@given(st.sampled_from([hint for hint, *_ in HINTS if "Initializer" not in str(hint)]), VALUES)
def test_what_the_checks_of_a_type_accept_is_valid(hint, value):
    check = _check_of(hint)
    try:
        if check is None:
            return
        check("option", value)
    except (OptionError, TypeError):
        return
    Draft202012Validator(schema_of(hint)).validate(value)


def test_optional_is_seen_in_both_spellings():
    assert optional(Optional[int]) == (int, True)
    assert optional(int | None) == (int, True)
    assert optional(int | str) == (int | str, False)


def test_equal_schemas_are_merged_to_one():
    one, other = {"type": "number"}, {"type": "string"}
    assert merged(one, dict(one)) == one
    assert merged(one, other) == {"anyOf": [one, other]}
