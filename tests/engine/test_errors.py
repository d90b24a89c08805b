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
