"""A row draws any part of its parameter, and the part is that of the whole."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import laws
from initlab.engine.errors import LawError
from initlab.engine.streams import Key
from initlab.runner.plan import row as rows
from initlab.runner.plan.row import Row

LAWS = [
    laws.Normal(0.5, 0.02),
    laws.Uniform(-1, 3),
    laws.TruncatedNormal(0, 1),
    laws.Constant(3),
    laws.Haar(1.5),
    laws.Structured("identity"),
    laws.ForgetGate(1.0),
]


def row(shape: tuple[int, ...], law: laws.Law, dtype: str = "float32") -> Row:
    return Row(
        "w",
        shape,
        dtype,
        None,
        None,
        None,
        None,
        "init",
        "Normal",
        law,
        Key(3, "w"),
        "initlab-1",
        None,
        0,
    )


def selections(axes: int):
    ends = st.integers(-30, 30) | st.none()
    part = st.builds(slice, ends, ends, st.sampled_from([None, 1, 2, 7, -1, -3])) | st.just(...)
    return (
        st.lists(part, max_size=axes)
        .map(tuple)
        .filter(lambda parts: sum(p is ... for p in parts) < 2)
        | part
    )


@pytest.mark.parametrize("law", LAWS, ids=str)
@settings(max_examples=60, deadline=None)
@given(selection=selections(3), chunk=st.sampled_from([1, 50, 1 << 20]))
def test_a_selection_is_that_of_the_whole(law, selection, chunk):
    planned = row((20, 4, 5), law)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "CHUNK", chunk)
        part = planned.draw(selection)
    whole = planned.draw()
    assert part.shape == whole[selection].shape
    assert part.tobytes() == whole[selection].tobytes()


@pytest.mark.parametrize(
    "selection", [3, -1, (2, 1), (2, 1, 4), (..., 0), (1, ...), (slice(2, 5), 3), np.int64(4)]
)
def test_numbers_select_as_numpys_do(selection):
    planned = row((20, 4, 5), LAWS[0])
    assert planned.draw(selection).tobytes() == planned.draw()[selection].tobytes()


WRONG = {
    20: "there is no 20 on axis 0, which has 20",
    -21: "there is no -21 on axis 0",
    (0, 4): "there is no 4 on axis 1, which has 4",
    (..., 5): "there is no 5 on axis 2, which has 5",
    (0, 0, 0, 0): "selects from more axes than it has",
    (..., ...): "one ... at most",
    None: "slices of them (no step of 0) and ... only, got None",
    True: "only, got True",
    "a": "only, got 'a'",
    1.5: "only, got 1.5",
}


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize(
    ("selection", "said"),
    [
        *WRONG.items(),
        (np.True_, "only, got np.True_"),
        ([0, 1], "only, got [0, 1]"),
        (np.array([0, 1]), "only, got array([0, 1])"),
        (slice(0, 1.5), "only, got slice(0, 1.5, None)"),
        (slice(None, None, 0), "only, got slice(None, None, 0)"),
        ((0, None), "only, got (0, None)"),
    ],
    ids=repr,
)
def test_an_invalid_selection_is_refused_whatever_the_law(law, selection, said):
    with pytest.raises(IndexError, match=re.escape(said)) as caught:
        row((20, 4, 5), law).draw(selection)
    assert str(caught.value).startswith("'w' has 20 rows, shape (20, 4, 5): ")


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_numpys_whole_numbers_are_bounds_as_well(law):
    planned = row((20, 4, 5), law)
    part = planned.draw((slice(np.int64(2), np.uint8(5)), np.int32(-1)))
    assert part.tobytes() == planned.draw()[2:5, -1].tobytes()


def test_a_parameter_without_axes_is_drawn_whole():
    for law in (LAWS[0], LAWS[3]):
        planned = row((), law)
        assert planned.draw().shape == planned.draw(...).shape == planned.draw(()).shape == ()
        with pytest.raises(IndexError, match="'w' has no rows, shape .*: 0 selects from more axes"):
            planned.draw(0)


def test_a_few_rows_of_a_parameter_that_fits_no_memory_are_drawn():
    planned = row((1 << 40, 8), LAWS[0], "float16")
    part = planned.draw(slice((1 << 40) - 3, None))
    assert part.shape == (3, 8) and part.dtype == np.float16
    assert (
        part.tobytes()
        == LAWS[0].draw(Key(3, "w"), (1 << 40, 8), "float16", 8 * ((1 << 40) - 3)).tobytes()
    )


def test_the_values_of_a_users_own_code_cannot_be_drawn_alone():
    with pytest.raises(LawError, match="come from its own code"):
        row((2, 2), laws.Custom("Mine")).draw()


def test_a_row_says_in_one_short_line_what_is_drawn():
    one = row((256, 20), laws.Normal(0, 0.01))
    assert repr(one) == "Row(w: 256x20 float32, Normal(0, 0.01), chosen by init)"
    assert repr(replace(one, alias_of="v")) == "Row(w: 256x20 float32, = v, chosen by init)"
