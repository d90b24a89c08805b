"""What Hydra knows of ours: `hydra/sweeper: runner`, and the launchers of plugins.

Sweeps themselves are in `sweeper`, which is imported when one is run.
"""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.plugin import Plugin
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from initlab.engine.registry import snake_case
from initlab.runner.config.hydra_internals import store_option
from initlab.runner.config.launchers import GROUP, stored_launchers
from initlab.runner.config.option_files import conf_dir
from initlab.runner.errors import ConfigError

PACKAGE = "hydra_plugins"
MODULE = f"{PACKAGE}.runner_sweeper"
LAUNCHERS = f"{PACKAGE}.initlab_launchers"
"""The module of the launchers of plugins."""
RESERVED = conf_dir() / "hydra" / "launcher"
L = TypeVar("L", bound=Launcher)


class RunnerSweeper(Sweeper):
    """The sweeper `hydra/sweeper: runner`. It calls `sweep`, which checks all jobs before the first
    starts.
    """

    def __init__(self, max_batch_size: int | None, params: dict[str, str] | None) -> None:
        self.max_batch_size = max_batch_size
        self.params = params

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Do nothing; Hydra's interface requires the method."""

    def sweep(self, arguments: list[str]) -> int:
        """Run the sweep of these words."""
        from initlab.runner.sweep.sweeper import sweep

        return sweep(arguments, None)


def _plugin_package() -> ModuleType:
    """Return a package with the folders of installed Hydra plugins only.

    Hydra imports every module of this package. A folder `hydra_plugins` that merely lies on the
    path, like one in the current folder, was not installed by anyone and is left out: a folder
    counts if the record of an installed plugin, `hydra_*.dist-info`, lies beside it.
    """
    package = ModuleType(PACKAGE)
    places = [Path(entry) for entry in dict.fromkeys(sys.path) if entry not in ("", os.getcwd())]
    package.__path__ = [
        str(place / PACKAGE)
        for place in places
        if (place / PACKAGE).is_dir() and any(place.glob("hydra_*.dist-info"))
    ]
    sys.modules[PACKAGE] = package
    return package


def register() -> None:
    """Register the sweeper with Hydra as `hydra/sweeper: runner`.

    Hydra accepts plugins from the package `hydra_plugins` only, so a module of that package is
    created here.
    """
    _place(RunnerSweeper, MODULE)
    node = {"_target_": f"{MODULE}.RunnerSweeper", "max_batch_size": None, "params": None}
    store_option(group="hydra/sweeper", name="runner", node=node, provider="initlab")


def _place(cls: type[Plugin], name: str) -> None:
    """Register a class with Hydra, as a member of the module `name`, which is made here."""
    package = sys.modules.get(PACKAGE) or _plugin_package()
    cls.__module__ = name
    module = sys.modules.get(name) or ModuleType(name)
    setattr(module, cls.__name__, cls)
    setattr(package, name.rpartition(".")[2], module)
    sys.modules[name] = module
    Plugins.instance().register(cls)


def register_launcher(cls: type[L]) -> type[L]:
    """Register a launcher of a `--plugin` file, a class like those of Hydra's own plugins, under its
    class's name in snake case: `class MyCluster(Launcher)` is `hydra/launcher=my_cluster`.

    The parameters of its `__init__` are its options, `hydra.launcher.NAME=VALUE`, and need defaults.
    Raises ConfigError if the class is no launcher, one has no default, or the name is taken.
    """
    place = f"launcher {getattr(cls, '__name__', cls)}"
    if not (isinstance(cls, type) and issubclass(cls, Launcher)) or inspect.isabstract(cls):
        said = "must be a class derived from hydra.plugins.launcher.Launcher, with setup and launch"
        raise ConfigError.of(place, said)
    name = snake_case(cls.__name__)
    own = type(cls.__name__, (cls,), {"__doc__": cls.__doc__})
    target = f"{LAUNCHERS}.{cls.__name__}"
    given = list(inspect.signature(cls).parameters.values())
    for one in given:
        if one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL):
            raise ConfigError.of(place, f"needs a default for its option {one.name}")
    if PACKAGE not in sys.modules:
        _plugin_package()
    if name in stored_launchers() or (RESERVED / f"{name}.yaml").is_file():
        raise ConfigError.of(place, f"hydra/launcher={name} is there already - give another name")
    _place(own, LAUNCHERS)
    options = {one.name: one.default for one in given if one.default is not one.empty}
    store_option(GROUP, name, {"_target_": target, **options}, provider="initlab")
    return cls
