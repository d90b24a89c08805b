"""Words of the command line whose values Hydra computes wrongly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hydra.errors import HydraException
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.config.grammar import Range, parse


def values(word: str) -> list[object]:
    return list(parse(f"key={word}").sweep_iterator())


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("range(3)", [0, 1, 2]),
        ("range(0,10,3)", [0, 3, 6, 9]),
        ("range(3,0,-1)", [3, 2, 1]),
        ("range(0,3,0.5)", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]),
        ("range(0.1,0.4,0.1)", [0.1, 0.2, 0.3]),
        ("range(0,1,0.1)", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        ("range(1e-3,4e-3,1e-3)", [0.001, 0.002, 0.003]),
        ("sort(range(1.3,0,-0.5))", [0.3, 0.8, 1.3]),
        ("sort(range(0,10,3),reverse=true)", [9, 6, 3, 0]),
        ("sort(range(0,10,3))", [0, 3, 6, 9]),
        ("sort(sort(range(0,10,3),reverse=true))", [0, 3, 6, 9]),
        ("sort(range(10,0,-3))", [1, 4, 7, 10]),
        ("sort(shuffle(range(5)))", [0, 1, 2, 3, 4]),
        ("sort(shuffle(3,1,2))", [1, 2, 3]),
        ("sort(sweep=range(5,0,-2))", [1, 3, 5]),
        ("float(range(0,3))", [0.0, 1.0, 2.0]),
        ("int(range(0.5,3.5))", [0, 1, 2]),
        ("float(sort(range(0,4),reverse=true))", [3.0, 2.0, 1.0, 0.0]),
        ("tag(a,range(0.1,0.4,0.1))", [0.1, 0.2, 0.3]),
        ("range(3,0)", []),
        ("sort(range(3,0),reverse=true)", []),
    ],
)
def test_a_range_has_the_values_of_its_definition(word, wanted):
    found = values(word)
    assert found == wanted
    assert [type(one) for one in found] == [type(one) for one in wanted]


places = st.integers(0, 6)
decimals = st.builds(lambda n, e: Decimal(n).scaleb(-e), st.integers(-200, 200), places)


@given(decimals, decimals, decimals.filter(bool), st.booleans())
def test_a_sorted_range_has_the_values_of_the_range(start, span, step, reverse):
    if abs(span / step) > 200:
        return
    wanted = []
    while (start + len(wanted) * step < start + span) == (step > 0) and (
        len(wanted) * step != span
    ):
        wanted.append(start + len(wanted) * step)
    bounds = ",".join(f"{part:f}" for part in (start, start + span, step))
    assert values(f"range({bounds})") == [float(value) for value in wanted]
    ordered = sorted(map(float, wanted), reverse=reverse)
    assert values(f"sort(range({bounds}),reverse={str(reverse).lower()})") == ordered


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("range(0,3,0)", "a step that is not 0"),
        ("range(0,3,0.0)", "a step that is not 0"),
        ("int(range(0,1,0.5))", "a step that is not 0"),
        ("range(0,inf)", "finite numbers"),
        ("range(nan,1)", "finite numbers"),
    ],
)
def test_a_range_without_an_end_is_refused(word, said):
    with pytest.raises(HydraException, match=said):
        values(word)


def test_the_length_of_a_range_is_known_without_its_values():
    assert len(parse("key=range(0,1e15,0.5)").value()) == 2 * 10**15


def test_a_number_near_a_value_of_a_range_becomes_that_value():
    swept: Range = parse("key=range(0.1,0.5,0.1)").value()
    assert [swept.nearest(x) for x in (0.30000000000000004, 0.1, 9.0, -1.0)] == [0.3, 0.1, 0.4, 0.1]
