"""The study behind docs/diagnosis.md: networks are observed before their first step, then trained.

    python docs/diagnosis_study.py run FILE.jsonl PART          observe and train the networks of a part
    python docs/diagnosis_study.py tell FILE.jsonl PART …       hold what the diagnosis says against training

PART is set, held-out or last; the first two take about half an hour each on two cores. A network is
declared, observed once, and trained for `STEPS` steps of plain gradient descent from the same first
values at each of `RATES`. The best of them counts. `run` keeps what is in the file. `tell` writes a row
a network to diagnosis_study.csv beside this file.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import study_records

from initlab.engine.optimizer import create
from initlab.engine.options import Count
from initlab.engine.streams import Key, Stream
from initlab.runner.data.base import Batch, Data, register
from initlab.runner.declare import declare
from initlab.runner.diagnosis.diagnose import all_symptoms, diagnose, risk
from initlab.runner.measures.base import restoring
from initlab.runner.observation.inputs import Samples
from initlab.runner.observation.passes import Observation, Stage, Tensor, observe
from initlab.runner.observation.signals import Signal
from initlab.runner.observation.tables import Placed
from initlab.runner.probes import Subject
from initlab.runner.probes.learning import Learner
from initlab.runner.run import stages
from initlab.runner.symptoms import Examined
from initlab.runner.theory.meanfield import critical_weight_variance, gain

STEPS = 150
FAILS, WELL = 0.2, 0.6
"""A network whose progress is below the first fails to learn; above the second it trains well."""
BATCH = 32
RATES = (0.003, 0.03, 0.3, 3.0)
SEEDS = {"set": 15, "held-out": 16, "last": 17}
"""The scales were set with the networks of the first, and are judged by those of the second."""
NETWORKS = 320
ACTIVATIONS = ("relu", "tanh", "gelu", "selu", "sigmoid")
FACTORS = (0.3, 0.6, 0.8, 1.0, 1.0, 1.0, 1.25, 1.7, 3.0)
"""Standard deviations are these times the one that theory gives for the activation."""


@register
@dataclass
class Teacher(Data):
    """Normal inputs, labelled by the largest of four outputs of a random network with one hidden layer."""

    classes = 4
    batch: Count = 256

    def _all(self, shape: tuple[int, ...], seed: int, count: int, start: int) -> Batch:
        size = math.prod(shape)
        hidden = Stream(Key(0, "@teacher/hidden")).normal(0.0, size**-0.5, 64 * size)
        output = Stream(Key(0, "@teacher/output")).normal(0.0, 0.125, 4 * 64)
        drawn = Stream(Key(0, "@teacher/inputs")).normal(0.0, 1.0, (start + count) * size)
        x = np.asarray(drawn, np.float64).reshape(-1, size)[start:]
        y = np.maximum(x @ hidden.reshape(64, size).T, 0) @ output.reshape(4, 64).T
        return Batch(x.astype(np.float32).reshape(-1, *shape), (y - y.mean(0)).argmax(1))

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the first samples of the training part."""
        return self._all(shape, seed, self.batch, 0)

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch]:
        """Return 1536 samples to train on and 256 others."""
        return self._all(shape, seed, 1536, 0), self._all(shape, seed, 256, 1536)


@dataclass(frozen=True)
class Case:
    """One network of the study."""

    name: str
    family: str
    model: dict[str, Any]
    words: tuple[str, ...]
    data: str


def right_std(activation: str) -> float:
    """Return sigma_w at which the signal keeps its size, or is on the edge of chaos."""
    if activation == "sigmoid":
        return 1.0
    if activation in ("relu", "gelu"):
        return gain(activation)
    return math.sqrt(critical_weight_variance(activation)) if activation == "tanh" else 1.0


