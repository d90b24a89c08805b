"""One candidate: what an observation shows of it, and its place among the others."""

from __future__ import annotations

from collections.abc import Iterable

from initlab.runner.diagnosis.diagnose import diagnose, risk
from initlab.runner.symptoms import Examined
from initlab.runner.symptoms.backward import flow
from initlab.runner.symptoms.base import slope
from initlab.runner.symptoms.forward import path_of_signal
from initlab.runner.symptoms.units import DeadUnits
from initlab.runner.terminal.advice import Tried


def tried(words: str, given: Examined) -> Tried:
    """Return the row of a candidate from what was observed."""
    seen = given.seen
    hidden, back = path_of_signal(seen), flow(seen)
    up = slope(hidden, [stage.signal.rms for stage in hidden])
    down = slope([stage for stage, _ in back], [length for _, length in back])
    cosines = [stage.signal.cosine for stage in hidden if stage.signal.cosine is not None]
    silent = [reading.figure for reading in DeadUnits().look(given)]
    findings = diagnose(given).findings
    return Tried(
        words=words,
        worst=findings[0] if findings else None,
        risk=risk(given),
        loss=seen.loss,
        forward=up,
        backward=None if down is None else 1 / down,
        cosine=cosines[-1] if cosines else None,
        dead=max(silent, default=None),
    )


def ranked(rows: Iterable[Tried]) -> list[Tried]:
    """Return the rows, best first: by the place of the worst finding, which rises with its severity.

    Rows without a finding stay in their order, as they differ by nothing that is known to hurt. A
    row that was trained comes before all others, by its loss.
    """
    return sorted(rows, key=_order)


def _order(row: Tried) -> tuple[bool, float, float]:
    trained = row.trained is not None
    return not trained, row.trained if row.trained is not None else 0.0, max(row.risk, 0.0)
