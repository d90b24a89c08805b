"""The classes of what the engine refuses."""

from __future__ import annotations

import pytest

from initlab.engine import errors


def test_an_option_error_says_which_option_and_what_is_wrong_with_it():
    with pytest.raises(ValueError, match="sigma must not be negative") as caught:
        raise errors.OptionError("sigma", "must not be negative")
    assert (caught.value.option, caught.value.problem) == ("sigma", "must not be negative")


@pytest.mark.parametrize(
    "kind",
    [
        errors.DeferredInitializationError,
        errors.DeviceError,
        errors.StreamError,
        errors.FormatError,
        errors.LawError,
    ],
)
def test_whatever_the_engine_refuses_is_mxnets_error(kind):
    assert issubclass(kind, errors.MXNetError)
    assert kind("x").path == ""


def test_an_operators_error_prints_as_mxnets_and_knows_its_message():
    error = errors.MXNetError.checked("Check failed: axis")
    assert (str(error), error.message) == ("MXNetError: Check failed: axis", "Check failed: axis")
    assert type(error) is errors.MXNetError
    assert errors.FormatError("cut short").message == "cut short"


def test_errors_of_several_options_are_one_error():
    errors.OptionErrors.raise_any([])
    one, two = errors.OptionError("a", "is 0"), errors.OptionError("b", "is 1")
    with pytest.raises(errors.OptionError) as caught:
        errors.OptionErrors.raise_any([one])
    assert caught.value is one and one.errors == (one,)
    with pytest.raises(errors.OptionError) as caught:
        errors.OptionErrors.raise_any([one, two])
    assert (caught.value.option, caught.value.errors) == ("a", (one, two))
    assert str(caught.value) == "a is 0\nb is 1"
