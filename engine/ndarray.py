"""MXNet's other name of `engine.nd`: importing this module gives that package itself, so that no
class exists twice.
"""

from __future__ import annotations

import sys

from initlab.engine import nd
from initlab.engine.nd import *  # noqa: F403
from initlab.engine.nd import __all__ as __all__

sys.modules.update(
    {
        name.replace(nd.__name__, __name__, 1): module
        for name, module in list(sys.modules.items())
        if name == nd.__name__ or name.startswith(nd.__name__ + ".")
    }
)
