"""MXNet's other name of `engine.symbol`: importing this module gives that module itself."""

from __future__ import annotations

import sys

from initlab.engine import symbol
from initlab.engine.symbol import *  # noqa: F403
from initlab.engine.symbol import __all__ as __all__

sys.modules[__name__] = symbol
