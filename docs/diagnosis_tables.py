"""The fifth part of the study behind docs/diagnosis.md: the size of an embedding against what follows.

    python docs/diagnosis_tables.py run FILE.jsonl     observe and train the networks
    python docs/diagnosis_tables.py tell FILE.jsonl    print how each trained, by the size of its table

Models of tokens with a table of a given size: transformers with the normalization before or after each
branch, with a head of their own or a tied one; and without any normalization an LSTM, a GRU and a dense
layer. Each is trained by plain gradient descent and by Adam. The labels are each token's image under a
permutation, or that of the most frequent token of the sequence, which needs the blocks.
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
from initlab.engine.streams import Key, Stream
from initlab.runner.data.base import Batch, register
from initlab.runner.measures.base import restoring
from initlab.runner.observation.passes import observe
from initlab.runner.probes import Subject
from initlab.runner.probes.learning import Learner
from initlab.runner.run import stages

SIZES = (1e-3, 0.02, 0.3, 1.0, 3.0, 10.0, 100.0)
RATES = {"sgd": (0.03, 0.3, 3.0), "adam": (1e-3, 1e-2, 1e-1)}
UNITS, BATCH, STEPS = 32, 16, 150
NETWORKS = (
    ("pre", "frequent"),
    ("post", "frequent"),
    ("pre-tied", "renamed"),
    ("lstm", "renamed"),
    ("dense", "renamed"),
    ("post-tied", "renamed"),
    ("pre", "renamed"),
    ("post", "renamed"),
    ("gru", "renamed"),
)
"""Model and data."""


@register
@dataclass
class Frequent(faults.Renamed):
    """Half of each sequence is one token, the rest random; every label is that token's image."""

    def _drawn(self, shape: tuple[int, ...], name: str, count: int) -> Batch:
        stream = Stream(Key(0, f"@frequent/{name}"))
        size = count * math.prod(shape)
        x = np.asarray(stream.integers(0, 32, size), np.int64).reshape(count, *shape)
        most = np.asarray(stream.integers(0, 32, count), np.int64)
        chosen = np.asarray(stream.integers(0, 2, size), np.int64).reshape(count, *shape)
        x = np.where(chosen == 1, most[:, None], x)
        return Batch(x, np.broadcast_to((most * 7 + 3)[:, None] % 32, x.shape).copy())


@dataclass(frozen=True)
class Sized:
    """A model with a table of this standard deviation."""

    model: str
    data: str
    size: float

    @property
    def name(self) -> str:
        """A name of its own."""
        return f"{self.model}-{self.data}-{self.size:g}"


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
    yield from (Sized(*network, size) for network, size in product(NETWORKS, SIZES))


def study(case: Sized) -> dict[str, Any]:
    """Return the record of one network: what was observed, and the losses of its trainings."""
    words = ("init=glorot_normal", f"data={case.data}")
    given = faults.Case("table", case.name, "", layers_of(case.model, case.size), words)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").mkdir()
        (Path(folder) / "data" / "frequent.yaml").write_text("kind: frequent\n")
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
    record = {"name": case.name, "observation": asdict(seen), "trained": trained}
    return record | {"network": f"{case.model}, {case.data}", "size": case.size}


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


def progress(losses: list[float]) -> float:
    """Return 1 less the part of ln 32 that the mean of the last 20 losses is; -1 if it diverged."""
    if len(losses) < STEPS or not math.isfinite(sum(losses)):
        return -1.0
    return max(-1.0, 1 - sum(losses[-20:]) / 20 / math.log(32))


def tell(path: Path) -> None:
    """Print a row for each network, optimizer and rate: the progress at each size of the table."""
    records = [record for record in map(json.loads, path.open()) if "trained" in record]
    print("| network | steps | rate |", " | ".join(f"{size:g}" for size in SIZES), "|")
    for network, group in groupby(records, key=lambda record: record["network"]):
        found = list(group)
        for optimizer, rates in RATES.items():
            for rate in rates:
                cells = [progress(one["trained"][optimizer][str(rate)]) for one in found]
                said = " | ".join(f"{far:.2f}" for far in cells)
                print(f"| {network} | {optimizer} | {rate:g} | {said} |")


if __name__ == "__main__":
    if sys.argv[1] == "run":
        study_records.record(Path(sys.argv[2]), cases(), study)
    else:
        tell(Path(sys.argv[2]))
