"""The runs that a sweep declares: composed, checked and named one after the other, each different
run once.

    words  ->  DeclaredSweep  ->  examine(): one `Examined` for each job
                              ->  check(): `Member`s, or everything that is wrong with them

Nothing here holds more of a run than its name and its words, however many there are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.engine.registry import advice
from initlab.runner.config.compose import (
    compose_once,
    compose_what_can_be,
    parsable,
    search_code,
    start,
)
from initlab.runner.config.hydra_internals import parse_word
from initlab.runner.config.identity import Declaration
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.evidence.members import Member
from initlab.runner.plan.root import check_seed
from initlab.runner.plan.validate import RunConfig
from initlab.runner.sweep.composer import Composed, Composer
from initlab.runner.sweep.job import Job, finished, strip
from initlab.runner.sweep.searching import TARGET, SearchSpace, parse_searched
from initlab.runner.sweep.space import SPENT, Block, Exclusion, Space, key_of, parse_space

SUBDIR, DIR = "${sweep_subdir:}", "${sweep_dir:}"
"""What `conf/config.yaml` says of a run's folder and of a sweep's."""
KEPT = 256
"""So many checked configs are kept for the runs that are about to begin."""
MANY = 10_000
"""So many sound configs are remembered, so that those that differ in the seed only are planned
once.
"""
MULTIRUN = "hydra.mode=MULTIRUN"


@dataclass(frozen=True)
class Examined:
    """One job: its words, the run it is (None where its words make none), all that refuses it, and
    what of that is misspelled.

    `excluded` jobs are no run.
    """

    words: list[str]
    member: Member | None
    refused: list[Problem]
    misspelled: list[Problem]
    excluded: bool = False


@dataclass(frozen=True)
class DeclaredRun:
    """One run of a sweep: its name and words, and its config on demand."""

    member: Member
    declaration: DeclaredSweep

    @property
    def config(self) -> RunConfig:
        """The run, checked and planned. ConfigError with everything wrong with it."""
        return self.declaration.prepare(self.member).run


class DeclaredSweep:
    """What the words of a sweep declare. `config` is the sweep's own config, which is its first
    job's.

    `search` is what a search varies; its jobs are not known before it, and `of` gives them one by
    one.
    """

    def __init__(
        self,
        config: DictConfig,
        space: Space,
        composer: Composer,
        search: SearchSpace | None = None,
    ) -> None:
        self.config = config
        self.space = space
        self.search = search
        self._composer = composer
        self._chdir = bool(config.hydra.job.chdir)
        self._kept: dict[str, Job] = {}
        self._sound: set[str] = set()
        self._unknown: list[Problem] = []

    def of(self, words: list[str]) -> DeclaredSweep:
        """The same sweep with one job of these words."""
        alone = DeclaredSweep(
            self.config,
            Space((Block(),), tuple((key_of(word), (word,)) for word in words)),
            self._composer,
        )
        alone._kept, alone._sound = self._kept, self._sound
        return alone

    def examine(self) -> Iterator[Examined]:
        """Every job in turn, duplicates and excluded ones included."""
        unknown: dict[str, tuple[str, list[str]] | None] = {}
        for words, block in self.space.jobs():
            problems: list[Problem] = []
            made = compose_what_can_be(parsable(words, problems), self._composer.job, problems)
            problems += made.code
            if not problems and self._excluded(block, words, made, unknown):
                yield Examined(words, None, [], [], excluded=True)
                continue
            job = None if problems else self._job(words, made, problems)
            refused = problems or ([] if job is None else self._refusals(job))
            misspelled = problems or [p for p in refused if made.plans or p.unknown]
            yield Examined(
                words,
                None if job is None else Member(job.folder.name, str(job.folder), words),
                refused,
                misspelled,
            )
        self._unknown = [
            Problem(place, f"no run has such a key - {advice(*lost)}")
            for place, lost in unknown.items()
            if lost is not None
        ]

    def check(self, problems: list[Problem]) -> list[Member]:
        """The different runs, first come first. What refuses the sweep is noted.

        That is all that cannot be composed, names code or is misspelled; and where every run is
        refused for its values, that too.
        """
        found: dict[str, Member] = {}
        refused, misspelled = Tally(), Tally()
        for job in self.examine():
            if job.excluded:
                continue
            refused.add(job.words, job.refused)
            misspelled.add(job.words, job.misspelled)
            if job.member is not None:
                found.setdefault(job.member.folder, job.member)
        problems += (refused if refused.everything else misspelled).problems()
        problems += self.unknown
        if not problems and not found:
            problems.append(Problem("sweep", "declares no run: all are excluded"))
        return list(found.values())

    @property
    def unknown(self) -> list[Problem]:
        """Keys of exclusions that no run has, once all jobs have been examined."""
        return self._unknown

    def unmatched(self) -> list[Exclusion]:
        """The exclusions that left nothing out, once all jobs have been examined."""
        entries = {entry.place: entry for block in self.space.blocks for entry in block.exclude}
        return [entry for entry in entries.values() if not entry.matched]

    def prepare(self, member: Member) -> Job:
        """The run to perform, as it was when it was examined, if that is kept."""
        if member.folder in self._kept:
            return self._kept[member.folder]
        made = self._composer.job(list(member.overrides))
        return self._made(Path(member.folder), member.overrides, made, made.declaration())

    def take(self, member: Member) -> Job:
        """The same, which is kept no longer."""
        job = self.prepare(member)
        self._kept.pop(member.folder, None)
        return job

    def _job(self, words: list[str], made: Composed, problems: list[Problem]) -> Job | None:
        """The run that a composed config declares; None with what is wrong noted."""
        try:
            declaration = made.declaration()
        except ConfigError as error:
            problems += error.problems
            return None
        folder = self._folder(words, made, declaration, problems)
        return None if folder is None else self._made(folder, words, made, declaration)

    def _made(
        self, folder: Path, words: list[str], made: Composed, declaration: Declaration
    ) -> Job:
        return Job(folder, words, declaration, made.text, self._chdir)

    def _refusals(self, job: Job) -> list[Problem]:
        """Why this run would be refused; anything else that goes wrong while it is planned is left
        to the run, which keeps it.

        A finished run that is only to be skipped is not refused, though this machine could not make
        it. Runs that differ in the seed only are planned once.
        """
        resolved = job.declaration.resolved
        try:
            if resolved.get("resume") is True and finished(job.declaration, job.folder) is not None:
                return []
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
        except ConfigError as error:
            return error.problems
        except (Exception, SystemExit):
            return []
        return []

    def _excluded(
        self,
        block: Block,
        words: list[str],
        made: Composed,
        unknown: dict[str, tuple[str, list[str]] | None],
    ) -> bool:
        """Whether the job is left out. Keys that no job has had so far are kept in `unknown`, with
        the names that stand there.
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

    def _folder(
        self, words: list[str], made: Composed, run: Declaration, problems: list[Problem]
    ) -> Path | None:
        """The run's folder, named by its run id."""
        if made.places["subdir"] != SUBDIR:
            problems.append(
                Problem(
                    "hydra.sweep.subdir",
                    "is refused: a run's folder is named by its run id - give hydra.sweep.dir",
                )
            )
            return None
        if made.places["dir"] == DIR:
            return run.folder
        try:
            return Path(str(self._composer.whole(words).hydra.sweep.dir)) / run.run_id
        except OmegaConfBaseException as error:
            problems.append(Problem("hydra.sweep.dir", str(error).splitlines()[0]))
        return None


