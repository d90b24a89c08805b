"""The runs of an experiment, and the estimates of its claims."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from initlab.runner import expectation
from initlab.runner.claims.claim import Claim
from initlab.runner.claims.judge import Estimate, Judged
from initlab.runner.claims.results import Result, read_result
from initlab.runner.errors import RunnerError
from initlab.runner.evidence.members import Member
from initlab.runner.experiments.catalogue import Experiment
from initlab.runner.sweep.declared import DeclaredSweep, declare_sweep
from initlab.runner.sweep.plugin import register
from initlab.runner.sweep.sweeper import declared_claims, run


@dataclass(frozen=True)
class Performed:
    """An experiment whose runs are finished."""

    experiment: Experiment
    claims: list[Claim]
    estimates: list[Estimate]
    made: list[expectation.Made]
    folder: Path
    seconds: float
    drawn: bool
    """Whether charts are wanted in its folder."""

    def results(self) -> list[Result]:
        """The results of its runs."""
        return [read_result(folder, words) for words, folder in self.made]


@dataclass(frozen=True)
class Judgement:
    """An experiment with the verdicts of its claims."""

    performed: Performed
    judged: list[Judged]


@dataclass(frozen=True)
class CheckedSweep:
    """A valid sweep, and its claims."""

    declaration: DeclaredSweep
    members: list[Member]
    claims: list[Claim]


def checked_sweep(words: Sequence[str], config_dir: str | None = None) -> CheckedSweep:
    """Return the sweep that the words declare. Raises ConfigError with all problems of words and
    claims.
    """
    register()
    declaration = declare_sweep(list(words), config_dir)
    members = declaration.check()
    claims = declared_claims(declaration, members)
    return CheckedSweep(declaration, members, claims)


def perform(experiment: Experiment, words: Sequence[str] = ()) -> Performed:
    """Make the runs of `experiment=<name>` with more words, in this process, and estimate its
    claims.

    Raises ConfigError like `checked_sweep`, before a run begins, and RunnerError if a run failed.
    """
    started = time.perf_counter()
    given = [f"experiment={experiment.name}", *words]
    checked = checked_sweep(given)
    said = io.StringIO()
    with redirect_stdout(said):
        code = run(given, checked.declaration, checked.members)
    if code:
        print(said.getvalue(), file=sys.stderr, end="")
        raise RunnerError(
            f"experiment={experiment.name}: not all of its runs completed, so its claims are not judged"
        )
    made: list[expectation.Made] = [
        (member.overrides, Path(member.folder)) for member in checked.members
    ]
    folder = Path(str(checked.declaration.config.hydra.sweep.dir))
    found = expectation.estimates(checked.claims, made)
    drawn = str(checked.declaration.config.report) != "none"
    return Performed(
        experiment, checked.claims, found, made, folder, time.perf_counter() - started, drawn
    )
