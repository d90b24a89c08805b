"""A search for the best value of the objective, with the sweeper of Hydra's Optuna plugin.

The plugin suggests words and receives objectives. `Study` takes the place of its launcher: each job
is composed, searched for code, checked, named and performed like any run of a sweep. A trial
therefore has the same folder, run id and bits as the same run made alone.

    plugin  --words-->  Study.launch  --members-->  perform (in this process, or Hydra's launcher)
            <--objectives--  status.json of each run
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from hydra.core.override_parser.types import Glob, IntervalSweep, Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from initlab.engine.errors import OptionError
from initlab.engine.options import Check, Count, check_given, choice
from initlab.runner.config.compose import check_permitted
from initlab.runner.config.grammar import Range
from initlab.runner.config.hydra_internals import hydra_context
from initlab.runner.config.permitted import LOGGING_CLASSES, SAMPLERS
from initlab.runner.errors import EXIT_FAILED, ConfigError, Problems
from initlab.runner.evidence.members import Member, extend_members
from initlab.runner.evidence.status import COMPLETED, PENDING, conclude
from initlab.runner.sweep.declared import DeclaredSweep, Tally
from initlab.runner.sweep.job import STOP, run_job
from initlab.runner.sweep.monitor import Monitor
from initlab.runner.sweep.searching import SearchSpace
from initlab.runner.sweep.space import key_of, values_of

GRID = "optuna.samplers.GridSampler"
DIRECTIONS = ("minimize", "maximize")
PLUGIN_LOG = "hydra_plugins.hydra_optuna_sweeper"

Perform = Callable[[DeclaredSweep, list[Member], Monitor, int], None]
"""Performs runs; the last argument is the number of the first one within the sweep."""


def unused(said: str) -> Check:
    """Return a check that refuses every value that is set, with this message."""

    def check(option: str, value: object) -> object:
        if value:
            raise OptionError(option, said)
        return value

    return check


@dataclass
class SearchOptions:
    """The options of Hydra's Optuna plugin that are checked before a search."""

    direction: Annotated[str, choice(DIRECTIONS)]
    n_trials: Count
    n_jobs: Count
    max_failure_rate: Annotated[
        object, unused("is not used - give sweep.on_error=stop or continue")
    ]
    search_space: Annotated[
        object, unused("is deprecated by its plugin - give hydra.sweeper.params")
    ]


def check_search(declaration: DeclaredSweep) -> None:
    """Raise ConfigError with all problems of a search, before anything starts.

    Trial configs at the ends of every key's range are checked: a misspelling in any of them and a
    problem of all of them refuse the search.
    """
    problems = Problems(declaration.problems)
    with problems.under():
        check_permitted(declaration.config, declaration.words)
    with problems.under():
        _check_options(declaration.config)
    refused, misspelled = Tally(), Tally()
    for words in [] if problems or declaration.search is None else declaration.search.probes():
        for job in declaration.of(words).examine():
            refused.add(job.words, job.refused)
            misspelled.add(job.words, job.misspelled)
    problems.found += (refused if refused.everything else misspelled).problems()
    problems.raise_any()


def _check_options(config: DictConfig) -> None:
    """Raise ConfigError with all problems of the options of a search."""
    options: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
    problems = Problems()
    if config.get("objective") is None:
        said = (
            "is needed to search - give what a run is judged by, like 'objective={figure: "
            '"layers[-1].rms", target: 1, distance: ratio}\''
        )
        problems.add("objective", said)
    if config.get("task") != "run":
        said = "makes no run to search by - leave out hydra/sweeper=optuna"
        problems.add("task", f"{config.get('task')} {said}")
    direction = getattr(options["direction"], "name", options["direction"])
    with problems.under("hydra.sweeper"):
        check_given(SearchOptions, {**options, "direction": direction})
    problems.raise_any()


def maximizes(config: DictConfig) -> bool:
    """Return whether the largest objective is the best one: only if a search says so."""
    direction = config.hydra.sweeper.get("direction")
    return str(getattr(direction, "name", direction)) == "maximize"


