"""The second part of the study behind docs/diagnosis.md: networks with one fault at several strengths.

    python docs/diagnosis_faults.py run FILE.jsonl     observe and train the networks
    python docs/diagnosis_faults.py tell FILE.jsonl    print the figure of each fault, and how it trained

The networks train well without the fault. Everything else is as in diagnosis_study.py.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import study_records
from diagnosis_study import BATCH, FAILS, RATES, WELL, act, dense, observation_of

from initlab.engine.optimizer import create
from initlab.engine.options import Count, Positive
from initlab.engine.streams import Key, Stream
from initlab.runner.data import digits
from initlab.runner.data.base import Batch, Data, register
from initlab.runner.declare import declare
from initlab.runner.diagnosis.diagnose import looks
from initlab.runner.measures.base import restoring
from initlab.runner.observation.passes import observe
from initlab.runner.probes import Subject
from initlab.runner.probes.learning import Learner
from initlab.runner.run import stages
from initlab.runner.symptoms import Examined

STEPS = 150


@register
@dataclass
class Moved(digits.Digits):
    """The digits without their mean, at rms 1, then (x + offset) scale."""

    offset: float = 0.0
    scale: Positive = 1.0

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch."""
        return self._move(super().load(shape, seed))

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch]:
        """Return the two parts."""
        train, test = super().training(shape, seed)
        return self._move(train), self._move(test)

    def _move(self, batch: Batch) -> Batch:
        x = (batch.inputs - 0.305) / 0.376
        size = math.sqrt(1 + self.offset**2)
        moved = (x + self.offset) / size * self.scale
        return Batch(moved.astype(np.float32), batch.labels)


@register
@dataclass
class Renamed(Data):
    """Random token numbers, each labelled with its own image under a permutation."""

    classes: ClassVar[int | None] = 32
    whole_numbers: ClassVar[bool] = True
    batch: Count = 64

    @property
    def numbers(self) -> int:
        """The size of the vocabulary."""
        return 32

    def label_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return one label for each token."""
        return shape

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch, the same for any seed."""
        return self._drawn(shape, "load", self.batch)

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, None]:
        """Return the training part, the same for any seed."""
        return self._drawn(shape, "training", 512), None

    def _drawn(self, shape: tuple[int, ...], name: str, count: int) -> Batch:
        stream = Stream(Key(0, f"@renamed/{name}"))
        x = np.asarray(stream.integers(0, 32, count * math.prod(shape)), np.int64)
        x = x.reshape(count, *shape)
        return Batch(x, (x * 7 + 3) % 32)


@dataclass(frozen=True)
class Case:
    """One network with one fault; `strength` says how much of it."""

    fault: str
    network: str
    strength: str
    model: dict[str, Any]
    words: tuple[str, ...]
    batch: int = BATCH

    @property
    def name(self) -> str:
        """A name of its own."""
        return f"{self.fault}-{self.network}-{self.strength}"


HEAD = {"kind": "dense", "units": 10, "name": "head"}


def plain(depth: int, activation: str, norm: str | None = None) -> dict[str, Any]:
    """Return a dense network for the digits."""
    layers = dense(64, activation, norm)
    return {
        "input": [64],
        "layers": [{"kind": "repeat", "times": depth, "name": "blocks", "layers": layers}, HEAD],
    }


def convolutional() -> dict[str, Any]:
    """Return a convolutional network for the digits."""
    layers = [
        {"kind": "conv2d", "channels": 8, "kernel_size": 3, "padding": 1},
        act("relu"),
        {"kind": "conv2d", "channels": 8, "kernel_size": 3, "padding": 1},
        act("relu"),
        {"kind": "flatten"},
        HEAD,
    ]
    return {"input": [1, 8, 8], "layers": layers}


NETWORKS = {
    "relu2": (plain(2, "relu"), "init=he"),
    "tanh4": (plain(4, "tanh"), "init=glorot_normal"),
    "layernorm4": (plain(4, "relu", "layer_norm"), "init=he"),
    "batchnorm2": (plain(2, "relu", "batch_norm"), "init=he"),
    "conv2": (convolutional(), "init=he"),
}