def initializers(draw: random.Random, activation: str) -> str:
    """Return the words of an initializer: mostly variance scaling around the right gain."""
    kind = draw.choice(
        [
            "scaled",
            "scaled",
            "scaled",
            "scaled",
            "orthogonal",
            "normal",
            "glorot",
            "lecun",
            "he",
            "zero",
        ]
    )
    scale = right_std(activation) * draw.choice(FACTORS)
    if kind == "scaled":
        return f"init=variance_scaling init.scale={scale**2:.5g} init.distribution=normal"
    if kind == "orthogonal":
        return f"init=orthogonal init.scale={scale:.5g}"
    if kind == "normal":
        return f"init=normal init.sigma={draw.choice([0.01, 0.02, 0.05, 0.3])}"
    if kind == "zero":
        return draw.choice(
            ["init=zero", "init=constant init.value=0.05", "init=uniform init.scale=0.07"]
        )
    return f"init={ {'glorot': 'glorot_uniform', 'lecun': 'lecun', 'he': 'he'}[kind] }"


def act(name: str) -> dict[str, Any]:
    """Return the layer of an activation."""
    return (
        {"kind": name} if name in ("selu", "gelu") else {"kind": "activation", "activation": name}
    )


def dense(units: int, activation: str, norm: str | None) -> list[dict[str, Any]]:
    """Return a dense layer, its normalization and its activation."""
    layers: list[dict[str, Any]] = [{"kind": "dense", "units": units}]
    return [*layers, *([{"kind": norm}] if norm else []), act(activation)]


def network(draw: random.Random, family: str, activation: str, depth: int, norm: str | None) -> Any:
    """Return (input shape, layers) for the digits."""
    head = {"kind": "dense", "units": 10, "name": "head"}
    if family == "dense":
        block = {
            "kind": "repeat",
            "times": depth,
            "name": "blocks",
            "layers": dense(64, activation, norm),
        }
        return [64], [block, head]
    if family == "residual":
        inner = [
            *([{"kind": norm}] if norm else []),
            act(activation),
            {"kind": "dense", "units": 64},
        ]
        branch = [*inner, *inner] if draw.random() < 0.5 else inner
        block = {"kind": "residual", "name": "block", "layers": branch}
        stem = {"kind": "dense", "units": 64, "name": "stem"}
        return [64], [
            stem,
            {"kind": "repeat", "times": depth, "name": "blocks", "layers": [block]},
            head,
        ]
    if family == "conv":
        layers = [
            {"kind": "conv2d", "channels": 8, "kernel_size": 3, "padding": 1},
            *([{"kind": "batch_norm"}] if norm else []),
            act(activation),
        ]
        block = {"kind": "repeat", "times": depth, "name": "blocks", "layers": layers}
        return [1, 8, 8], [block, {"kind": "flatten"}, head]
    if family == "recurrent":
        kind = draw.choice(["rnn", "lstm", "gru"])
        layer = {"kind": kind, "hidden_size": 32, "num_layers": depth}
        if kind == "rnn":
            layer["activation"] = activation if activation in ("relu", "tanh") else "tanh"
        return [8, 8], [layer, {"kind": "last_step"}, head]
    blocks = {
        "kind": "repeat",
        "times": depth,
        "name": "blocks",
        "layers": [
            {
                "kind": "transformer_block",
                "name": "block",
                "units": 32,
                "heads": 4,
                "activation": activation if activation in ("relu", "gelu") else "gelu",
                "norm": "pre" if norm or draw.random() < 0.5 else "post",
            }
        ],
    }
    stem = {"kind": "dense", "units": 32, "flatten": False, "name": "stem"}
    return [8, 8], [stem, blocks, {"kind": "flatten"}, head]


DEPTHS = {
    "dense": (2, 4, 8, 16, 32, 64),
    "residual": (2, 4, 8, 16, 32),
    "conv": (2, 4, 8),
    "recurrent": (1, 2, 3),
    "attention": (1, 2, 4),
}
SHARES = ["dense"] * 5 + ["residual"] * 3 + ["conv"] * 2 + ["recurrent"] * 2 + ["attention"] * 2


