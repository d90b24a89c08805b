"""The fifth part of the study behind docs/diagnosis.md: the size of an embedding against what follows.

    python docs/diagnosis_tables.py run FILE.jsonl     observe and train the networks
    python docs/diagnosis_tables.py tell FILE.jsonl    print how each trained, by the size of its table

Models of tokens with a table of a given size: transformers with the normalization before or after each
branch, with a head of their own or a tied one; and without any normalization an LSTM, a GRU and a dense
layer. Each is trained by plain gradient descent and by Adam. Everything else is as in diagnosis_faults.py.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby, product
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import diagnosis_faults as faults
import numpy as np
import study_records

from initlab.engine.optimizer import create
from initlab.runner.measures.base import restoring
from initlab.runner.observation.passes import observe
from initlab.runner.probes import Subject
from initlab.runner.probes.learning import Learner
from initlab.runner.run import stages

SIZES = (1e-4, 1e-3, 0.02, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
RATES = {"sgd": (0.003, 0.03, 0.3, 3.0), "adam": (1e-4, 1e-3, 1e-2, 1e-1)}
UNITS, BATCH, STEPS = 32, 16, 150
MODELS = ("pre", "post", "pre-tied", "post-tied", "lstm", "gru", "dense")


@dataclass(frozen=True)
class Sized:
    """A model with a table of this standard deviation."""

    model: str
    size: float

    @property
    def name(self) -> str:
        """A name of its own."""
        return f"{self.model}-{self.size:g}"


def layers_of(model: str, size: float) -> dict[str, Any]:
    """Return the declaration of a model."""
    kind, _, tied = model.partition("-")
    table = {"kind": "embedding", "name": "tokens", "input_dim": 32, "output_dim": UNITS}
    table["weight_initializer"] = {"kind": "normal", "sigma": size}
    head: dict[str, Any] = {"kind": "dense", "name": "head", "units": 32, "flatten": False}
    head |= {"use_bias": False}
    if kind in ("lstm", "gru"):
        return {"input": [16], "layers": [table, {"kind": kind, "hidden_size": UNITS}, head]}
    if kind == "dense":
        hidden = {"kind": "dense", "units": UNITS, "flatten": False, "activation": "relu"}
        return {"input": [16], "layers": [table, hidden, head]}
    whole = faults.language_model(size, 0.02, None if tied else UNITS**-0.5)
    blocks = whole["layers"][2]["layers"]
    blocks[0]["norm"] = kind
    if kind == "post":
        del whole["layers"][3]
    return whole


def cases() -> Iterator[Sized]:
    """Yield the networks."""
    yield from (Sized(model, size) for model, size in product(MODELS, SIZES))


def study(case: Sized) -> dict[str, Any]:
    """Return the record of one network: what was observed, and the losses of its trainings."""
    words = ("init=glorot_normal", "data=renamed")
    given = faults.Case("table", case.name, "", layers_of(case.model, case.size), words)
    with tempfile.TemporaryDirectory() as folder:
        config = faults.declared(given, folder)
    network, _ = stages.initialize(config)
    subject = stages.subject_of(config, network)
    seen = observe(subject)
    trained: dict[str, dict[str, list[float]]] = {}
    for optimizer, rates in RATES.items():
        for rate in rates:
            with restoring(subject), np.errstate(all="ignore"):
                found = losses_of(subject, optimizer, rate)
            trained.setdefault(optimizer, {})[str(rate)] = found
    record = {"name": case.name, "model": case.model, "size": case.size, "trained": trained}
    return record | {"observation": asdict(seen)}


def losses_of(subject: Subject, optimizer: str, rate: float) -> list[float]:
    """Return the loss of each step's minibatch before the step, up to the first that is not finite."""
    samples, _ = subject.training
    learner = Learner(subject, samples, create(optimizer, learning_rate=rate), "cross_entropy")
    order = np.random.Generator(np.random.Philox(15)).permutation(len(samples.inputs))
    losses: list[float] = []
    for chosen in np.resize(order, STEPS * BATCH).reshape(STEPS, BATCH):
        losses.append(learner.step(chosen).loss)
        if not math.isfinite(losses[-1]):
            break
    return losses


def progress(trained: dict[str, list[float]]) -> tuple[float, str]:
    """Return 1 less the part of ln 32 that the mean of the last 20 losses is, at the best rate, and
    the rate.
    """
    ends = {
        rate: 1 - sum(losses[-20:]) / 20 / math.log(32)
        for rate, losses in trained.items()
        if len(losses) == STEPS and math.isfinite(sum(losses))
    }
    rate = max(ends, key=lambda one: ends[one], default="none")
    return ends.get(rate, -1.0), rate


def tell(path: Path) -> None:
    """Print a row for each model and optimizer: the progress at each size of the table."""
    records = [json.loads(line) for line in path.open()]
    print("| model | optimizer |", " | ".join(f"{size:g}" for size in SIZES), "|")
    for model, group in groupby(records, key=lambda record: record.get("model", record["name"])):
        found = list(group)
        for optimizer in RATES:
            cells = [progress(one["trained"][optimizer]) for one in found if "trained" in one]
            said = " | ".join(f"{far:.2f} at {rate}" for far, rate in cells)
            print(f"| {model} | {optimizer} | {said} |")


if __name__ == "__main__":
    if sys.argv[1] == "run":
        study_records.record(Path(sys.argv[2]), cases(), study)
    else:
        tell(Path(sys.argv[2]))
