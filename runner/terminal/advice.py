"""The table of initializers that were tried for a network, best first."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from initlab.runner.evidence.diagnosed import Finding
from initlab.runner.excerpt import counted
from initlab.runner.listing import Listing, print_line
from initlab.runner.terminal.diagnosis import STYLE
from initlab.runner.terminal.folding import number, percent

DIGITS = 3
WIDTH = 100


@dataclass(frozen=True)
class Tried:
    """What one pass showed of the network with the initializer of `words`, which can be typed.

    `risk` is the place of the worst figure on its scale, below 0 without a finding. `loss` is that
    before the first step, `ahead` that after a few steps on the same batch, `ignorance` that of equal
    scores. `forward` and `backward` are the factors of signal and gradient a block, None with fewer
    than three. `cosine` is that of two inputs after the last hidden block, `dead` the largest fraction
    of units of a layer that are 0 for every sample. `trained` is the loss after a short training at the
    best of a few rates, `rate`; None if it was not trained.
    """

    words: str
    worst: Finding | None
    risk: float
    loss: float | None
    ahead: float | None
    ignorance: float | None
    forward: float | None
    backward: float | None
    cosine: float | None
    dead: float | None
    trained: float | None = None
    rate: float | None = None


@dataclass(frozen=True)
class Refused:
    """An initializer that cannot be used for the network, and why, in one line."""

    words: str
    why: str


def print_advice(
    out: Console, rows: Sequence[Tried], refused: Sequence[Refused], declared: str
) -> None:
    """Print the rows in this order, what was refused, and the words to type; `declared` are the words
    of the row that is the network as it was declared.
    """
    trained = any(row.trained is not None for row in rows)
    more = [("trained to", "right"), ("at rate", "right")] if trained else []
    table = Listing(
        ("", "right"),
        ("initializer", "left"),
        ("worst finding", "left"),
        ("first loss", "right"),
        ("after 6 steps", "right"),
        ("signal a block", "right"),
        ("gradient a block", "right"),
        ("cosine", "right"),
        ("dead", "right"),
        *more,
    )
    for place, row in enumerate(rows, 1):
        last = (number(row.trained, DIGITS), number(row.rate, DIGITS)) if trained else ()
        table.add_row(str(place), row.words, _worst(row.worst), *_figures(row), *last)
    table.print(out)
    place = next(place for place, row in enumerate(rows, 1) if row.words == declared)
    print_line(out, f"\nas declared: {declared}, place {place} of {len(rows)}")
    if refused:
        print_line(out, f"{counted(len(refused), 'initializer')} cannot be used here:")
    for one in refused:
        print_line(out, f"  {one.words}: {one.why}")
    _conclude(out, rows[0])


def _conclude(out: Console, best: Tried) -> None:
    """Print the words of the best row, or that it is not good enough, and what else to change."""
    worst = best.worst
    if worst is None or worst.severity != "fatal" or best.trained is not None:
        print_line(out, f"to type: {best.words}")
        return
    said = f"the least bad one is still fatal: {worst.id} at {worst.where}"
    print_line(out, f"no initializer helps: {said}")
    others = [words for words in worst.instead if not words.startswith("init=")]
    instead = (
        "; ".join(others) or "biases of zero, a normalization, another activation, or shortcuts"
    )
    print_line(out, f"change the network: {instead}")


def text_of(rows: Sequence[Tried], refused: Sequence[Refused], declared: str) -> str:
    """Return what `print_advice` prints, in lines of at most `WIDTH` characters if they can be."""
    text = io.StringIO()
    out = Console(file=text, width=WIDTH, highlight=False, color_system=None)
    print_advice(out, rows, refused, declared)
    return text.getvalue().rstrip()


def _worst(finding: Finding | None) -> Text:
    if finding is None:
        return Text("none", "green")
    return Text(f"{finding.severity}: {finding.id}", STYLE[finding.severity])


def _figures(row: Tried) -> tuple[str, ...]:
    return (
        number(row.loss, DIGITS),
        number(row.ahead, DIGITS),
        number(row.forward, DIGITS),
        number(row.backward, DIGITS),
        number(row.cosine, DIGITS),
        percent(row.dead),
    )