def cases(seed: int) -> Iterator[Case]:
    """Yield the networks of one half of the study. They follow from the seed."""
    draw = random.Random(seed)
    for number in range(NETWORKS if seed != SEEDS["last"] else 120):
        family = draw.choice(SHARES)
        activation, depth = draw.choice(ACTIVATIONS), draw.choice(DEPTHS[family])
        norm = draw.choice([None, None, None, "batch_norm" if family == "conv" else "layer_norm"])
        dtype = (
            "float16"
            if draw.random() < 0.2 and depth <= 8 and family in ("dense", "residual")
            else "float32"
        )
        shape, layers = network(draw, family, activation, depth, norm)
        init = initializers(draw, activation)
        data = "digits"
        if shape == [64] and draw.random() < 0.4:
            data, layers = "teacher", [*layers[:-1], {**layers[-1], "units": 4}]
        words = (*init.split(), f"dtype={dtype}")
        said = "-".join(w.partition("=")[2] for w in words)
        name = f"{number:03d}-{family}-{activation}-{depth}-{norm or 'plain'}-{said}-{data}"
        yield Case(name, family, {"input": shape, "layers": layers}, words, data)


def declared(case: Case, folder: str) -> Any:
    """Return the checked run of a case."""
    place = Path(folder) / "model"
    place.mkdir(exist_ok=True)
    text = {"defaults": ["/schema/model@_here_", "_self_"], **case.model}
    (place / f"n{case.name[:3]}.yaml").write_text(json.dumps(text))
    options = Path(folder) / "data"
    options.mkdir(exist_ok=True)
    (options / "teacher.yaml").write_text("kind: teacher\nbatch: 256\n")
    words = (f"model=n{case.name[:3]}", f"data={case.data}", "probe=none", *case.words)
    return declare(*words, config_dir=folder).checked


def study(case: Case) -> dict[str, Any]:
    """Return the record of one network: what was observed, and the losses of its training."""
    with tempfile.TemporaryDirectory() as folder:
        config = declared(case, folder)
    network, _ = stages.initialize(config)
    subject = stages.subject_of(config, network)
    seen = observe(subject)
    trained = {}
    for rate in RATES:
        with restoring(subject), np.errstate(all="ignore"):
            trained[str(rate)] = losses_of(subject, rate)
    return {
        "name": case.name,
        "family": case.family,
        "observation": dataclasses.asdict(seen),
        "trained": trained,
    }


def losses_of(subject: Subject, rate: float) -> list[float]:
    """Return the loss of each step's minibatch before the step; it ends with the first that is not
    finite.
    """
    samples, _ = subject.training
    learner = Learner(subject, samples, create("sgd", learning_rate=rate), "cross_entropy")
    order = np.random.Generator(np.random.Philox(15)).permutation(len(samples.inputs))
    rows = np.resize(order, STEPS * BATCH).reshape(STEPS, BATCH)
    losses: list[float] = []
    for chosen in rows:
        losses.append(learner.step(chosen).loss)
        if not math.isfinite(losses[-1]):
            break
    return losses


def run(path: Path, seed: int) -> None:
    """Append the records of the networks of a seed that the file does not hold."""
    study_records.record(path, cases(seed), study)


def observation_of(record: dict[str, Any]) -> Observation:
    """Return the observation of a record."""
    given = dict(record)
    given["input"] = signal_of(record["input"])
    for name in ("trunk", "leaves"):
        given[name] = [
            Stage(**{**stage, "signal": signal_of(stage["signal"])}) for stage in record[name]
        ]
    given["tensors"] = [Tensor(**{**t, "shape": tuple(t["shape"])}) for t in record["tensors"]]
    given["after"] = [observation_of(one) for one in record["after"]]
    given["usual"] = [observation_of(one) for one in record.get("usual", [])]
    given["placed"] = [Placed(**one) for one in record.get("placed", [])]
    if record.get("samples") is not None:
        given["samples"] = Samples(**record["samples"])
    return Observation(**given)


def signal_of(record: dict[str, Any]) -> Signal:
    """Return the signal of a record."""
    return Signal(**{**record, "shape": tuple(record["shape"])})


