"""The runs that a sweep declares: each job is composed, checked and named in turn.

    words  ->  DeclaredSweep  ->  examine(): one `Examined` for each job
                              ->  check(): a `Member` for each different run, or ConfigError

Only the name and the words of a run are kept in memory, however many runs there are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.runner.config import list_edits
from initlab.runner.config.calling import Asking
from initlab.runner.config.compose import Words, check_permitted, compose_once, start
from initlab.runner.config.effect import Effects
from initlab.runner.config.hydra_internals import parse_word
from initlab.runner.config.identity import OUTPUTS, Declaration
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.evidence.members import Member
from initlab.runner.evidence.run_ids import folder_in, folders_in
from initlab.runner.files import check_local
from initlab.runner.plan.root import check_seed
from initlab.runner.plan.validate import RunConfig
from initlab.runner.sweep.composer import Composed, Composer
from initlab.runner.sweep.job import Job, finished, strip
from initlab.runner.sweep.searching import TARGET, SearchSpace, parse_searched
from initlab.runner.sweep.space import (
    MOST_JOBS,
    SPENT,
    Block,
    Exclusion,
    Space,
    key_of,
    parse_space,
)

SUBDIR, DIR = "${sweep_subdir:}", "${sweep_dir:}"
"""The values in `conf/config.yaml` for the folders of a run and of a sweep."""
KEPT = 256
"""Checked jobs kept in memory at most, for the runs that begin next."""
MANY = 10_000
"""Valid configs remembered at most, so that configs that differ only in the seed are planned once.
"""
MULTIRUN = "hydra.mode=MULTIRUN"


@dataclass(frozen=True)
class Examined:
    """The result of examining one job.

    `member` is the run, or None if the words make none. `refused` lists all problems of the job,
    `misspelled` those of them that are misspellings. An `excluded` job is no run.
    """

    words: list[str]
    member: Member | None
    refused: list[Problem]
    misspelled: list[Problem]
    excluded: bool = False


@dataclass(frozen=True)
class DeclaredMember:
    """One run of a sweep: its name and words, and its config on demand."""

    member: Member
    declaration: DeclaredSweep

    @property
    def config(self) -> RunConfig:
        """The run, checked and planned. Raises ConfigError with all problems."""
        return self.declaration.job_of(self.member).run


class DeclaredSweep:
    """The sweep that the words of a command line declare.

    `config` is the config of the sweep as a whole, which is that of its first job, and `words` are
    those of the command line that set something of Hydra. `search` is the
    space of a search, whose jobs are not known in advance; `of` makes a sweep of each suggested
    job. `problems` are those with words about Hydra and with the `sweep` node. `calling` finds out
    where the sweep was called.
    """

    def __init__(
        self,
        config: DictConfig,
        space: Space,
        composer: Composer,
        words: Sequence[str],
        search: SearchSpace | None = None,
        problems: Sequence[Problem] = (),
        calling: Asking | None = None,
    ) -> None:
        self.config = config
        self.space = space
        self.words = words
        self.search = search
        self.problems = problems
        self.calling = calling or Asking()
        self._composer = composer
        self._effects = Effects(composer.load)
        self._chdir = bool(config.hydra.job.chdir)
        self._kept: dict[str, Job] = {}
        self._sound: set[str] = set()
        self._there: dict[Path, dict[str, str]] = {}
        self._unknown: list[Problem] = []

    def of(self, words: list[str]) -> DeclaredSweep:
        """Return a sweep with one job, made of these words, that shares the caches of this one."""
        alone = DeclaredSweep(
            self.config,
            Space((Block(),), tuple((key_of(word), (word,)) for word in words)),
            self._composer,
            self.words,
            calling=self.calling,
        )
        alone._kept, alone._sound, alone._effects = self._kept, self._sound, self._effects
        alone._there = self._there
        return alone

    def examine(self) -> Iterator[Examined]:
        """Compose and check every job in turn, including duplicates and excluded jobs."""
        unknown: dict[str, tuple[str, list[str]] | None] = {}
        for words, block in self.space.jobs():
            yield self._examined(words, block, unknown)
        self._unknown = [
            Problem.of_name(place, "no run has such a key", *lost)
            for place, lost in unknown.items()
            if lost is not None
        ]

    def _examined(
        self, words: list[str], block: Block, unknown: dict[str, tuple[str, list[str]] | None]
    ) -> Examined:
        edits = Problems()
        words = list_edits.plain(words, self._composer.whole, edits)
        given = Words(words)
        given.problems.found += edits.found
        made = given.compose(self._composer.job)
        problems = given.problems
        with problems.under():
            made.check_permitted()
        if not problems:
            with problems.under():
                choices = self._composer.hydra(words).runtime.choices
                self._effects.check(words, self._typed(words), choices, lambda: made.config)
        if not problems and self._excluded(block, words, made, unknown):
            return Examined(words, None, [], [], excluded=True)
        job: Job | None = None
        if not problems:
            with problems.under():
                job = self._job(words, made)
        if job is None:
            return Examined(words, None, problems.found, problems.found)
        with problems.under():
            self._check(job)
        misspelled = [p for p in problems.found if made.plans or p.unknown]
        member = Member(job.folder.name, str(job.folder), words)
        return Examined(words, member, problems.found, misspelled)

    def _typed(self, words: Sequence[str]) -> set[str]:
        """Return those words of a job that come from the command line, not from the sweep's blocks."""
        given = self.space.given
        return {word for word in words if key_of(word) in given}

    def check(self) -> list[Member]:
        """Return the different runs, in order of first appearance.

        Raises ConfigError with what refuses the sweep. A job that cannot be composed, names code or
        is misspelled refuses it. Jobs with invalid values refuse it only if every job is invalid.
        """
        found: dict[tuple[str, str], Member] = {}
        refused, misspelled = Tally(), Tally()
        for job in self.examine():
            if job.excluded:
                continue
            refused.add(job.words, job.refused)
            misspelled.add(job.words, job.misspelled)
            if job.member is not None:
                found.setdefault(job.member.key, job.member)
        of_jobs = (refused if refused.everything else misspelled).problems()
        problems = Problems([*self.problems, *of_jobs, *self.unknown])
        if not problems and not found:
            problems.add("sweep", "declares no run: all are excluded")
        problems.raise_any()
        check_permitted(self.config, self.words)
        return list(found.values())

    @property
    def unknown(self) -> list[Problem]:
        """Problems with keys of exclusions that no run has. Complete after all jobs were examined."""
        return self._unknown

    def unmatched(self) -> list[Exclusion]:
        """Return the exclusions that excluded no job. Complete after all jobs were examined."""
        entries = {entry.place: entry for block in self.space.blocks for entry in block.exclude}
        return [entry for entry in entries.values() if not entry.matched]

    def job_of(self, member: Member) -> Job:
        """Return the job of a run: the cached one from `examine`, or a newly composed one."""
        if member.folder in self._kept:
            return self._kept[member.folder]
        made = self._composer.job(list(member.overrides))
        return self._made(Path(member.folder), member.overrides, made, made.declaration())

    def pop_job(self, member: Member) -> Job:
        """Return the job of a run, like `job_of`, and drop it from the cache."""
        job = self.job_of(member)
        self._kept.pop(member.folder, None)
        return job

    def _job(self, words: list[str], made: Composed) -> Job:
        """Return the job that a composed config declares. Raises ConfigError if it declares none."""
        declaration = made.declaration()
        return self._made(self._folder(words, made, declaration), words, made, declaration)

    def _made(
        self, folder: Path, words: list[str], made: Composed, declaration: Declaration
    ) -> Job:
        return Job(folder, words, declaration, made.text, self._chdir, self.calling)

    def _check(self, job: Job) -> None:
        """Raise ConfigError if the run would be refused. Other errors of planning are left to the
        run, which records them.

        A finished run that `resume` skips is not refused, even if this machine could not make it.
        Runs that differ in the seed only are planned once.
        """
        resolved = job.declaration.resolved
        try:
            if resolved.get("resume") is True and finished(job.declaration, job.folder) is not None:
                return
            problems = Problems()
            with problems.under():
                check_seed(resolved)
            alike = hashlib.sha256(
                json.dumps({**resolved, "seed": None}, sort_keys=True, default=str).encode()
            ).hexdigest()
            if problems or alike not in self._sound:
                assert job.run
                if len(self._sound) < MANY:
                    self._sound.add(alike)
            if len(self._kept) < KEPT:
                self._kept.setdefault(str(job.folder), job)
        except ConfigError:
            raise
        except (Exception, SystemExit):
            return

    def _excluded(
        self,
        block: Block,
        words: list[str],
        made: Composed,
        unknown: dict[str, tuple[str, list[str]] | None],
    ) -> bool:
        """Return whether the job is excluded.

        Keys that no job has had so far are collected in `unknown`, with the names that exist in
        their place.
        """
        for entry in block.exclude:
            holds = True
            for key, values in entry.conditions.items():
                found = _value(made.config, self._composer.hydra(words).runtime.choices, key)
                if found is MISSING:
                    unknown.setdefault(f"{entry.place}.{key}", _lost(made.config, key))
                    holds = False
                    continue
                unknown[f"{entry.place}.{key}"] = None
                holds = holds and any(_same(value, one) for value in values for one in found)
            if holds:
                entry.matched = True
                return True
        return False

    def _folder(self, words: list[str], made: Composed, run: Declaration) -> Path:
        """Return the run's folder, which is named by its run id. Raises ConfigError if the config
        sets another name.
        """
        if made.places["subdir"] != SUBDIR:
            said = "is refused: a run's folder is named by its run id - give hydra.sweep.dir"
            raise ConfigError.of("hydra.sweep.subdir", said)
        parent = Path(OUTPUTS) / str(run.resolved["name"])
        if made.places["dir"] != DIR:
            try:
                parent = Path(str(self._composer.whole(words).hydra.sweep.dir))
            except OmegaConfBaseException as error:
                raise ConfigError.of("hydra.sweep.dir", str(error).splitlines()[0]) from error
        if parent not in self._there:
            self._there[parent] = folders_in(parent)
        return folder_in(parent, run.run_id, self._there[parent])


