"""Sweeps, started by `-m`: every job is composed and checked first, each different one runs once, and the sum is read from disk.

`RunnerSweeper` is a Hydra sweeper, registered by hand since the project has no `hydra_plugins` folder. Jobs start through whatever
launcher is configured.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from hydra._internal.callbacks import Callbacks
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus, configure_log
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

Plugins.instance()  # before the import below, which would otherwise find the plugins half loaded

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: E402

from runner.compose import compose_once, compose_what_can_be, parsable, search_code, start  # noqa: E402
from runner.errors import EXIT_FAILED, ConfigError, Problem  # noqa: E402
from runner.identity import canonical_of, resolve, run_id  # noqa: E402
from runner.sweep.aggregate import Member, collect, write_members, write_summary  # noqa: E402
from runner.sweep.job import finished_root, run_job  # noqa: E402
from runner.sweep.status import COMPLETED  # noqa: E402
from runner.validate import validate  # noqa: E402

PACKAGE = "hydra_plugins"
MODULE = f"{PACKAGE}.runner_sweeper"
SUBDIR = "${sweep_subdir:}"
"""What `conf/config.yaml` says of a run's folder."""


class RunnerSweeper(BasicSweeper):
    """Grid sweeps over comma-separated choices and ranges."""

    def sweep(self, arguments: list[str]) -> int:
        """Check every job, then launch those that differ; gives the exit code, 1 once any run has failed."""
        problems: list[Problem] = []
        members = self.members(arguments, problems)
        if problems:
            raise ConfigError(problems)
        return self.run(arguments, members)

    def members(self, arguments: list[str], problems: list[Problem]) -> list[Member]:
        """The different runs that the words declare, first come first. What refuses the sweep is noted.

        That is all that cannot be composed, names code or is misspelled; and where every run is refused for its values, that too.
        """
        assert self.config is not None
        jobs = self.jobs([*self._parse_config(), *arguments], problems)
        found: dict[str, Member] = {}
        wrong: list[list[Problem]] = []
        refused: list[list[Problem]] = []
        for overrides in jobs:
            problems_here: list[Problem] = []
            config = compose_what_can_be(parsable(overrides, problems_here), self._load, problems_here)
            problems_here += search_code(config)
            folder = None if problems_here else _folder(config, problems_here)
            refused.append(problems_here or _refusals(config, Path(str(folder))))
            planning = config.get("task") == "plan"
            wrong.append(problems_here or [p for p in refused[-1] if planning or "Known: " in p.message])
            if folder is not None:
                found.setdefault(folder, Member(Path(folder).name, folder, overrides))
        problems += in_their_runs(jobs, refused if all(refused) else wrong)
        return list(found.values())

    def jobs(self, words: list[str], problems: list[Problem]) -> list[list[str]]:
        """The overrides of each job, duplicates included. Words that cannot be swept over are noted and left out."""
        parser = OverridesParser.create()
        good = []
        for override in [parser.parse_override(word) for word in parsable(words, problems)]:
            problem = _sweep_problem(override)
            if problem is None:
                good.append(override)
            else:
                problems.append(problem)
        [jobs] = self.split_arguments(good, None)
        return jobs

    def run(self, words: list[str], members: list[Member]) -> int:
        """Launch the runs and sum up what they left on disk."""
        assert self.config is not None
        if self.config.task == "plan":
            return EXIT_FAILED if any(job.status != JobStatus.COMPLETED for job in self._launch(members)) else 0
        folder = Path(str(self.config.hydra.sweep.dir))
        make_folders(folder, members)
        write_members(folder, words, members)
        try:
            self._launch(members)
        finally:
            statuses = collect(members)
            write_summary(folder, members, statuses)
            done = sum(status.state == COMPLETED for status in statuses)
            print(f"{done} of {len(members)} runs completed: {folder / 'summary.md'}", flush=True)
        return 0 if done == len(members) else EXIT_FAILED

    def _launch(self, members: list[Member]) -> Sequence[JobReturn]:
        """Start the runs. What ends a launcher, as a worker that died does, is said in a line; the rest is on disk."""
        assert self.launcher is not None
        try:
            return self.launcher.launch([member.overrides for member in members], initial_job_idx=0)
        except Exception as error:
            said = (str(error).strip().splitlines() or [""])[0]
            print(f"error: the launcher stopped: {type(error).__name__}: {said}", file=sys.stderr)
            return [JobReturn(status=JobStatus.FAILED)]

    def _load(self, words: list[str]) -> DictConfig:
        assert self.config is not None and self.hydra_context is not None
        return self.hydra_context.config_loader.load_sweep_config(self.config, words)


