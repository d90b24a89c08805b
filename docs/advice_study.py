"""The study behind docs/advice.md: every candidate of `initlab advise` is trained on many networks.

    python docs/advice_study.py FILE.jsonl PART        train the candidates of the networks of a part
    python docs/advice_table.py FILE.jsonl PART …      hold the ranking against the trainings

PART is first, second or transformers; each takes about an hour on one core. A network is declared, and each
candidate is trained for `STEPS` steps of plain gradient descent from the values of each of `SEEDS`, at
learning rates a factor of 2 apart, as long as a neighbour of the best rate is better. What is in the
file is kept.
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import study_records
from diagnosis_study import act, dense

from initlab.engine.errors import LawError
from initlab.engine.optimizer import create
from initlab.runner.advice.candidates import candidates_for
from initlab.runner.data.base import Batch, register
from initlab.runner.data.digits import Digits
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError
from initlab.runner.measures.base import restoring
from initlab.runner.observation.passes import observe
from initlab.runner.plan.validate import RunConfig
from initlab.runner.probes import Subject
from initlab.runner.probes.learning import Learner
from initlab.runner.run import stages

STEPS = 40
BATCH = 64
SEEDS = (0, 1, 2)
RATE = 0.1
"""The learning rate that is tried first."""
SLOWEST, FASTEST = -7, 9
"""Rates are RATE times 2 to a power from the first to the second."""
CLEAR = 1.15
"""A candidate whose first loss is this many times that of the best is trained from one seed only."""
AHEAD = 7
"""Losses of steps on one batch."""
REDRAWN = 0.25
PARTS = {"first": 21, "second": 32}
"""Part -> the seed from which its networks follow."""
TRANSFORMERS = (
    (2, "pre", "untied", 32),
    (2, "post", "tied", 64),
    (4, "pre", "tied", 32),
    (4, "post", "untied", 32),
    (8, "post", "tied", 32),
    (6, "pre", "tied", 32),
    (8, "pre", "untied", 32),
    (6, "post", "untied", 32),
)
"""The networks of the part `transformers`: blocks, place of the norms, head, width. They are language
models of bytes.
"""
NETWORKS = 60
ACTIVATIONS = ("relu", "tanh", "gelu", "selu", "sigmoid")
SHARES = ["dense"] * 5 + ["residual"] * 3 + ["conv"] * 2 + ["recurrent", "attention", "text"]
DEPTHS = {
    "dense": (2, 4, 8, 16, 32),
    "residual": (2, 4, 8, 16, 32),
    "conv": (2, 4, 6),
    "recurrent": (1, 2, 3),
    "attention": (1, 2, 4),
    "text": (1, 2, 3),
}


@register
@dataclass
class Noisy(Digits):
    """The digits; a quarter of the labels are drawn anew, so that no loss comes near 0."""

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch]:
        """Return the two parts; they are the same for any seed."""
        train, test = super().training(shape, seed)
        return redrawn(train), test

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the first images of the training part."""
        train, _ = self.training(shape, seed)
        return Batch(train.inputs[: self.batch], train.labels[: self.batch])


def redrawn(part: Batch) -> Batch:
    """Return samples of which a part has labels drawn anew."""
    draw = np.random.Generator(np.random.Philox(15))
    chosen = draw.random(len(part.labels)) < REDRAWN
    return Batch(part.inputs, np.where(chosen, draw.integers(0, 10, len(chosen)), part.labels))


@dataclass(frozen=True)
class Case:
    """One network of the study."""

    name: str
    model: dict[str, Any]
    data: str


def repeated(times: int, *layers: dict[str, Any]) -> dict[str, Any]:
    """Return layers that are repeated."""
    return {"kind": "repeat", "times": times, "name": "blocks", "layers": list(layers)}


def recurrent(kind: str, size: int, depth: int, activation: str) -> dict[str, Any]:
    """Return a recurrent layer."""
    layer = {"kind": kind, "hidden_size": size, "num_layers": depth}
    return (
        layer | {"activation": activation if activation in ("relu", "tanh") else "tanh"}
        if kind == "rnn"
        else layer
    )


def transformer(units: int, activation: str, norm: str | None, causal: bool) -> dict[str, Any]:
    """Return a block of a transformer."""
    return {
        "kind": "transformer_block",
        "name": "block",
        "units": units,
        "heads": 4,
        "causal": causal,
        "activation": activation if activation in ("relu", "gelu") else "gelu",
        "norm": "pre" if norm else "post",
    }


