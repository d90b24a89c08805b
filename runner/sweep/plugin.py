"""`hydra/sweeper: runner`, as Hydra knows it. Sweeps themselves are in `sweeper`, which is imported when
one is run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from initlab.runner.config.hydra_internals import store_option

PACKAGE = "hydra_plugins"
MODULE = f"{PACKAGE}.runner_sweeper"


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
    RunnerSweeper.__module__ = MODULE
    package = sys.modules.get(PACKAGE) or _plugin_package()
    module = ModuleType(MODULE)
    module.RunnerSweeper = RunnerSweeper  # type: ignore[attr-defined]
    package.runner_sweeper = module  # type: ignore[attr-defined]
    sys.modules[MODULE] = module
    Plugins.instance().register(RunnerSweeper)
    node = {"_target_": f"{MODULE}.RunnerSweeper", "max_batch_size": None, "params": None}
    store_option(group="hydra/sweeper", name="runner", node=node, provider="initlab")
