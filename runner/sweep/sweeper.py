"""The Hydra sweeper behind `-m`: composes and checks every job first, runs each different one once, and aggregates from disk.

It is registered with Hydra by hand, since the project has no `hydra_plugins` folder. Jobs start through whatever launcher is
configured.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf

Plugins.instance()  # before the import below, which would otherwise find the plugins half loaded

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: E402

from runner import identity  # noqa: E402
from runner.compose import COMPOSITION_ERRORS, explain, search_code  # noqa: E402
from runner.errors import EXIT_FAILED, ConfigError, Problem  # noqa: E402
from runner.sweep.aggregate import Member, collect, write_members, write_summary  # noqa: E402
from runner.sweep.status import COMPLETED  # noqa: E402

PACKAGE = "hydra_plugins"
MODULE = f"{PACKAGE}.runner_sweeper"


class RunnerSweeper(BasicSweeper):
    """Grid sweeps over comma-separated choices and ranges; `exit_code` is 1 once any run has failed."""

    exit_code = 0

    def sweep(self, arguments: list[str]) -> Any:
        """Compose every job, then launch those that differ."""
        assert self.config is not None and self.launcher is not None and self.hydra_context is not None
        words = [*self._parse_config(), *arguments]
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        [jobs] = self.split_arguments(parser.parse_overrides(words), None)
        members = self.members(jobs)
        planning = self.config.task == "plan"
        folder = Path(str(self.config.hydra.sweep.dir))
        if not planning:
            self._make(folder)
            write_members(folder, words, members)
        returned = self.launcher.launch([member.overrides for member in members], initial_job_idx=0)
        if planning:
            return returned
        statuses = collect(members)
        write_summary(folder, members, statuses)
        done = sum(status.state == COMPLETED for status in statuses)
        print(f"{done} of {len(members)} runs completed: {folder / 'summary.md'}", flush=True)
        if done < len(members):
            RunnerSweeper.exit_code = EXIT_FAILED
        return returned

    def members(self, jobs: Sequence[Sequence[str]]) -> list[Member]:
        """The different runs among `jobs`, first come first. ConfigError with all that cannot be composed."""
        assert self.config is not None and self.hydra_context is not None
        problems: list[Problem] = []
        found: dict[str, Member] = {}
        for overrides in jobs:
            try:
                config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
            except COMPOSITION_ERRORS as error:
                problems.append(explain(error, list(overrides))[0])
                continue
            problems += search_code(config)
            identifier = identity.run_id(identity.canonical_of(identity.resolve(config)))
            folder = str(Path(str(OmegaConf.select(config, "hydra.sweep.dir"))) / identifier)
            found.setdefault(folder, Member(identifier, folder, list(overrides)))
        if problems:
            raise ConfigError(list(dict.fromkeys(problems)))
        return list(found.values())

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError.of(f"output folder {folder}", f"cannot be written ({error.strerror})") from error


def _plugin_package() -> ModuleType:
    """The package of installed Hydra plugins, or an empty one where none is installed."""
    try:
        return importlib.import_module(PACKAGE)
    except ModuleNotFoundError:
        package = ModuleType(PACKAGE)
        package.__path__ = []
        sys.modules[PACKAGE] = package
        return package


def register() -> None:
    """Make the sweeper known to Hydra as `hydra/sweeper: runner`.

    Hydra takes plugins from the package `hydra_plugins` only, so the class is put into a module of that name made here.
    """
    RunnerSweeper.__module__ = MODULE
    package = sys.modules.get(PACKAGE) or _plugin_package()
    module = ModuleType(MODULE)
    module.RunnerSweeper = RunnerSweeper  # type: ignore[attr-defined]
    package.runner_sweeper = module  # type: ignore[attr-defined]
    sys.modules[MODULE] = module
    Plugins.instance().register(RunnerSweeper)
    node = {"_target_": f"{MODULE}.RunnerSweeper", "max_batch_size": None, "params": None}
    ConfigStore.instance().store(group="hydra/sweeper", name="runner", node=node, provider="initlab")
