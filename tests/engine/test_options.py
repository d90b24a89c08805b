from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Optional

import numpy as np
import pytest

from initlab.engine.errors import OptionError
from initlab.engine.options import (
    Count,
    Finite,
    NotNegative,
    Positive,
    Rule,
    Text,
    check_given,
    check_options,
    checks_of,
    choice,
    is_number,
    whole,
    within,
)
from initlab.engine.registry import Registry

COLOURS: Registry[int] = Registry("colour")
even = Rule("be an even number", lambda value: isinstance(value, int) and value % 2 == 0)


@dataclass
class Lamp:
    """A dataclass with an option of each kind."""

    units: Count = 1
    pages: Annotated[int, whole(0, note=", 0 for unknown")] = 0
    seed: Annotated[Any, whole(0, 9, " from 0 to 9")] = 0
    gain: Finite = 0.0
    sigma: Positive = 1.0
    slope: NotNegative = 0.0
    rate: Annotated[float, within(0, 1, "[)")] = 0.0
    mode: Annotated[str, choice("slow fast")] = "slow"
    colour: Annotated[str, choice(COLOURS)] = "red"
    label: Optional[Text] = None
    on: bool = False
    pair: Annotated[list[Annotated[int, even]], Rule("be a list", lambda v: bool(v))] = field(
        default_factory=lambda: [2]
    )
    sizes: list[Count] = field(default_factory=list)
    anything: Any = None

    def __post_init__(self) -> None:
        check_options(self)


COLOURS.add("red", 1)

REFUSED = [
    ({"units": 0}, "units must be a whole number of at least 1, got 0"),
    ({"units": True}, "units must be a whole number of at least 1, got True"),
    ({"units": 2.0}, "units must be a whole number of at least 1, got 2.0"),
    ({"pages": -1}, "pages must be a whole number, 0 for unknown, got -1"),
    ({"seed": 10}, "seed must be a whole number from 0 to 9, got 10"),
    ({"gain": math.inf}, "gain must be a finite number, got inf"),
    ({"gain": True}, "gain must be a finite number, got True"),
    ({"gain": 10**400}, "gain must be a finite number, got one of 401 digits"),
    ({"gain": -(10**400)}, "gain must be a finite number, got one of 401 digits"),
    ({"rate": 10**9000}, "rate must be a finite number, got one of 9001 digits"),
    ({"units": 10**400}, "units must be a finite number, got one of 401 digits"),
    ({"sigma": Fraction(1, 10)}, "sigma must be a positive number, got Fraction(1, 10)"),
    ({"gain": Decimal("0.1")}, "gain must be a finite number, got Decimal('0.1')"),
    ({"gain": 1j}, "gain must be a finite number, got 1j"),
    ({"sigma": 0}, "sigma must be a positive number, got 0"),
    ({"slope": -0.5}, "slope must be a number of at least 0, got -0.5"),
    ({"rate": 1}, "rate must lie in [0, 1), got 1"),
    ({"rate": math.nan}, "rate must lie in [0, 1), got nan"),
    ({"mode": "fats"}, "mode cannot be 'fats' - did you mean 'fast'? Known: fast, slow."),
    ({"mode": ["fast"]}, "mode cannot be ['fast'] - did you mean 'fast'? Known: fast, slow."),
    ({"colour": "blue"}, "colour cannot be 'blue' - Known: red."),
    ({"label": ""}, "label must be a text that is not empty or null, got ''"),
    ({"on": 1}, "on must be true or false, got 1"),
    ({"pair": []}, "pair must be a list, got []"),
    ({"pair": [2, 3]}, "pair[1] must be an even number, got 3"),
    ({"sizes": 3}, "sizes must be a list, got 3"),
    ({"sizes": [1, 0]}, "sizes[1] must be a whole number of at least 1, got 0"),
]


@pytest.mark.parametrize(
    ("options", "message"),
    REFUSED,
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_an_invalid_option_is_refused_by_name_with_the_rule(options, message):
    with pytest.raises(OptionError) as caught:
        Lamp(**options)
    assert str(caught.value) == message


def test_a_valid_option_is_unchanged():
    made = Lamp(units=3, rate=0.5, mode="fast", label="desk", on=True, sizes=[1, 2], anything={})
    assert (made.units, made.rate, made.mode, made.label, made.on) == (3, 0.5, "fast", "desk", True)
    assert made.sizes == [1, 2]


def test_numbers_of_numpy_become_numbers_of_python():
    made = Lamp(units=np.int64(3), gain=np.float32(0.5))
    assert type(made.units) is int and type(made.gain) is float


@pytest.mark.skipif(np.longdouble is np.float64, reason="NumPy has no longer floats here")
def test_longer_floats_of_numpy_are_refused():
    with pytest.raises(OptionError, match="gain must be a finite number, got np.longdouble"):
        Lamp(gain=np.longdouble(0.1))


@pytest.mark.parametrize("number", [1, 0.5, np.int8(1), np.uint64(2**64 - 1), np.float16(0.5)])
def test_numbers_of_python_and_of_numpy_up_to_64_bits_are_numbers(number):
    assert is_number(number) and type(Lamp(gain=number).gain) in (int, float)


def test_a_collection_of_names_may_grow_later():
    COLOURS.add("green", 2)
    try:
        assert Lamp(colour="green").colour == "green"
    finally:
        COLOURS.remove("green")


def test_every_wrong_option_can_be_said_at_once():
    with pytest.raises(OptionError) as error:
        check_given(Lamp, {"units": 0, "rate": 2, "on": True, "unknown": 3})
    assert [one.option for one in error.value.errors] == ["units", "rate"]
    with pytest.raises(OptionError) as error:
        check_given(Lamp, {"units": 0})
    assert [one.option for one in error.value.errors] == ["units"]
    check_given(Lamp, {"units": 3})


def test_a_class_whose_types_cannot_be_found_has_no_checks():
    class Hidden:
        pass

    @dataclass
    class Local:
        what: Optional[Hidden] = None
        on: bool = False

    assert checks_of(Local) == {}
    assert checks_of(Hidden) == {}
