"""Warnings that name the line of the code that called the engine, however deep in it they arise."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

PACKAGE = __name__.rpartition(".")[0]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the nearest caller outside of the engine."""
    level = 2
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(str(frame.f_globals.get("__name__", ""))):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")