class SearchStopped(Exception):
    """Raised when a run failed and `sweep.on_error` is stop."""


class Study:
    """One search.

    `members` are the different runs suggested so far. `perform` is the function of
    `runner.sweep.sweeper` that performs members.
    """

    def __init__(self, declaration: DeclaredSweep, perform: Perform) -> None:
        assert declaration.search is not None
        self.members: list[Member] = []
        self._declaration = declaration
        self._perform = perform
        self._folder = Path(str(declaration.config.hydra.sweep.dir))
        options = declaration.config.hydra.sweeper
        self._maximize = maximizes(declaration.config)
        self._trials = options.n_trials
        self._monitor: Monitor | None = None
        self._best: tuple[float, Member] | None = None
        grid = options.sampler.get("_target_") == GRID
        self._suggested = _words_for_plugin(declaration.search, grid)
        self._sweeper = _plugin(declaration.config)
        self._sweeper.launcher = self

    def perform(self, declaration: DeclaredSweep, members: list[Member], monitor: Monitor) -> None:
        """Run the search; `members`, the list of this study, grows with it."""
        (self._folder / STOP).unlink(missing_ok=True)
        monitor.expect(self._trials)
        self._monitor = monitor
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the plugin uses deprecated parts of Optuna
                self._sweeper.sweep(self._suggested)
        except SearchStopped:
            return
        except ValueError:
            if self._best is not None:
                raise
            # No trial has a value, but the plugin asks Optuna for the best one, which raises ValueError.

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Perform the suggested jobs. The plugin calls this as its launcher.

        The returned value is the objective, or None if the trial failed or has no finite objective;
        Optuna then counts it as failed.
        """
        assert self._monitor is not None
        batch = [self._member(list(words)) for words in job_overrides]
        known = {member.key for member in self.members}
        new = list(
            {
                member.key: member
                for member in batch
                if member is not None and member.key not in known
            }.values()
        )
        self.members += new
        extend_members(self._folder, self.members)
        if new:
            self._perform(self._declaration, new, self._monitor, self._monitor.add(new))
        made = {member.key: member for member in self.members}
        values = [None if member is None else self._value(made[member.key]) for member in batch]
        ended = [conclude(Path(member.folder)).state for member in new]
        stop = self._declaration.config.sweep.on_error == "stop" and any(
            state not in (COMPLETED, PENDING) for state in ended
        )
        if stop:
            raise SearchStopped
        return [
            JobReturn(overrides=words, status=JobStatus.COMPLETED, _return_value=value)
            for words, value in zip(job_overrides, values, strict=True)
        ]

    def _member(self, suggested: list[str]) -> Member | None:
        """Return the run that these words make, or None after printing why they make none."""
        assert self._declaration.search is not None
        suggested = [self._as_declared(word) for word in suggested]
        [job] = self._declaration.of([*self._declaration.search.fixed, *suggested]).examine()
        if job.member is None:
            print(
                f"refused    {' '.join(suggested)}: {'; '.join(map(str, job.refused))}", flush=True
            )
        return job.member

    def _as_declared(self, suggested: str) -> str:
        """Return a suggested word with the value of its range that it stands for: Optuna computes
        0.1 + 2 * 0.1 in binary fractions.
        """
        assert self._declaration.search is not None
        key, _, number = suggested.partition("=")
        word, _ = self._declaration.search.searched.get(key_of(key), (None, ()))
        swept = None if word is None else word.value()
        return f"{key}={swept.nearest(float(number))}" if isinstance(swept, Range) else suggested

    def _value(self, member: Member) -> float | None:
        """Return the objective of a run that has ended, and remember it if it is the best one."""
        status = conclude(Path(member.folder))
        value = status.objective if status.state == COMPLETED else None
        if value is not None and (
            self._best is None
            or (value > self._best[0] if self._maximize else value < self._best[0])
        ):
            self._best = value, member
        return value

    def conclude(self, code: int) -> int:
        """Print the best run; return the exit code: `code`, or that of a failure if no run has an
        objective.
        """
        if self._best is None:
            print("best: none, no run has an objective", flush=True)
            return EXIT_FAILED
        value, member = self._best
        assert self._declaration.search is not None
        words = [word for word in member.overrides if word not in self._declaration.search.fixed]
        print(f"best: objective {value:.6g} with {' '.join(words)}  ({member.folder})", flush=True)
        return code


def describe(declaration: DeclaredSweep) -> str:
    """Return one line that says what a search would do."""
    options = declaration.config.hydra.sweeper
    assert declaration.search is not None
    words = " ".join(str(word.input_line) for word, _ in declaration.search.searched.values())
    sampler = str(options.sampler.get("_target_")).rpartition(".")[2]
    return f"{options.n_trials} trials of {words}, suggested by {sampler}; nothing was written"


def _plugin(config: DictConfig) -> Any:
    """Return the plugin's sweeper, set up. Raises ConfigError if it cannot be created."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sweeper: Any = Plugins.instance().instantiate_sweeper(
                hydra_context=hydra_context(LOGGING_CLASSES | SAMPLERS),
                task_function=run_job,
                config=config,
            )
    except (HydraException, ImportError) as error:
        said = next(
            (line for line in str(error.__cause__ or error).splitlines() if line.strip()), ""
        )
        raise ConfigError.of("hydra.sweeper", f"cannot be made: {said}") from error
    logging.getLogger("optuna").setLevel(logging.WARNING)
    logging.getLogger(PLUGIN_LOG).setLevel(logging.ERROR)  # we print a line for a failed run
    inner = sweeper.sweeper
    inner.params, inner.search_space, inner.max_failure_rate = None, None, 1.0
    # The plugin expects Hydra to make the sampler; Hydra 1.4 passes its config instead.
    if OmegaConf.is_config(inner.sampler):
        inner.sampler = _sampler(inner.sampler)
    return inner