MISSING = object()


def _value(config: DictConfig, choices: DictConfig, key: str) -> Any:
    """What a job has at `key`: the value, and for a group the option that was chosen; MISSING where
    there is no such key.
    """
    found = []
    if key in choices:
        found.append(choices[key])
    try:
        value = OmegaConf.select(config, key, default=MISSING)
    except OmegaConfBaseException:
        value = MISSING
    if value is not MISSING:
        found.append(OmegaConf.to_container(value) if OmegaConf.is_config(value) else value)
    return found or MISSING


def _same(wanted: Any, found: Any) -> bool:
    """Equal, as values of YAML: `1` is `1.0` but not `true`."""
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def _lost(config: DictConfig, key: str) -> tuple[str, list[str]]:
    """The part of `key` that is not there, and the names that stand in its place."""
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
    """The problems of all jobs, each once; those that only some have say which run was the first."""

    def __init__(self) -> None:
        self._first: dict[Problem, tuple[list[str], int]] = {}
        self._jobs = 0
        self._wrong = 0

    def add(self, words: list[str], problems: list[Problem]) -> None:
        """One more job and what is wrong with it."""
        self._jobs += 1
        self._wrong += bool(problems)
        for problem in dict.fromkeys(problems):
            first, count = self._first.get(problem, (words, 0))
            self._first[problem] = (first, count + 1)

    @property
    def everything(self) -> bool:
        """Whether something is wrong with every job."""
        return self._wrong == self._jobs

    def problems(self) -> list[Problem]:
        """All of them; those of every job first."""
        found = sorted(self._first.items(), key=lambda item: item[1][1] < self._jobs)
        return [
            problem
            if count == self._jobs
            else Problem(problem.place, f"{problem.message} (in the run {' '.join(words)})")
            for problem, (words, count) in found
        ]