def network(
    draw: random.Random, family: str, activation: str, depth: int, norm: str | None, width: int
) -> tuple[list[int], list[dict[str, Any]]]:
    """Return (input shape, layers); the last layer has 10 units."""
    head = {"kind": "dense", "units": 10, "name": "head"}
    normed = [{"kind": norm}] if norm else []
    if family == "dense":
        return [64], [repeated(depth, *dense(width, activation, norm)), head]
    if family == "residual":
        inner = [*normed, act(activation), {"kind": "dense", "units": width}]
        branch = [*inner, *inner] if draw.random() < 0.5 else inner
        block = {"kind": "residual", "name": "block", "layers": branch}
        return [64], [
            {"kind": "dense", "units": width, "name": "stem"},
            repeated(depth, block),
            head,
        ]
    if family == "conv":
        conv = {"kind": "conv2d", "channels": width // 8, "kernel_size": 3, "padding": 1}
        return [1, 8, 8], [
            repeated(depth, conv, *normed, act(activation)),
            {"kind": "flatten"},
            head,
        ]
    kind = draw.choice(["rnn", "lstm", "gru"])
    if family == "recurrent":
        return [8, 8], [recurrent(kind, width // 2, depth, activation), {"kind": "last_step"}, head]
    if family == "attention":
        stem = {"kind": "dense", "units": 32, "flatten": False, "name": "stem"}
        block = transformer(32, activation, norm, False)
        return [8, 8], [stem, repeated(depth, block), {"kind": "flatten"}, head]
    table = {"kind": "embedding", "input_dim": 256, "output_dim": 32, "name": "table"}
    last = {"kind": "dense", "units": 256, "flatten": False, "name": "head"}
    if draw.random() < 0.5:
        return [16], [table, recurrent(kind, 32, depth, activation), last]
    places = {"kind": "position_embedding", "length": 16, "units": 32, "name": "places"}
    return [16], [table, places, repeated(depth, transformer(32, activation, norm, True)), last]


def cases(seed: int) -> Iterator[Case]:
    """Yield the networks of one part of the study. They follow from the seed."""
    draw = random.Random(seed)
    for number in range(NETWORKS):
        family = draw.choice(SHARES)
        activation, depth = draw.choice(ACTIVATIONS), draw.choice(DEPTHS[family])
        width = draw.choice((32, 64, 96))
        norm = draw.choice([None, None, "batch_norm" if family == "conv" else "layer_norm"])
        shape, layers = network(draw, family, activation, depth, norm, width)
        data = "text" if family == "text" else "noisy"
        if shape == [64] and draw.random() < 0.4:
            data, layers = "teacher", [*layers[:-1], {**layers[-1], "units": 4}]
        kind = (
            layers[1 if family == "text" else 0]["kind"]
            if family in ("recurrent", "text")
            else family
        )
        name = f"{seed}{number:02d}-{family}-{kind}-{activation}-{depth}-{width}-{norm or 'plain'}-{data}"
        yield Case(name, {"input": shape, "layers": layers}, data)


def transformers() -> Iterator[Case]:
    """Yield the networks of the part `transformers`."""
    for depth, norm, head, width in TRANSFORMERS:
        table = {"kind": "embedding", "input_dim": 256, "output_dim": width, "name": "table"}
        places = {"kind": "position_embedding", "length": 16, "units": width, "name": "places"}
        block = transformer(width, "gelu", "layer_norm" if norm == "pre" else None, True)
        last = {"kind": "dense", "units": 256, "flatten": False, "use_bias": False, "name": "head"}
        ends = [{"kind": "layer_norm", "name": "norm"}] if norm == "pre" else []
        layers = [table, places, repeated(depth, block), *ends, last]
        shared = {"share": {"table": ["table.weight", "head.weight"]}} if head == "tied" else {}
        name = f"t{depth}{norm}{head}{width}-text-transformer-gelu-{depth}-{width}-{norm}-{head}"
        yield Case(name, {"input": [16], "layers": layers, **shared}, "text")


def declared(case: Case, folder: str, init: str, seed: int) -> RunConfig:
    """Return the checked run of a network with the words of an initializer."""
    name = f"n{case.name.partition('-')[0]}"
    place = Path(folder) / "model"
    if not place.exists():
        place.mkdir()
        text = {"defaults": ["/schema/model@_here_", "_self_"], **case.model}
        (place / f"{name}.yaml").write_text(json.dumps(text))
        options = Path(folder) / "data"
        options.mkdir()
        for kind in ("teacher", "noisy"):
            (options / f"{kind}.yaml").write_text(f"kind: {kind}\nbatch: 256\n")
    words = (
        f"model={name}",
        f"data={case.data}",
        f"data.batch={64 if case.data == 'text' else 256}",
        f"seed={seed}",
    )
    return declare(*words, "probe=forward", *init.split(), config_dir=folder).checked


def subject_with(config: RunConfig) -> Subject:
    """Return the network with its first values and its data."""
    network, _ = stages.initialize(config)
    return stages.subject_of(config, network)


def losses_of(subject: Subject, rate: float, seed: int) -> list[float]:
    """Return the loss of each step's minibatch before the step; it ends with the first that is not
    finite. The order of the samples follows from the seed.
    """
    samples, _ = subject.training
    learner = Learner(subject, samples, create("sgd", learning_rate=rate), "cross_entropy")
    batch = BATCH // 4 if samples.labels.ndim > 1 else BATCH
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(samples.inputs))
    rows = np.resize(order, STEPS * batch).reshape(STEPS, batch)
    losses: list[float] = []
    for chosen in rows:
        losses.append(learner.step(chosen).loss)
        if not math.isfinite(losses[-1]) or losses[-1] > 1e4:
            return [*losses, math.inf]
    return losses


def end_of(losses: list[float]) -> float:
    """Return the mean loss of the last 15 minibatches; inf if the training ended before."""
    return sum(losses[-15:]) / 15 if len(losses) == STEPS else math.inf


class Training:
    """The trainings of one candidate: {power of the rate: {seed: losses}}, in `done`."""

    def __init__(self, made: Callable[[int], Subject]) -> None:
        self.made = cache(made)
        self.done: dict[int, dict[int, list[float]]] = {}

    def loss(self, power: int, seed: int) -> float:
        """Return the loss at the end, of a training that is made once."""
        found = self.done.setdefault(power, {})
        if seed not in found:
            subject = self.made(seed)
            with restoring(subject), np.errstate(all="ignore"):
                found[seed] = losses_of(subject, RATE * 2.0**power, seed)
        return end_of(found[seed])

    def climb(self, start: int) -> int:
        """Return the power at which the loss is the smallest, by the first seed."""

        def loss(power: int) -> float:
            return self.loss(power, SEEDS[0])

        while not math.isfinite(loss(start)) and start > SLOWEST:
            start -= 1
        for way in (1, -1):
            while SLOWEST <= start + way <= FASTEST and loss(start + way) < loss(start):
                start += way
        return start

    def confirm(self, best: int) -> None:
        """Train from all seeds at the best rate, and at the better of its neighbours."""
        beside = [power for power in (best - 1, best + 1) if power in self.done]
        second = min(beside, key=lambda power: self.loss(power, SEEDS[0]), default=best)
        for seed in SEEDS:
            self.loss(best, seed)
            self.loss(second, seed)


def ahead(subject: Subject) -> dict[int, list[float]]:
    """Return the losses of a few steps on the one batch, at rates a factor of 4 apart."""
    found = {}
    rows = np.arange(len(subject.batch.inputs))
    for power in range(-6, 9, 2):
        with restoring(subject), np.errstate(all="ignore"):
            optimizer = create("sgd", learning_rate=RATE * 2.0**power)
            learner = Learner(subject, subject.batch, optimizer, "cross_entropy")
            losses: list[float] = []
            while len(losses) < AHEAD and (not losses or losses[-1] < 1e3):
                losses.append(learner.step(rows).loss)
            found[power] = losses
    return found


def study(case: Case) -> dict[str, Any]:
    """Return the record of one network: the losses of every candidate at its rates."""
    record: dict[str, Any] = {"name": case.name, "model": case.model, "data": case.data}
    record |= {"trained": {}, "observed": {}, "ahead": {}}
    with tempfile.TemporaryDirectory() as folder:
        seen = observe(subject_with(declared(case, folder, "init=normal", 0)))
        laws: list[Any] = []
        start, best = 4 if case.data == "text" else -1, math.inf
        for words in candidates_for(seen):
            try:
                config = declared(case, folder, words, SEEDS[0])
                law = [(row.path, row.law, row.lr_mult) for row in config.plan.rows]
                training = Training(lambda seed: subject_with(declared(case, folder, words, seed)))  # noqa: B023
                first = training.made(SEEDS[0])
            except (ConfigError, LawError):
                continue
            if law in laws:
                continue
            laws.append(law)
            record["observed"][words] = asdict(observe(first))
            record["ahead"][words] = ahead(first)
            start = training.climb(start)
            best = min(best, training.loss(start, SEEDS[0]))
            if training.loss(start, SEEDS[0]) <= CLEAR * best:
                training.confirm(start)
            record["trained"][words] = training.done
    return record


def run(path: Path, part: str) -> None:
    """Append the records of the networks of a part that the file does not hold."""
    networks = transformers() if part == "transformers" else cases(PARTS[part])
    study_records.record(path, networks, study)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
