"""Claims about runs: checked before the runs, and judged by what finished runs left on disk.

`check` refuses, before anything runs, a claim about something that the results cannot have: a
section that nothing measures, a missing layer, an axis that is not swept over. `conclude` reads the
results, judges all claims together and writes `claims.json`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from initlab.runner.claims.claim import Claim
from initlab.runner.claims.judge import (
    ALPHA,
    INCONCLUSIVE,
    REFUTED,
    REPRODUCED,
    Estimate,
    Judged,
    check_shape,
    estimate,
    groups,
    judge,
    matching,
)
from initlab.runner.claims.results import Result, read_result
from initlab.runner.errors import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    Problems,
    each,
)
from initlab.runner.evidence import judged as judged_runs
from initlab.runner.excerpt import counted
from initlab.runner.listing import Listing, print_line
from initlab.runner.plan.validate import RunConfig

INTERPOLATION = re.compile(r"\$\{\s*([\w.]+)\s*\}")


Made = tuple[Sequence[str], Path]
"""A finished run: the words that made it, and its folder."""


def check(claims: Sequence[Claim], runs: Sequence[tuple[Sequence[str], RunConfig]]) -> None:
    """Check claims against the runs (words, config) before any is made.

    Raises ConfigError with all problems.
    """
    problems = Problems()
    results = [
        Result(config.run_id, tuple(words), config.resolved, dict.fromkeys(config.sketch, []))
        for words, config in runs
    ]
    of_run = {id(result): config for result, (_, config) in zip(results, runs, strict=True)}
    for number, claim in enumerate(claims):
        with problems.under(f"expect[{number}] ({claim.id})"):
            about = matching(claim, results)
            samples = groups(claim, about)
            sketched = replace(about[0], stats=of_run[id(about[0])].sketch)
            check_shape(claim, sketched, max(map(len, samples)))
    problems.raise_any()


def check_interpolations(expect: object, swept: Sequence[str]) -> None:
    """Raise ConfigError with the claims that take values from keys which differ between the runs."""
    problems = Problems()
    for number, claim in enumerate(expect if isinstance(expect, list) else []):
        for name in INTERPOLATION.findall(str(claim)):
            if any(key == name or name.startswith(f"{key}.") for key in swept):
                said = (
                    f"takes ${{{name}}} from the config, which is swept over - write the number out"
                )
                problems.add(f"[{number}]", said)
    problems.raise_any()


def estimates(claims: Sequence[Claim], runs: Sequence[Made]) -> list[Estimate]:
    """Return the estimate of each claim over finished runs. Raises ConfigError if a quantity is
    missing.
    """
    results = [read_result(folder, words) for words, folder in runs]
    places = {f"expect[{number}] ({claim.id})": claim for number, claim in enumerate(claims)}
    return list(each(places, lambda claim: estimate(claim, results)).values())


def conclude(
    claims: Sequence[Claim], runs: Sequence[Made], folder: Path, out: Console
) -> list[Judged]:
    """Judge the claims, write `claims.json` into `folder`, and print the table.

    Raises ConfigError if the results do not have a quantity.
    """
    judged = judge(claims, estimates(claims, runs))
    write_claims(folder, judged)
    print_claims(out, judged)
    return judged


def exit_code(judged: Sequence[Judged]) -> int:
    """Return 0 if all claims are reproduced, 1 if one is refuted, else 3."""
    verdicts = {one.verdict for one in judged}
    return (
        EXIT_FAILED if REFUTED in verdicts else EXIT_INCONCLUSIVE if INCONCLUSIVE in verdicts else 0
    )


def write_claims(folder: Path, judged: Sequence[Judged], alpha: float = ALPHA) -> None:
    """Write `claims.json`: every claim with its estimate, its verdict and the reason."""
    judged_runs.write(folder, alpha, [one.describe() for one in judged])


COLORS = {REPRODUCED: "green", REFUTED: "bold red", INCONCLUSIVE: "yellow"}


HEADINGS = ("claim", "predicted", "measured", "error", "floor", "z", "verdict")
TEXTS = ("claim", "verdict")
"""The columns that hold no numbers."""


def cells(one: Judged) -> list[str]:
    """Return the row of a claim as texts, one for each of `HEADINGS`."""
    sign = {"equal": "", "at_least": ">= ", "at_most": "<= "}[one.claim.relation]
    found = one.estimate
    return [
        one.claim.id,
        f"{sign}{one.claim.predicted:.6g}",
        f"{found.value:.6g}",
        f"{found.error:.2g}",
        f"{one.claim.floor:g}",
        f"{one.z:+.2f}",
        one.verdict,
    ]


def print_claims(out: Console, judged: Sequence[Judged]) -> None:
    """Print a table of the claims, and the reason for each one that is not reproduced."""
    if out.quiet:
        return
    table = Listing(*((name, "left" if name in TEXTS else "right") for name in HEADINGS))
    for one in judged:
        *row, verdict = cells(one)
        table.add_row(*row, Text(verdict, COLORS[verdict]))
    out.print()
    table.print(out)
    for one in judged:
        if one.reason:
            print_line(out, f"{one.claim.id}: {one.reason}", COLORS[one.verdict])
    counts = [f"{sum(one.verdict == verdict for one in judged)} {verdict}" for verdict in COLORS]
    out.print(f"\n{counted(len(judged), 'claim')}: {', '.join(counts)}", highlight=False)
