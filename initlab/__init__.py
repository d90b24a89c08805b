"""InitLab: what a neural network is before its first training step.

    initlab.plan(net, init)          what an initializer will draw for a network made in Python

    initlab.engine   MXNet Gluon's parameter system on NumPy and CuPy
    initlab.runner   declared networks: built, initialized, probed and documented by the command `initlab`

In a checkout `engine`, `runner` and `conf` are links to the folders beside this one; an installed
package holds them itself. Nothing is imported before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.lazy import lazily

if TYPE_CHECKING:
    from initlab import engine, runner
    from initlab.runner.errors import ConfigError
    from initlab.runner.plan.block import plan
    from initlab.runner.plan.row import Row
    from initlab.runner.plan.rows import Plan

__version__ = "0.1.0"
__all__ = ["ConfigError", "Plan", "Row", "__version__", "engine", "plan", "runner"]

if not TYPE_CHECKING:
    DEFINED = {
        "ConfigError": "initlab.runner.errors",
        "Plan": "initlab.runner.plan.rows",
        "Row": "initlab.runner.plan.row",
        "plan": "initlab.runner.plan.block",
    }
    __getattr__, __dir__ = lazily(__name__, ("engine", "runner"), DEFINED)
