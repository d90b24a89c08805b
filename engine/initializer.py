"""MXNet's other name of `engine.init`."""

from __future__ import annotations

from initlab.engine.init import *  # noqa: F403
from initlab.engine.init import __all__ as __all__