def _sampler(options: DictConfig) -> Any:
    """Return the sampler that a config declares, or for a grid the function that makes it.

    The caller makes sure that it is one of SAMPLERS. Raises ConfigError for an option it does not
    have.
    """
    from optuna import samplers  # already imported by the plugin

    given: dict[str, object] = OmegaConf.to_container(options, resolve=True)  # type: ignore[assignment]
    name, partly = given.pop("_target_"), given.pop("_partial_", False)
    assert name in SAMPLERS
    cls = getattr(samplers, name.rpartition(".")[2])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return partial(cls, **given) if partly else cls(**given)
    except (TypeError, ValueError) as error:
        raise ConfigError.of("hydra.sweeper", f"cannot be made: {error}") from error


def _words_for_plugin(space: SearchSpace, grid: bool) -> list[str]:
    """Return the searched words in the plugin's syntax. Raises ConfigError if a grid has an
    interval.
    """
    problems = Problems()
    for key, (word, _) in space.searched.items():
        if grid and isinstance(word.value(), IntervalSweep):
            said = "has no steps for a grid - use a,b or range(start,stop,step)"
            problems.add(key, f"'{word.input_line}' {said}")
    problems.raise_any()
    return [_for_plugin(word, grid) for word, _ in space.searched.values()]


def _for_plugin(word: Override, grid: bool) -> str:
    """Return a searched word without ranges that the plugin would read otherwise.

    A grid gets all values one by one. A sampler gets a range that ends at its last value, since the
    plugin includes `stop`.
    """
    key, value = word.get_key_element(), word.value()
    if isinstance(value, Range) and not (grid or value.shuffle):
        ordered = value.sorted(reverse=False)
        numbers = list(ordered)
        step = ordered.step if isinstance(ordered.step, int) else float(ordered.step)
        return f"{key}=range({numbers[0]},{numbers[-1]},{step})"
    if isinstance(value, (Range, Glob)):
        return f"{key}=choice({','.join(values_of(word))})"
    return str(word.input_line)
