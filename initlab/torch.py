"""InitLab for PyTorch: what is drawn for a module, and what it is.

    initlab.torch.plan(module, init)     what an initializer will draw for a module
    initlab.torch.roles(weight=…)        says what the axes of a module's parameters are
    initlab.torch.model(input=…)         makes a function that builds a module a model of configs
    initlab.torch.diagnose(module, x)    what is known to hurt in a module as it is
    initlab.torch.watch()                who writes each parameter while a module is built, checked
    initlab.torch.lock(module, watch)    the laws and writers of a module as text, to be compared

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
    "initlab.runner.torch.watch.locking": ("Laws", "lock", "lock_of", "read_laws"),
    "initlab.runner.torch.watch.watching": ("watch",),
}
__all__ = [
    "Laws",
    "ModulePlan",
    "Role",
    "diagnose",
    "lock",
    "lock_of",
    "model",
    "plan",
    "read_laws",
    "roles",
    "watch",
]

if TYPE_CHECKING:
    from initlab.runner.torch.builders import model
    from initlab.runner.torch.diagnosing import diagnose
    from initlab.runner.torch.planning import ModulePlan, plan
    from initlab.runner.torch.roles import Role, roles
    from initlab.runner.torch.watch.locking import Laws, lock, lock_of, read_laws
    from initlab.runner.torch.watch.watching import watch
else:
    DEFINED = {name: module for module, names in MODULES.items() for name in names}
    __getattr__, __dir__ = lazily(__name__, (), DEFINED)