MISSING = object()


def _value(config: DictConfig, choices: DictConfig, key: str) -> Any:
    """Return the values of a job at `key`, or MISSING.

    For a config group the list has both the chosen option and the value; for init=default also the
    kind that it stands for.
    """
    found = []
    if key in choices:
        found.append(choices[key])
        if (key, choices[key]) == ("init", "default"):
            found.append(OmegaConf.select(config, "init.kind"))
    try:
        value = OmegaConf.select(config, key, default=MISSING)
    except OmegaConfBaseException:
        value = MISSING
    if value is not MISSING:
        found.append(OmegaConf.to_container(value) if OmegaConf.is_config(value) else value)
    return found or MISSING


def _same(wanted: object, found: object) -> bool:
    """Return whether two values are equal in YAML: `1` equals `1.0` but not `true`."""
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def _lost(config: DictConfig, key: str) -> tuple[str, list[str]]:
    """Return the first part of `key` that does not exist, and the names that exist in its place."""
    parent: Any = config
    for part in key.split("."):
        if (
            not OmegaConf.is_dict(parent)
            or part not in parent
            or not OmegaConf.is_dict(parent[part])
        ):
            break
        parent = parent[part]
    return part, [str(name) for name in parent if name != "hydra"]


class Tally:
    """The problems of all jobs, each once. A problem of some jobs only names the first run that has
    it.
    """

    def __init__(self) -> None:
        self._first: dict[Problem, tuple[list[str], int]] = {}
        self._jobs = 0
        self._wrong = 0

    def add(self, words: list[str], problems: list[Problem]) -> None:
        """Add a job and its problems."""
        self._jobs += 1
        self._wrong += bool(problems)
        for problem in dict.fromkeys(problems):
            first, count = self._first.get(problem, (words, 0))
            self._first[problem] = (first, count + 1)

    @property
    def everything(self) -> bool:
        """Whether every job has a problem."""
        return self._wrong == self._jobs

    def problems(self) -> list[Problem]:
        """Return all problems; those that every job has come first."""
        found = sorted(self._first.items(), key=lambda item: item[1][1] < self._jobs)
        return [
            problem
            if count == self._jobs
            else replace(problem, message=f"{problem.message} (in the run {' '.join(words)})")
            for problem, (words, count) in found
        ]