def best_loss(record: dict[str, Any]) -> float:
    """Return the mean loss of the last ten steps at the best rate, as a part of ln C."""
    ignorance = record["observation"]["ignorance"]
    ends = [losses[-10:] for losses in record["trained"].values() if len(losses) == STEPS]
    means = [sum(end) / len(end) for end in ends]
    return min((mean / ignorance for mean in means if math.isfinite(mean)), default=math.inf)


def progress_of(records: list[dict[str, Any]]) -> list[float]:
    """Return how far each network came: 0 for ln C, 1 for the best tenth of the networks on its data.

    A network that diverged at every rate has -1.
    """
    losses = [best_loss(record) for record in records]
    data = [record["name"].rpartition("-")[2] for record in records]
    best = {
        one: float(np.quantile([x for x, d in zip(losses, data, strict=True) if d == one], 0.1))
        for one in set(data)
    }
    return [
        max(-1.0, (1 - loss) / (1 - best[one])) if math.isfinite(loss) else -1.0
        for loss, one in zip(losses, data, strict=True)
    ]


def area(bad: list[float], good: list[float]) -> float:
    """Return the area under the curve: how often a bad network has the higher risk; ties count half."""
    wins = sum((b > g) + (b == g) / 2 for b in bad for g in good)
    return wins / (len(bad) * len(good))


def print_scales(examined: list[tuple[float, Examined]]) -> None:
    """Print a row for each symptom: its scale, and how the networks trained that lie on it."""
    print("\n| symptom | figure | odd | harmful | fatal | harmful or worse | fatal |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for symptom in all_symptoms():
        worst = [
            (p, max((place for place, _ in symptom.readings(one)), default=-1.0))
            for p, one in examined
        ]
        cells = [
            "/".join(
                str(sum(low <= p < high and place >= least for p, place in worst))
                for low, high in ((-9, FAILS), (FAILS, WELL), (WELL, 9))
            )
            for least in (1, 2)
        ]
        ends = (symptom.scale.odd, symptom.scale.harmful, symptom.scale.fatal)
        said = " | ".join("-" if end is None else f"{end:g}" for end in ends)
        print(f"| {symptom.id} | {symptom.title} | {said} | {cells[0]} | {cells[1]} |")


def tell(parts: list[tuple[Path, str]]) -> None:
    """Print a row for each part, and write the table of all networks."""
    rows = []
    print(
        "| part | networks | fail | train well | area | fatal and trains well | fatal and fails |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    examined: list[tuple[float, Examined]] = []
    for path, part in parts:
        records = [json.loads(line) for line in path.open()]
        progress = progress_of(records)
        found = [Examined(observation_of(record["observation"])) for record in records]
        examined += zip(progress, found, strict=True)
        risks, said = [risk(one) for one in found], [diagnose(one) for one in found]
        fails = [p < FAILS for p in progress]
        well = [p > WELL for p in progress]
        over = area(
            [r for r, f in zip(risks, fails, strict=True) if f],
            [r for r, f in zip(risks, fails, strict=True) if not f],
        )
        fatal = [one.severity == "fatal" for one in said]
        print(
            f"| {part} | {len(records)} | {sum(fails)} | {sum(well)} | {over:.3f} | "
            f"{sum(f and w for f, w in zip(fatal, well, strict=True))} | "
            f"{sum(f and x for f, x in zip(fatal, fails, strict=True))} |"
        )
        for record, p, r, one in zip(records, progress, risks, said, strict=True):
            worst = one.findings[0].id if one.findings else ""
            rows.append([part, record["name"], f"{p:.2f}", f"{r:.2f}", one.severity or "", worst])
    print_scales(examined)
    table = Path(__file__).with_suffix(".csv")
    heads = ["part", "network", "progress", "risk", "severity", "worst finding"]
    table.write_text("".join(",".join(row) + "\n" for row in [heads, *sorted(rows)]))


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(Path(sys.argv[2]), SEEDS[sys.argv[3]])
    else:
        given = sys.argv[2:]
        tell([(Path(path), part) for path, part in zip(given[::2], given[1::2], strict=True)])