def declare_sweep(
    words: list[str], config_dir: str | None, problems: list[Problem]
) -> DeclaredSweep:
    """What the words of a command line declare. What is wrong with those about Hydra or with the
    `sweep` node is noted.
    """
    searchpath = start(words, config_dir)
    overrides = [parse_word(word) for word in parsable(words, problems)]
    problems += [p for p in map(_hydra_problem, overrides) if p is not None]
    for_hydra = [
        str(o.input_line) for o in overrides if o.is_hydra_override() and _hydra_problem(o) is None
    ]
    task = [override for override in overrides if not override.is_hydra_override()]

    # The config of the whole is its first job's: a fixed word may be about an option that another
    # word sweeps
    # over.
    first = next(parse_space(task, {}, {}, []).jobs())[0]
    in_first: list[Problem] = []
    about_it = [
        str(override.input_line)
        for override in task
        if key_of(override.get_key_element()).startswith(SPENT)
    ]
    config = compose_what_can_be(
        [*for_hydra, *about_it, *first],
        lambda some: compose_once([*searchpath, MULTIRUN, *some]),
        in_first,
    )
    problems += [problem for problem in in_first if problem.place.startswith(("hydra", *SPENT))]
    node = (
        OmegaConf.to_container(config.sweep, resolve=False)
        if OmegaConf.is_dict(config.get("sweep"))
        else {}
    )
    params = config.hydra.sweeper.get("params")
    varied: Any = OmegaConf.to_container(params) if params is not None else {}
    sound: Any = OmegaConf.to_container(config.hydra.overrides.hydra, resolve=False)
    composer = Composer(lambda some: strip(compose_once([*sound, *some])))
    if OmegaConf.to_container(config.hydra.sweeper, resolve=False).get("_target_") == TARGET:  # type: ignore[union-attr]
        return DeclaredSweep(
            config,
            Space((), ()),
            composer,
            parse_searched(task, node, varied, problems),  # type: ignore[arg-type]
        )
    return DeclaredSweep(config, parse_space(task, node, varied, problems), composer)  # type: ignore[arg-type]


def declared(words: list[str], config_dir: str | None = None) -> Iterator[DeclaredRun]:
    """The runs that a sweep's words declare, one after the other. ConfigError with everything
    wrong, before the first.
    """
    problems: list[Problem] = []
    declaration = declare_sweep(words, config_dir, problems)
    members = declaration.check(problems)
    problems = problems or search_code(declaration.config)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    for member in members:
        yield DeclaredRun(member, declaration)


def _hydra_problem(override: Override) -> Problem | None:
    """What is wrong with a word about Hydra itself in a sweep."""
    key = override.get_key_element().lstrip("+~")
    if override.is_hydra_override() and override.is_sweep_override():
        return Problem(key, "cannot be swept over - give one value")
    if key == "hydra.run.dir":
        return Problem(key, "is for a single run - give hydra.sweep.dir")
    return None