def language_model(token: float, position: float, head: float | None) -> dict[str, Any]:
    """Return a transformer with tables of these standard deviations; without a head it is tied."""

    def normal(sigma: float) -> dict[str, Any]:
        return {"kind": "normal", "sigma": sigma}

    layers: list[dict[str, Any]] = [
        {
            "kind": "embedding",
            "name": "tokens",
            "input_dim": 32,
            "output_dim": 32,
            "weight_initializer": normal(token),
        },
        {
            "kind": "position_embedding",
            "name": "positions",
            "length": 16,
            "units": 32,
            "weight_initializer": normal(position),
        },
        {
            "kind": "repeat",
            "name": "blocks",
            "times": 2,
            "layers": [
                {
                    "kind": "transformer_block",
                    "name": "block",
                    "units": 32,
                    "heads": 2,
                    "causal": True,
                    "activation": "gelu",
                }
            ],
        },
        {"kind": "layer_norm", "name": "norm"},
        {"kind": "dense", "name": "head", "units": 32, "use_bias": False, "flatten": False},
    ]
    if head is not None:
        layers[-1]["weight_initializer"] = normal(head)
    shared = {"share": {"table": ["tokens.weight", "head.weight"]}} if head is None else {}
    return {"input": [16], "layers": layers, **shared}


def one_layer(activation: str, number: int, initializer: dict[str, Any]) -> dict[str, Any]:
    """Return three dense layers for the digits, one of which has an initializer of its own."""
    layers: list[dict[str, Any]] = []
    for n in range(3):
        own = {"weight_initializer": initializer} if n == number else {}
        layers += [{"kind": "dense", "units": 64, **own}, act(activation)]
    return {"input": [64], "layers": [*layers, HEAD]}


def single() -> Iterator[Case]:
    """Yield networks with one layer next to zero, or of equal units."""
    for activation, number in product(("relu", "tanh"), (0, 1, 2)):
        word = "init=he" if activation == "relu" else "init=glorot_normal"
        for sigma in (0.0, 1e-6, 1e-4, 1e-3, 2.5e-3, 1e-2):
            drawn = {"kind": "normal", "sigma": sigma} if sigma else {"kind": "zero"}
            model = one_layer(activation, number, drawn)
            yield Case("small", f"{activation}-{number}", f"{sigma:g}", model, (word, "data=moved"))
        model = one_layer(activation, number, {"kind": "constant", "value": 0.05})
        yield Case("equal", f"{activation}-{number}", "0.05", model, (word, "data=moved"))


def cases() -> Iterator[Case]:
    """Yield the networks."""
    yield from single()
    for name, (model, init) in NETWORKS.items():
        for scale in (1e-4, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e5):
            yield Case(
                "size", name, f"{scale:g}", model, (init, "data=moved", f"data.scale={scale}")
            )
        for offset in (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e5):
            words = (init, "data=moved", f"data.offset={offset}")
            yield Case("offset", name, f"{offset:g}", model, words)
    for depth, batch in product((2, 6), (1, 2, 3, 4, 8, 16, 32)):
        for norm in ("batch_norm", None):
            model = plain(depth, "relu", norm)
            words = ("init=he", "data=moved", f"data.batch={batch}")
            name = f"{'batchnorm' if norm else 'relu'}{depth}"
            yield Case("averaged", name, str(batch), model, words, batch)
    sizes = [(t, 0.02) for t in (1e-4, 1e-3, 0.02, 0.3, 1.0, 5.0, 30.0)]
    sizes += [(0.3, p) for p in (1e-3, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)]
    sizes += [(0.02, p) for p in (0.1, 0.3, 1.0, 3.0)] + [(t, 0.02) for t in (3.0, 10.0, 15.0)]
    for token, position in sizes:
        for head in (None, 0.02):
            kind = "tied" if head is None else "untied"
            model = language_model(token, position, head)
            words = ("init=normal", "init.sigma=0.02", "data=renamed")
            yield Case("embedding", kind, f"{token:g}-{position:g}", model, words)
    yield from residual_cases()


def residual(depth: int, factor: float) -> dict[str, Any]:
    """Return a residual network for the digits whose branches end in a factor."""
    branch = [act("relu"), {"kind": "dense", "units": 64}, {"kind": "scale", "factor": factor}]
    block = {"kind": "residual", "name": "block", "layers": branch}
    blocks = {"kind": "repeat", "times": depth, "name": "blocks", "layers": [block]}
    return {"input": [64], "layers": [{"kind": "dense", "units": 64}, blocks, HEAD]}