def sweep(words: list[str], config_dir: str | None) -> int:
    """Run the sweep that the command line declares; gives its exit code. ConfigError with everything wrong, before anything starts."""
    searchpath = start(words, config_dir)
    problems: list[Problem] = []
    parser = OverridesParser.create()
    overrides = [parser.parse_override(word) for word in parsable(words, problems)]
    problems += [p for p in (_hydra_problem(override) for override in overrides) if p is not None]
    for_hydra = [str(o.input_line) for o in overrides if o.is_hydra_override() and _hydra_problem(o) is None]
    task = [str(o.input_line) for o in overrides if not o.is_hydra_override()]

    # The config of the whole is its first job's: a fixed word may be about an option that another word sweeps over.
    first = next(iter(RunnerSweeper(None).jobs(task, [])), [])
    in_first: list[Problem] = []
    config = compose_what_can_be([*for_hydra, *first], lambda some: compose_once([*searchpath, "hydra.mode=MULTIRUN", *some]), in_first)
    problems += [problem for problem in in_first if problem.place.startswith("hydra")]

    sweeper = RunnerSweeper(None, config.hydra.sweeper.get("params"))
    loader = GlobalHydra.instance().config_loader()
    sweeper.config, sweeper.hydra_context = config, HydraContext(config_loader=loader, callbacks=Callbacks())
    members = sweeper.members(task, problems)
    problems = problems or search_code(config)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    configure_log(config.hydra.hydra_logging, config.hydra.verbose)
    sweeper.setup(hydra_context=sweeper.hydra_context, task_function=run_job, config=config)
    return sweeper.run(task, members)


def in_their_runs(jobs: list[list[str]], problems: list[list[Problem]]) -> list[Problem]:
    """The problems of all jobs, each once; those that only some have say which run was the first."""
    first: dict[Problem, list[str]] = {}
    for overrides, its in zip(jobs, problems, strict=True):
        for problem in its:
            first.setdefault(problem, overrides)
    everywhere = [problem for problem in first if all(problem in its for its in problems)]
    where = {p: "" if p in everywhere else f" (in the run {' '.join(overrides)})" for p, overrides in first.items()}
    return [Problem(problem.place, problem.message + said) for problem, said in where.items()]


def _hydra_problem(override: Override) -> Problem | None:
    """What is wrong with a word about Hydra itself in a sweep."""
    key = override.get_key_element().lstrip("+~")
    if override.is_hydra_override() and override.is_sweep_override():
        return Problem(key, "cannot be swept over - give one value")
    if key == "hydra.run.dir":
        return Problem(key, "is for a single run - give hydra.sweep.dir")
    return None


def _sweep_problem(override: Override) -> Problem | None:
    """What is wrong with a word that is swept over."""
    key = override.get_key_element().lstrip("+~")
    if not override.is_sweep_override():
        return None
    if key in ("task", "resume"):
        return Problem(key, "cannot be swept over - give one value")
    if not override.is_discrete_sweep():
        return Problem(key, f"'{override.input_line}' is no list of values - use a,b or choice(a,b) or range(start,stop)")
    if not list(override.sweep_string_iterator()):
        return Problem(key, f"'{override.input_line}' holds no value")
    return None


def _refusals(config: DictConfig, folder: Path) -> list[Problem]:
    """Why this run would be refused; anything else that goes wrong while it is planned is left to the run, which keeps it.

    A finished run that is only to be skipped is not refused, though this machine could not make it.
    """
    try:
        if config.resume is True and finished_root(canonical_of(resolve(config)), folder) is not None:
            return []
        validate(config)
    except ConfigError as error:
        return error.problems
    except (Exception, SystemExit):
        return []
    return []


def _folder(config: DictConfig, problems: list[Problem]) -> str | None:
    """The run's folder, named by its run id."""
    if OmegaConf.to_container(config.hydra.sweep, resolve=False)["subdir"] != SUBDIR:  # type: ignore[index, call-overload]
        problems.append(Problem("hydra.sweep.subdir", "is refused: a run's folder is named by its run id - give hydra.sweep.dir"))
        return None
    try:
        return str(Path(str(config.hydra.sweep.dir)) / run_id(canonical_of(resolve(config))))
    except ConfigError as error:
        problems += error.problems
    except OmegaConfBaseException as error:
        problems.append(Problem("hydra.sweep.dir", str(error).splitlines()[0]))
    return None


def make_folders(folder: Path, members: list[Member]) -> None:
    """Make the folders that the sweep and its runs are kept in, so that no run is the first to find that it cannot be written."""
    problems = []
    for path in dict.fromkeys([folder, *(Path(member.folder).parent for member in members)]):
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            problems.append(Problem(f"output folder {path}", f"cannot be written ({error.strerror})"))
    problems += [
        Problem(f"output folder {member.folder}", "cannot be written (it is no folder)")
        for member in members
        if Path(member.folder).exists() and not Path(member.folder).is_dir()
    ]
    if problems:
        raise ConfigError(problems)


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
