"""Runs from Python: what the command line's words declare, checked, planned, and run.

What a plain run does not need (claims, reports) is imported when a run wants it.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from rich.console import Console

from initlab.engine import streams
from initlab.runner.config.compose import (
    Composed,
    ComposedWithProblems,
    compose,
    hydra_files,
    settle_folder,
)
from initlab.runner.config.hydra_internals import borrowing_hydra
from initlab.runner.config.identity import declaration_of
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.evidence import judged, status
from initlab.runner.evidence.finished import Run
from initlab.runner.evidence.folder import Origin
from initlab.runner.excerpt import shortened
from initlab.runner.plan.rows import Plan
from initlab.runner.plan.validate import RunConfig, validate
from initlab.runner.report.drawing import check_report
from initlab.runner.run import stages
from initlab.runner.sweep.plugin import register
from initlab.runner.terminal import tables
from initlab.runner.tracking import track_run


def declare(*words: str, config_dir: str | os.PathLike[str] | None = None) -> DeclaredRun:
    """The run that words of the command line declare, checked and planned. Nothing is drawn and
    nothing written.

    `declare("init=he", "model=mlp").plan["0.weight"].draw(slice(0, 10))` draws ten rows.
    `config_dir` is a folder of options of your own, as `--config-dir` is. Your own use of Hydra goes
    on as it was.

    ConfigError with everything that is wrong.
    """
    with borrowing_hydra():
        register()
        folder = None if config_dir is None else os.fspath(config_dir)
        return declared(composed(list(words), folder))


def composed(words: list[str], config_dir: str | None) -> Composed:
    """The composed config. Where some words were wrong, the rest is checked too, so that everything
    is said at once.
    """
    try:
        return compose(words, config_dir)
    except ComposedWithProblems as error:
        said = {problem.place for problem in error.problems}
        more = Problems()
        with more.under():
            validate(declaration_of(error.config))
        rest = [problem for problem in more.found if problem.place not in said]
        raise ConfigError([*error.problems, *rest]) from error


class DeclaredRun:
    """A run that was declared: its `plan`, its `words`, its `run_id`, and the `folder` that it runs
    into unless another is given. `checked` has all its parts as objects.
    """

    def __init__(
        self, checked: RunConfig, words: tuple[str, ...], folder: Path, composed: Composed
    ) -> None:
        self.checked = checked
        self.words = words
        self.folder = folder
        self._composed = composed

    @property
    def plan(self) -> Plan:
        """What will be drawn: a row a parameter."""
        return self.checked.plan

    @property
    def run_id(self) -> str:
        """The id that follows from the config; the folder is named by it."""
        return self.checked.run_id

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config, as plain mappings and lists; a copy."""
        return copy.deepcopy(self.checked.resolved)

    def __repr__(self) -> str:
        return f"{self._title()}\n{self.plan!r}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self._title())}</p>{self.plan._repr_html_()}"

    def _title(self) -> str:
        return shortened(f"{self.run_id}: {' '.join(self.words) or 'no words'}")

    def run(self, folder: str | os.PathLike[str] | None = None) -> Run:
        """Run it without a word, into `folder`, else into outputs/<name>/<run id> below the working
        directory, and give what it left. A finished run in that folder is made again, unless the
        words hold `resume=true`.

        Claims (`expect`) are judged into `claims.json`. The seed and the random numbers of the engine
        go on as they were.

        ConfigError for a folder that cannot be made, and for `task=plan` and `dry_run=true`, which
        make no run; StorageError, MemoryShortage and LedgerError as the command reports them.
        """
        resolved = self.checked.resolved
        for key, value in (("task", "plan"), ("dry_run", True)):
            if resolved.get(key) == value:
                raise ConfigError.of(key, f"{str(value).lower()} makes no run - leave it out")
        place = (self.folder if folder is None else Path(folder)).absolute()
        quiet = tables.quiet_console()
        with borrowing_hydra(), streams.kept():
            self.begin(place)
            self.make(place, quiet)
            track_run(self.checked, place)
            if self.checked.claims:
                from initlab.runner import expectation

                expectation.conclude(self.checked.claims, [(self.words, place)], place, quiet)
        return Run(place)

    def begin(self, folder: Path) -> None:
        """Make the folder, and take away what an earlier sweep or claim said of it. ConfigError where
        it cannot be made, or a report cannot be drawn.
        """
        check_writable(folder)
        status.remove(folder)
        judged.forget(folder)
        check_report(str(self.checked.resolved.get("report")))

    def make(self, folder: Path, out: Console) -> str:
        """Run it into a folder that was begun, and report it where that is wanted; gives the root
        digest.
        """
        origin = Origin(self.words, hydra_files(self._composed))
        root = stages.execute(self.checked, folder, origin, out).root
        if self.checked.resolved.get("report") == "all":
            from initlab.runner.report.run_page import report_run

            report_run(folder)
        return root


def declared(config: Composed) -> DeclaredRun:
    """The run that a composed config declares. ConfigError with everything that is wrong, and for a
    config that declares several runs.
    """
    varied = [part for part in ("grid", "cases", "union") if config.sweep.get(part)]
    if varied:
        raise ConfigError.of(
            "sweep",
            f"sweep.{varied[0]} declares several runs - add -m to run them, and dry_run=true to see them",
        )
    checked = validate(declaration_of(config))
    words = tuple(str(word) for word in config.hydra.overrides.task)
    if checked.claims:
        from initlab.runner import expectation

        expectation.check(checked.claims, [(words, checked)])
    return DeclaredRun(checked, words, settle_folder(config, checked.declaration), config)


def check_writable(folder: Path) -> None:
    """ConfigError unless the run's folder can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        said = f"cannot be written ({error.strerror}) - run from another working directory or give name=…"
        raise ConfigError.of(f"output folder {folder}", said) from error
