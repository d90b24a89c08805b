"""Every exception class of the engine.

    RuntimeError
     +-- MXNetError (EngineError)         anything the engine refuses; MXNet's own base class
          +-- DeferredInitializationError data asked of a parameter whose shape is not known yet
          +-- ShapeRuleError              a block does not say how its output's shape follows
          +-- DeviceError                 no such device, no CuPy, no GPU
          +-- StreamError                 no such stream version, or a dtype it does not specify
          +-- FormatError                 a file that is damaged, cut short or of another kind
          +-- LawError (ValueError)       a law with impossible arguments, or on a shape it cannot fill
    ValueError
     +-- OptionError                      an invalid option of an initializer or layer, with its name
          +-- OptionErrors                several of them

Where Gluon raises a builtin exception (AssertionError for shapes, ValueError, TypeError, KeyError),
the engine raises the same class, as part of MXNet's interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self


class MXNetError(RuntimeError):
    """Root of what the engine raises (MXNet: `mxnet.base.MXNetError`)."""

    path: str = ""
    """The path of the layer in which it happened: `encoder.fc1`."""
    _said: str | None = None

    @classmethod
    def checked(cls, message: str) -> Self:
        """Return the error of an operator that checks its arguments. As in MXNet, its text repeats
        the name of the class at the beginning.
        """
        error = cls(f"MXNetError: {message}")
        error._said = message
        return error

    @property
    def message(self) -> str:
        """What is wrong, without the class's name."""
        return str(self) if self._said is None else self._said


EngineError = MXNetError


class DeferredInitializationError(MXNetError):
    """A parameter's values were asked for before its shape was known (MXNet: `gluon.parameter`)."""


class ShapeRuleError(MXNetError):
    """A block that does not define `output_shape` was asked for the shape of its output."""


class DeviceError(MXNetError):
    """A device that does not exist here, or whose library is not installed."""


class StreamError(MXNetError):
    """A stream version that is not known, or a dtype that it does not specify."""


class FormatError(MXNetError):
    """A file that is damaged, cut short, or not of the format its name says."""


class LawError(MXNetError, ValueError):
    """A law with impossible arguments, or asked for a shape it cannot fill."""


BESIDE = "\0"
"""Stands before the name of another option of the same part in the `problem` of an OptionError. A
caller that knows where the part stands puts the place there: `init.` before `partial=true`.
"""


class OptionError(ValueError):
    """An option with a value that it cannot have; `option` is its name, so that a caller can say
    where it stands. `unknown` is true where the value is a name that nothing has.
    """

    def __init__(self, option: str, problem: str, unknown: bool = False) -> None:
        self.option = option
        self.problem = problem
        self.unknown = unknown
        super().__init__(f"{option} {problem}".replace(BESIDE, ""))

    @property
    def errors(self) -> tuple[OptionError, ...]:
        """One for each option that is wrong: itself."""
        return (self,)


class OptionErrors(OptionError):
    """Several options with values that they cannot have; `option` and `problem` are the first's."""

    def __init__(self, errors: Sequence[OptionError]) -> None:
        super().__init__(errors[0].option, errors[0].problem, errors[0].unknown)
        self._errors = tuple(errors)
        self.args = ("\n".join(map(str, errors)),)

    @property
    def errors(self) -> tuple[OptionError, ...]:
        """Each of them."""
        return self._errors

    @classmethod
    def raise_any(cls, errors: Sequence[OptionError]) -> None:
        """Raise what there is: nothing, one error, or several as one."""
        if errors:
            raise errors[0] if len(errors) == 1 else cls(errors)