def declare_sweep(words: list[str], config_dir: str | None) -> DeclaredSweep:
    """Return the sweep that the words of a command line declare."""
    start(words, config_dir)
    given = Words(list_edits.with_functions(words))
    problems = given.problems
    task: list[Override] = []
    for_hydra: list[str] = []
    for override in map(parse_word, given.sound):
        if not override.is_hydra_override():
            task.append(override)
            continue
        with problems.under(override.get_key_element().lstrip("+~")):
            _check_for_hydra(override)
            for_hydra.append(str(override.input_line))

    # The config of the sweep is that of its first job: a fixed word may set a key of an option that
    # another word sweeps over.
    first = next(parse_space(task, {}, {}).jobs())[0]
    about_it = [
        str(override.input_line)
        for override in task
        if key_of(override.get_key_element()).startswith(SPENT)
    ]
    about_it = list_edits.plain(about_it, compose_once, problems)
    in_first = Words(list_edits.plain([*for_hydra, *about_it, *first], compose_once, Problems()))
    config = in_first.compose(lambda some: compose_once([MULTIRUN, *some]))
    problems.found += [p for p in in_first.problems.found if p.place.startswith(("hydra", *SPENT))]
    whole = [word for word in in_first.sound if word in for_hydra or word in about_it]
    with problems.under():
        Effects(compose_once).check(whole, whole, DictConfig({}), lambda: config)
    node = (
        OmegaConf.to_container(config.sweep, resolve=False)
        if OmegaConf.is_dict(config.get("sweep"))
        else {}
    )
    params = config.hydra.sweeper.get("params")
    varied: Any = OmegaConf.to_container(params) if params is not None else {}
    sound = [MULTIRUN, *(word for word in in_first.sound if word in for_hydra)]
    calling = Asking(config_dir)
    composer = Composer(lambda some: strip(compose_once([*sound, *some])), sound)
    if OmegaConf.to_container(config.hydra.sweeper, resolve=False).get("_target_") == TARGET:  # type: ignore[union-attr]
        search = SearchSpace((), {})
        with problems.under():
            search = parse_searched(task, node, varied)  # type: ignore[arg-type]
        nothing = Space((), ())
        return DeclaredSweep(config, nothing, composer, sound, search, problems.found, calling)
    space = parse_space(task, node, varied)  # type: ignore[arg-type]
    problems.found += space.problems
    if space.count() > MOST_JOBS:  # too many to look at each
        problems.add(
            "sweep", f"declares {space.count():,} jobs, more than {MOST_JOBS:,} - split it"
        )
        problems.raise_any()
    return DeclaredSweep(config, space, composer, sound, None, problems.found, calling)


def declared(words: list[str], config_dir: str | None = None) -> Iterator[DeclaredMember]:
    """Return the runs that the words of a sweep declare, one after the other.

    Raises ConfigError with all problems before the first run.
    """
    declaration = declare_sweep(words, config_dir)
    for member in declaration.check():
        yield DeclaredMember(member, declaration)


def _check_for_hydra(override: Override) -> None:
    """Raise ConfigError if a word sets something of Hydra that a sweep cannot set."""
    if override.is_sweep_override():
        raise ConfigError.of("", "cannot be swept over - give one value")
    key = override.get_key_element().lstrip("+~")
    if key == "hydra.run.dir":
        raise ConfigError.of("", "is for a single run - give hydra.sweep.dir")
    if key == "hydra.sweep.dir":
        check_local("", str(override.value()))
