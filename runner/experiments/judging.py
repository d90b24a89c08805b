"""`initlab experiments [NAME …]`: run the experiments with claims, and judge all their claims
together.

    0   every claim is reproduced (with --controls: every control is refuted, as it must be)
    1   a claim is refuted, or a control is not
    2   a name, a word or a file is wrong
    3   a claim is inconclusive, none is refuted

Runs are made in `outputs/<name>` as with `initlab -m experiment=NAME`, with `claims.json`,
`claims.svg` and `claims.png`; `resume=true` among the words keeps finished runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from initlab.runner import expectation
from initlab.runner.claims.judge import ALPHA, REFUTED, judge
from initlab.runner.config.permissions import refuse_hydra
from initlab.runner.errors import EXIT_FAILED
from initlab.runner.evidence.judged import CHARTS
from initlab.runner.excerpt import counted
from initlab.runner.experiments.catalogue import Experiment
from initlab.runner.experiments.page import print_table, write_page
from initlab.runner.experiments.performing import Judgement, Performed, perform
from initlab.runner.report.claim_charts import write_claim_charts
from initlab.runner.report.drawing import available
from initlab.runner.report.writing import renew_report


def judged(performed: Sequence[Performed], alpha: float) -> list[Judgement]:
    """Return the verdicts of the claims of all experiments, judged as one family."""
    claims = [claim for one in performed for claim in one.claims]
    found = iter(
        judge(claims, [estimate for one in performed for estimate in one.estimates], alpha)
    )
    return [Judgement(one, [next(found) for _ in one.claims]) for one in performed]


def run_all(
    chosen: Sequence[Experiment], words: Sequence[str], docs: Path | None, out: Console
) -> int:
    """Run, judge, print, and write the page if `docs` is given; return the exit code."""
    performed = []
    for experiment in chosen:
        done = perform(experiment, words)
        out.print(
            f"{experiment.name}: {counted(len(done.made), 'run')}, {counted(len(done.claims), 'claim')} "
            f"({done.seconds:.1f} s)",
            highlight=False,
        )
        performed.append(done)
    judgements = judged(performed, ALPHA)
    for judgement in judgements:
        expectation.write_claims(judgement.performed.folder, judgement.judged)
        if judgement.performed.drawn and available():
            write_claim_charts(
                judgement.performed.folder,
                CHARTS,
                judgement.judged,
                judgement.performed.results(),
            )
        renew_report(judgement.performed.folder)
    out.print()
    print_table(out, judgements)
    if docs is not None:
        print(write_page(docs, judgements, ALPHA))
    return expectation.exit_code([one for judgement in judgements for one in judgement.judged])


def run_controls(chosen: Sequence[Experiment], out: Console) -> int:
    """Run each experiment with each of its controls, which must refute one of its claims.

    Returns the exit code.
    """
    failed = 0
    for experiment in chosen:
        for words in experiment.control:
            refuse_hydra(words.split(), f"the control of experiment={experiment.name}")
            done = perform(experiment, [*words.split(), f"name={experiment.name}-control"])
            refuted = [
                one.claim.id for one in judged([done], ALPHA)[0].judged if one.verdict == REFUTED
            ]
            failed += not refuted
            said = f"refuted: {', '.join(refuted)}" if refuted else "NOT refuted, though it must be"
            out.print(
                f"{experiment.name} {words}: {said} ({done.seconds:.1f} s)",
                highlight=False,
                markup=False,
            )
    return EXIT_FAILED if failed else 0
