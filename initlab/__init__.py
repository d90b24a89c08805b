"""InitLab: what a neural network is before its first training step.

    initlab.plan(net, init)          what an initializer will draw for a network made in Python
    initlab.declare(*words)          the run that words of the command line declare
    initlab.diagnose(net, inputs)    what is known to hurt in an initialized network
    initlab.load(folder)             a finished run
    initlab.runs(folder)             every run below a folder, finished or not

    initlab.engine   MXNet Gluon's parameter system on NumPy and CuPy
    initlab.runner   declared networks: built, initialized, probed and documented by the command `initlab`
    initlab.torch    modules of PyTorch: planned, drawn, watched, locked, diagnosed

In a checkout `engine`, `runner` and `conf` are links to the folders beside this one; an installed
package holds them itself. Nothing is imported before it is asked for; docs/python.md in the
source has examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from initlab import engine, runner, torch
    from initlab.runner.declare import DeclaredRun, declare
    from initlab.runner.diagnosis.block import diagnose
    from initlab.runner.errors import ConfigError, EvidenceError, QuantityError
    from initlab.runner.evidence.diagnosed import Diagnosis
    from initlab.runner.evidence.finished import Run, load
    from initlab.runner.evidence.runs import Runs, runs
    from initlab.runner.plan.block import plan
    from initlab.runner.plan.row import Row
    from initlab.runner.plan.rows import Plan

__version__ = "0.1.0"
__all__ = [
    "ConfigError",
    "DeclaredRun",
    "Diagnosis",
    "EvidenceError",
    "Plan",
    "QuantityError",
    "Row",
    "Run",
    "Runs",
    "__version__",
    "declare",
    "diagnose",
    "engine",
    "load",
    "plan",
    "runner",
    "runs",
    "torch",
]

if not TYPE_CHECKING:
    MODULES = {
        "initlab.runner.declare": ("DeclaredRun", "declare"),
        "initlab.runner.diagnosis.block": ("diagnose",),
        "initlab.runner.errors": ("ConfigError", "EvidenceError", "QuantityError"),
        "initlab.runner.evidence.diagnosed": ("Diagnosis",),
        "initlab.runner.evidence.finished": ("Run", "load"),
        "initlab.runner.evidence.runs": ("Runs", "runs"),
        "initlab.runner.plan.block": ("plan",),
        "initlab.runner.plan.row": ("Row",),
        "initlab.runner.plan.rows": ("Plan",),
    }
    DEFINED = {name: module for module, names in MODULES.items() for name in names}

    def __getattr__(name):
        return _parts()[0](name)

    def __dir__():
        return _parts()[1]()

    def _parts():
        # Not imported above: every pytest of an environment with InitLab in it imports this package.
        from initlab.lazy import lazily

        return lazily(__name__, ("engine", "runner", "torch"), DEFINED)
