"""Every exception class the engine defines.

    RuntimeError
     +-- MXNetError (EngineError)         anything the engine refuses; MXNet's own root class
          +-- DeferredInitializationError data asked of a parameter whose shape is not known yet
          +-- DeviceError                 no such device, no CuPy, no GPU
          +-- StreamError                 no such stream version, or a dtype it does not specify
          +-- FormatError                 a file that is damaged, cut short or of another kind
          +-- LawError (ValueError)       a law with impossible arguments, or on a shape it cannot fill
    ValueError
     +-- OptionError                      an option of an initializer or layer; knows which one

Where Gluon raises a builtin (AssertionError for shapes, ValueError, TypeError, KeyError) so does
the engine: the class is part of MXNet's interface.
"""

from __future__ import annotations


class MXNetError(RuntimeError):
    """Root of what the engine raises (MXNet: `mxnet.base.MXNetError`)."""

    path: str = ""
    """Where in a network it happened: `encoder.fc1`."""


EngineError = MXNetError


class DeferredInitializationError(MXNetError):
    """A parameter's values were asked for before its shape was known (MXNet: `gluon.parameter`)."""


class DeviceError(MXNetError):
    """A device that does not exist here, or whose library is not installed."""


class StreamError(MXNetError):
    """A stream version that is not known, or a dtype that it does not specify."""


class FormatError(MXNetError):
    """A file that is damaged, cut short, or not of the format its name says."""


class LawError(MXNetError, ValueError):
    """A law with impossible arguments, or asked for a shape it cannot fill."""


class OptionError(ValueError):
    """An option with a value that it cannot have; `option` is its name, so that a caller can say
    where it stands.
    """

    def __init__(self, option: str, problem: str) -> None:
        self.option = option
        self.problem = problem
        super().__init__(f"{option} {problem}")