def residual_cases() -> Iterator[Case]:
    """Yield residual networks that are scaled by a factor, by their initializer, by both, by none."""
    for depth in (4, 16, 32):
        for name, factor in (("1", 1.0), ("root", depth**-0.5), ("depth", 1 / depth)):
            for init in (
                "init=residual_scaled init.std=0.18 init.others=0.18",
                "init=normal init.sigma=0.18",
                "init=fixup",
            ):
                words = (*init.split(), "data=moved")
                kind = words[0].partition("=")[2]
                yield Case(
                    "twice", f"residual{depth}", f"{name}-{kind}", residual(depth, factor), words
                )


def declared(case: Case, folder: str) -> Any:
    """Return the checked run of a case."""
    for part, name, text in (
        ("model", "n", json.dumps({"defaults": ["/schema/model@_here_", "_self_"], **case.model})),
        ("data", "moved", "kind: moved\n"),
        ("data", "renamed", "kind: renamed\n"),
    ):
        place = Path(folder) / part
        place.mkdir(exist_ok=True)
        (place / f"{name}.yaml").write_text(text)
    return declare("model=n", "probe=none", *case.words, config_dir=folder).checked


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
            trained[str(rate)] = losses_of(subject, rate, case.batch)
    return {
        "name": case.name,
        "fault": case.fault,
        "observation": asdict(seen),
        "trained": trained,
        "batch": case.batch,
    }


def losses_of(subject: Subject, rate: float, batch: int) -> list[float]:
    """Return the loss of each step's minibatch before the step; it ends with the first that is not
    finite.
    """
    samples, _ = subject.training
    learner = Learner(subject, samples, create("sgd", learning_rate=rate), "cross_entropy")
    order = np.random.Generator(np.random.Philox(15)).permutation(len(samples.inputs))
    losses: list[float] = []
    for chosen in np.resize(order, STEPS * batch).reshape(STEPS, batch):
        losses.append(learner.step(chosen).loss)
        if not math.isfinite(losses[-1]):
            break
    return losses


def run(path: Path) -> None:
    """Append the records of the networks that the file does not hold."""
    study_records.record(path, cases(), study)


def progress(record: dict[str, Any]) -> tuple[float, str]:
    """Return 1 less the part of ln C that the loss of the last steps is at the best rate, and the rate.

    The last steps are as many as see 320 samples, at most half of all.
    """
    last = min(STEPS // 2, max(10, 320 // record["batch"]))
    ignorance = record["observation"]["ignorance"]
    found = [
        (1 - sum(losses[-last:]) / last / ignorance, rate)
        for rate, losses in record["trained"].items()
        if len(losses) == STEPS and math.isfinite(sum(losses))
    ]
    return max(found, default=(-1.0, "none"))


def tell(path: Path) -> None:
    """Print a row for each network: how far it came, and what the diagnosis says; and one for each
    symptom: how many networks beyond harmful and beyond fatal fail, come half way, and train well.
    """
    counts: dict[str, list[list[int]]] = {}
    for line in path.open():
        record = json.loads(line)
        if "error" in record:
            print(record["name"], record["error"])
            continue
        far, rate = progress(record)
        placed = placed_in(Examined(observation_of(record["observation"])))
        worst = ", ".join(f"{i} {f:.3g} ({p:.1f})" for i, (p, f) in list(placed.items())[:4])
        print(f"{record['name']:32} {far:6.2f} at {rate:6} {worst}")
        for name, (place, _) in placed.items():
            cells = counts.setdefault(name, [[0, 0, 0], [0, 0, 0]])
            for end, cell in enumerate(cells, 1):
                cell[(far >= FAILS) + (far > WELL)] += place >= end
    for name, cells in sorted(counts.items()):
        print(f"{name:24}", *("/".join(map(str, cell)) for cell in cells))


def placed_in(given: Examined) -> dict[str, tuple[float, float]]:
    """Return {symptom: (place, figure)} of what is at least odd, worst first."""
    found: dict[str, tuple[float, float]] = {}
    for symptom, seen in looks(given):
        for place, reading in symptom.readings(seen):
            if place >= 0:
                found[symptom.id] = max(
                    found.get(symptom.id, (place, reading.figure)), (place, reading.figure)
                )
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


if __name__ == "__main__":
    {"run": run, "tell": tell}[sys.argv[1]](Path(sys.argv[2]))
