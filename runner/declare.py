"""Runs from Python: declare a run with the words of the command line, check it, plan it, run it."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from initlab.engine import naming, streams
from initlab.runner.config.calling import Asking
from initlab.runner.config.compose import (
    Composed,
    ComposedWithProblems,
    check_single,
    compose,
    hydra_files,
    set_run_dir,
)
from initlab.runner.config.hydra_internals import borrowing_hydra
from initlab.runner.config.identity import declaration_of, typed_words
from initlab.runner.errors import ConfigError, Problem, Problems, TimedOut
from initlab.runner.evidence import judged, status
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import Origin, RunFolder
from initlab.runner.excerpt import shortened
from initlab.runner.files import check_local
from initlab.runner.plan.rows import Plan
from initlab.runner.plan.validate import RunConfig, validate
from initlab.runner.report.drawing import check_report
from initlab.runner.run import stages
from initlab.runner.run.limit import Hung
from initlab.runner.sweep.plugin import register
from initlab.runner.terminal import tables
from initlab.runner.tracking import track_run

if TYPE_CHECKING:
    from initlab.runner.advice.advise import Advice
    from initlab.runner.evidence.finished import Run


def declare(*words: str, config_dir: str | os.PathLike[str] | None = None) -> DeclaredRun:
    """Return the run that words of the command line declare, checked and planned.

    Nothing is drawn or written. `declare("init=he", "model=mlp").plan["0.weight"].draw(slice(0,
    10))` draws ten rows. `config_dir` is a folder with options of your own, like `--config-dir`.
    The state of your own use of Hydra and the names of your next blocks do not change.

    A sweep is one `declare` for each run: `[declare("init=he", f"seed={seed}") for seed in (0, 1)]`.

    Raises ConfigError with all problems, and TypeError if a word is no text.
    """
    for word in words:
        if not isinstance(word, str):
            said = f'each word must be a text, as in declare("init=he", "seed=3"), got {word!r}'
            raise TypeError(said)
    if config_dir == "":
        raise ConfigError.of("config_dir", "is empty - give a folder that holds groups, or None")
    with leaving_no_trace():
        register()
        folder = None if config_dir is None else os.path.abspath(config_dir)
        run = declared(composed(list(words), folder), folder)
        run.declared_by = words, folder
        return run


def _again(words: tuple[str, ...], config_dir: str | None) -> DeclaredRun:
    return declare(*words, config_dir=config_dir)


@contextmanager
def leaving_no_trace() -> Iterator[None]:
    """Afterwards the caller's Hydra, the seed and streams of the engine, and the counters of
    automatic names are as they were.
    """
    with borrowing_hydra(), streams.kept(), naming.kept():
        yield


def composed(words: list[str], config_dir: str | None) -> Composed:
    """Return the composed config.

    If some words are wrong, the config of the others is checked too, so that ConfigError has all
    problems of the words, and none that only a default has that took the place of a wrong word.
    """
    try:
        return compose(words, config_dir)
    except ComposedWithProblems as error:
        said = {problem.place for problem in error.problems}
        rest = [found for found in _problems_of(error.config) if found.place not in said]
        for other in error.in_place_of() if rest else ():
            known = _problems_of(other)
            rest = [problem for problem in rest if problem in known]
        raise ConfigError([*error.problems, *rest]) from error


def _problems_of(config: Composed) -> list[Problem]:
    problems = Problems()
    with problems.under():
        validate(declaration_of(config))
    return problems.found


class DeclaredRun:
    """A declared run: its `plan`, its `words`, its `run_id`, and the default `folder` it runs into.

    `checked` has all its parts as objects. A copy, and what another process unpickles, is declared
    again from the same words.
    """

    def __init__(
        self,
        checked: RunConfig,
        words: tuple[str, ...],
        folder: Path,
        composed: Composed,
        config_dir: str | None = None,
    ) -> None:
        self.checked = checked
        self.words = words
        self.folder = folder
        self.declared_by: tuple[tuple[str, ...], str | None] = (words, config_dir)
        self._composed = composed
        self._asking = Asking(config_dir)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, self.declared_by

    @property
    def plan(self) -> Plan:
        """The plan: one row for each parameter."""
        return self.checked.plan

    @property
    def run_id(self) -> str:
        """The id, which follows from the config and names the folder."""
        return self.checked.run_id

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config as plain mappings and lists; a copy."""
        return copy.deepcopy(self.checked.resolved)

    def __repr__(self) -> str:
        return f"{self._title()}\n{self.plan!r}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self._title())}</p>{self.plan._repr_html_()}"

    def _title(self) -> str:
        return shortened(f"{self.run_id}: {' '.join(self.words) or 'no words'}")

    def run(self, folder: str | os.PathLike[str] | None = None) -> Run:
        """Run without output, and return the finished run.

        `folder` is by default outputs/<name>/<run id> in the working directory. A finished run in
        it is made again unless the words contain `resume=true`. Claims (`expect`) are judged and
        written to `claims.json`. The seed and the random numbers of the engine and the names of
        your next blocks are the same afterwards. Warns if parameters are not as in the finished run of
        the same config that was there.

        Raises ConfigError if the folder cannot be created, and for `dry_run=true` and any other task
        than run, which make no run; and StorageError, MemoryShortage, LedgerError and TimedOut like
        the command.
        """
        from initlab.runner.evidence.finished import Run

        resolved = self.checked.resolved
        for key, value in (("task", "run"), ("dry_run", False)):
            if resolved.get(key, value) != value:
                said = f"{str(resolved[key]).lower()} makes no run - leave it out"
                raise ConfigError.of(key, said)
        if folder == "":
            raise ConfigError.of("folder", "is empty - give the folder to run into, or None")
        if folder is not None:
            check_local("folder", folder)
        place = (self.folder if folder is None else Path(folder)).absolute()
        quiet = tables.quiet_console()
        with leaving_no_trace():
            self.begin(place)
            changed = self.make(place, quiet).changed
            track_run(self.checked, place)
            if self.checked.claims:
                from initlab.runner import expectation

                expectation.conclude(self.checked.claims, [(self.words, place)], place, quiet)
                if self.checked.resolved.get("report") == "all":
                    from initlab.runner.report.writing import renew_report

                    renew_report(place)
        if changed is not None:
            warnings.warn(f"{place}: {changed}", stacklevel=2)
        return Run(place)

    def diagnose(self) -> Diagnosis:
        """Draw the parameters, send one batch through the network and back, and return what is known
        to hurt. Nothing is written; seeds, random numbers and names are the same afterwards.

        Raises ConfigError for `probe=none`.
        """
        from initlab.runner.run.showing import diagnosis_of

        with leaving_no_trace():
            return diagnosis_of(self.checked)

    def advise(self, train: bool = False) -> Advice:
        """Try the initializers that suit the network, and return them ranked, the best first: `best.words`
        are the words to type. With `train` the best three are trained for a short time. Nothing is
        written; seeds, random numbers and names are the same afterwards.

        Raises ConfigError for `probe=none`, and with `train` for data without labels.
        """
        from initlab.runner.advice.advise import advise

        with leaving_no_trace():
            return advise(self.checked, self.words, self.declared_by[1], train)

    def begin(self, folder: Path) -> None:
        """Create the folder and remove the status and claims of earlier runs in it.

        Raises ConfigError if it cannot be created, or if a report is wanted and matplotlib is not
        installed, and EvidenceError if `resume=true` meets a run that it cannot keep; nothing is
        then removed.
        """
        self._asking = Asking(self.declared_by[1])
        self._asking.begin()
        check_writable(folder)
        check_resumable(self.checked, folder)
        status.remove(folder)
        judged.remove(folder)
        check_report(str(self.checked.resolved.get("report")))

    def make(self, folder: Path, out: Console, hung: Hung | None = None) -> stages.Outcome:
        """Run into a folder prepared by `begin`, and write the report if wanted.

        `hung` says what happens to a run that does not end when its time is over.
        """
        origin = Origin(self.words, hydra_files(self._composed), self._asking)
        try:
            made = stages.execute(self.checked, folder, origin, out, hung)
        except TimedOut as error:
            found = status.Status(status.TIMED_OUT, self.run_id, list(self.words), str(error))
            status.write(folder, found)
            raise
        if self.checked.resolved.get("report") == "all":
            from initlab.runner.report.run_page import report_run

            report = report_run(folder)
            if report is not None:
                out.print(f"report: {report}", markup=False, soft_wrap=True)
        return made


