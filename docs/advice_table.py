"""The table of the study behind docs/advice.md: what each way of choosing an initializer comes to.

    python docs/advice_table.py FILE.jsonl PART …

FILE.jsonl is what advice_study.py wrote. A row a candidate goes to advice_study.csv beside this file:
its place on the scales of the diagnosis, its loss after six steps as a part of that of equal scores,
and its loss after the training divided by that of the best candidate.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from advice_study import AHEAD, SEEDS, end_of
from diagnosis_study import observation_of

from initlab.runner.advice.candidates import candidates_for
from initlab.runner.advice.lookahead import HIGHEST, lowest
from initlab.runner.advice.ranking import ranked
from initlab.runner.diagnosis.diagnose import risk
from initlab.runner.symptoms import Examined
from initlab.runner.terminal.advice import Tried

PYTORCH = "init=variance_scaling init.scale=0.3333 init.distribution=uniform"
ALWAYS = {
    "always he": ("init=he", "init=variance_scaling init.scale=2 init.distribution=normal"),
    "always uniform (Gluon)": ("init=uniform",),
    "always glorot_uniform (Keras)": ("init=glorot_uniform",),
    "always PyTorch's": (PYTORCH,),
    "always orthogonal": ("init=orthogonal", "init=orthogonal init.scale=1"),
    "always lsuv, he if refused": ("init=lsuv", "init=he"),
}
"""Way of choosing -> words, of which the first that is there is taken."""
WAYS = ("initlab advise", "loss after six steps alone", "order of theory alone", *ALWAYS)


def mean_losses(trained: dict[str, dict[str, list[float]]]) -> dict[str, float]:
    """Return {power: mean loss at the end over all seeds} of a candidate that was trained from all."""
    whole = {power: runs for power, runs in trained.items() if len(runs) == len(SEEDS)}
    return {power: sum(map(end_of, runs.values())) / len(runs) for power, runs in whole.items()}


def ratios(trained: dict[str, dict[str, dict[str, list[float]]]]) -> dict[str, float]:
    """Return {candidate: its loss at its best rate divided by that of the best candidate}.

    A candidate that was trained from one seed only is compared with the best by this seed.
    """
    whole = {
        words: min(found.values())
        for words, runs in trained.items()
        if (found := mean_losses(runs))
    }
    first = {
        words: min(end_of(seeds[str(SEEDS[0])]) for seeds in runs.values())
        for words, runs in trained.items()
    }
    if not whole:
        return dict.fromkeys(trained, 1.0)
    best = min(whole, key=lambda words: whole[words])
    return {
        words: whole[words] / whole[best] if words in whole else first[words] / first[best]
        for words in trained
    }


def noise_of(record: dict[str, Any]) -> float | None:
    """Return the standard error of the ratio of the two best candidates, from the differences by seed."""
    ends = {}
    for words, runs in record["trained"].items():
        if means := mean_losses(runs):
            power = min(means, key=lambda p: means[p])
            ends[words] = [end_of(runs[power][str(seed)]) for seed in SEEDS]
    if len(ends) < 2:
        return None
    one, two, *_ = sorted(ends.values(), key=sum)
    return float(np.std(np.log(np.divide(two, one)), ddof=1) / math.sqrt(len(SEEDS)))


def rows_of(part: str, record: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the rows of a network in the table, in the order of the candidates."""
    found = ratios(record["trained"])
    seen = {words: observation_of(one) for words, one in record["observed"].items()}
    order = candidates_for(next(iter(seen.values())))
    for words in sorted(seen, key=order.index):
        curves = {int(power): losses for power, losses in record["ahead"][words].items()}
        ahead = lowest(lambda power: end_ahead(curves[2 * power]))  # noqa: B023
        ahead /= seen[words].ignorance or math.nan
        place = risk(Examined(seen[words]))
        yield [part, record["name"], words, f"{place:.3f}", f"{ahead:.4g}", f"{found[words]:.4g}"]


def end_ahead(losses: list[float]) -> float:
    """Return the last loss of a few steps; inf if they diverged."""
    return losses[-1] if len(losses) == AHEAD and losses[-1] < HIGHEST else math.inf


def tried_of(row: list[str]) -> Tried:
    """Return the row of a candidate, as the ranking takes it."""
    _, _, words, place, ahead, _ = row
    figures = {"loss": None, "forward": None, "backward": None, "cosine": None, "dead": None}
    return Tried(
        words=words, worst=None, risk=float(place), ahead=float(ahead), ignorance=1.0, **figures
    )


def chosen(rows: list[list[str]], way: str) -> str:
    """Return what one way of choosing takes of a network's candidates, which are in theory's order."""
    if way == "initlab advise":
        return ranked([tried_of(row) for row in rows])[0].words
    if way == "loss after six steps alone":
        return min(rows, key=lambda row: float(row[4]))[2]
    if way == "order of theory alone":
        return rows[0][2]
    names = [row[2] for row in rows]
    return next(words for words in ALWAYS[way] if words in names)


def print_shares(rows: list[list[str]]) -> None:
    """Print a row for each part and way of choosing."""
    print("| part | networks | choice | within 5 % | within 10 % | mean | worst |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for part, group in groupby(rows, key=lambda row: row[0]):
        networks = [list(one) for _, one in groupby(group, key=lambda row: row[1])]
        for way in WAYS:
            found = []
            for one in networks:
                words = chosen(one, way)
                found.append(next(float(row[5]) for row in one if row[2] == words))
            near = [sum(x <= 1 + part for x in found) / len(found) for part in (0.05, 0.1)]
            print(
                f"| {part} | {len(found)} | {way} | {near[0]:.0%} | {near[1]:.0%} | "
                f"{sum(found) / len(found):.3f} | {max(found):.2f} |"
            )


def tell(parts: list[tuple[Path, str]]) -> None:
    """Write the table of all candidates, and print how good the choices are, and how noisy a ratio."""
    rows, noise = [], []
    for path, part in parts:
        for record in map(json.loads, path.open()):
            if "error" in record:
                print(record["name"], record["error"])
                continue
            rows += list(rows_of(part, record))
            noise.append(noise_of(record))
    print_shares(rows)
    known = [one for one in noise if one is not None and math.isfinite(one)]
    print(f"error of a ratio: median {np.median(known):.3f}, 9 of 10 {np.quantile(known, 0.9):.3f}")
    heads = ["part", "network", "initializer", "risk", "ahead", "ratio"]
    table = Path(__file__).with_name("advice_study.csv")
    table.write_text("".join(",".join(row) + "\n" for row in [heads, *rows]))


if __name__ == "__main__":
    given = sys.argv[1:]
    tell([(Path(path), part) for path, part in zip(given[::2], given[1::2], strict=True)])
