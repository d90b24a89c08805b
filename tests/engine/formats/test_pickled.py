"""A pickle is read as data, whatever its protocol; nothing in it is looked up or called."""

from __future__ import annotations

import collections
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.errors import FormatError
from initlab.engine.formats.pickled import Machine, Made, Name

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)  # fmt: skip


def read(data):
    return Machine(memoryview(data)).run()


@given(plain, st.integers(1, 5))
def test_plain_objects_come_out_as_they_went_in(value, protocol):
    assert read(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_call_would_make_is_described(protocol):
    found = read(pickle.dumps({"a": collections.Counter("xxy"), "b": complex(1, 2)}, protocol))
    assert isinstance(found["b"], Made) and found["b"].name.endswith(".complex")
    assert isinstance(found["a"], Made) and found["a"].name == "collections.Counter"


@pytest.mark.parametrize("protocol", range(6))
def test_an_ordered_dict_is_a_dict(protocol):
    value = collections.OrderedDict(a=1, b=[2])
    assert read(pickle.dumps(value, protocol)) == {"a": 1, "b": [2]}


def test_a_class_is_a_name():
    assert isinstance(read(pickle.dumps(dict, 2)), Name)


class Thing:
    pass


def test_the_state_of_an_object_is_kept():
    thing = Thing()
    thing.x = 3
    found = read(pickle.dumps(thing, 2))
    assert found.state == {"x": 3} or found.arguments


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ends too early"),
        (b"\x80\x06.", "of a protocol newer than 5"),
        (b".", "takes a value where there is none"),
        (b"h\x00.", "takes up something that it did not lay down"),
        (b"t.", "has no mark"),
        (b"X\xff\xff\xff\xff", "ends too early"),
        (b"I" + b"9" * 100 + b"\n.", "number that is too long"),
        (b"Ix\n.", 'has "invalid literal'),
        (b"\x8c\x02\xff\xff.", "'utf-8' codec"),
        (b"I1", "a line without an end"),
        (b"N]s.", "has \\(|takes a value|puts items into what is no dict"),
        (b"}(Nu.", "has a key without a value"),
        (b"}]Ns.", "neither text nor number"),
        (b"N(Ne.", "appends to what is no list"),
        (b"KK\x93.", "takes a value where there is none"),
        (b"}\x8a\x09" + b"\x7f" * 9 + b"Ns.", "a key that is a huge number"),
    ],
)
def test_damage_is_refused_in_a_few_words(data, said):
    with pytest.raises(FormatError, match=f"is damaged: its pickle .*({said})"):
        read(data)
