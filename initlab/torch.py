"""InitLab for PyTorch: what is drawn for a module, and what it is.

    initlab.torch.plan(module, init)     what an initializer will draw for a module
    initlab.torch.roles(weight=…)        says what the axes of a module's parameters are
    initlab.torch.model(input=…)         makes a function that builds a module a model of configs
    initlab.torch.diagnose(module, x)    what is known to hurt in a module as it is

docs/torch.md in the source has examples. Needs the extra `torch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.lazy import lazily

MODULES = {
    "initlab.runner.torch.planning": ("ModulePlan", "plan"),
    "initlab.runner.torch.roles": ("Role", "roles"),
    "initlab.runner.torch.builders": ("model",),
    "initlab.runner.torch.diagnosing": ("diagnose",),
}
__all__ = ["ModulePlan", "Role", "diagnose", "model", "plan", "roles"]

if TYPE_CHECKING:
    from initlab.runner.torch.builders import model
    from initlab.runner.torch.diagnosing import diagnose
    from initlab.runner.torch.planning import ModulePlan, plan
    from initlab.runner.torch.roles import Role, roles
else:
    DEFINED = {name: module for module, names in MODULES.items() for name in names}
    __getattr__, __dir__ = lazily(__name__, (), DEFINED)