def declared(config: Composed, config_dir: str | None = None) -> DeclaredRun:
    """Return the run that a composed config declares; `config_dir` is the folder of options that it
    was composed with.

    Raises ConfigError with all problems, and for a config that declares several runs; and for
    `dry_run=true` EvidenceError where the run would.
    """
    varied = [part for part in ("grid", "cases", "union") if config.sweep.get(part)]
    if varied:
        raise ConfigError.of(
            "sweep",
            f"sweep.{varied[0]} declares several runs - add -m to run them, and dry_run=true to see them; "
            "in Python, declare each of them",
        )
    check_single(config)
    checked = validate(declaration_of(config))
    words = tuple(typed_words(config.hydra))
    if checked.claims:
        from initlab.runner import expectation

        expectation.check(checked.claims, [(words, checked)])
    folder = set_run_dir(config, checked.declaration)
    if config.dry_run:
        check_resumable(checked, folder)
    return DeclaredRun(checked, words, folder, config, config_dir)


def check_resumable(checked: RunConfig, folder: Path) -> None:
    """Raise EvidenceError if `resume=true` meets a finished run of another config in the folder, or
    one whose manifest is damaged or newer.
    """
    place = RunFolder(folder)
    if checked.resume and place.finished and place.manifest.canonical != checked.canonical:
        place.finished_as(checked.canonical)


def check_writable(folder: Path) -> None:
    """Raise ConfigError unless the run's folder can be created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        said = f"cannot be written ({error.strerror}) - run from another working directory or give name=…"
        raise ConfigError.of(f"output folder {folder}", said) from error
