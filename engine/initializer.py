"""MXNet's other name of `engine.init`."""

from __future__ import annotations

from engine.init import *  # noqa: F403
from engine.init import __all__ as __all__
