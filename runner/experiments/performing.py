"""The runs of an experiment, and the estimates of its claims."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from runner import expectation
from runner.claims.claim import Claim
from runner.claims.judge import Estimate, Judged
from runner.claims.results import Result, read_result
from runner.compose import search_code
from runner.errors import ConfigError, Problem, RunnerError
from runner.experiments.catalogue import Experiment
from runner.sweep.declared import declare_sweep
from runner.sweep.sweeper import declared_claims, register, run


@dataclass(frozen=True)
class Performed:
    """An experiment whose runs are finished."""

    experiment: Experiment
    claims: list[Claim]
    estimates: list[Estimate]
    made: list[expectation.Made]
    folder: Path
    seconds: float

    def results(self) -> list[Result]:
        """What its runs left."""
        return [read_result(folder, words) for words, folder in self.made]


@dataclass(frozen=True)
class Judgement:
    """An experiment with its claims judged."""

    performed: Performed
    judged: list[Judged]


def perform(experiment: Experiment, words: Sequence[str] = ()) -> Performed:
    """Make the runs of `experiment=<name>` and further words, in this process, and estimate its claims.

    ConfigError with everything wrong with words or claims, before a run begins; RunnerError where a run failed.
    """
    register()
    started = time.perf_counter()
    problems: list[Problem] = []
    given = [f"experiment={experiment.name}", *words]
    declaration = declare_sweep(given, None, problems)
    members = declaration.check(problems)
    problems = problems or search_code(declaration.config)
    claims = [] if problems else declared_claims(declaration, members, problems)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    said = io.StringIO()
    with redirect_stdout(said):
        code = run(given, declaration, members)
    if code:
        print(said.getvalue(), file=sys.stderr, end="")
        raise RunnerError(f"experiment={experiment.name}: not all of its runs completed, so its claims are not judged")
    made: list[expectation.Made] = [(member.overrides, Path(member.folder)) for member in members]
    folder = Path(str(declaration.config.hydra.sweep.dir))
    return Performed(experiment, claims, expectation.estimates(claims, made), made, folder, time.perf_counter() - started)
