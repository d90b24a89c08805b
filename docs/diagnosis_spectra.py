"""The fourth part of the study behind docs/diagnosis.md: Jacobians, and the spectra of weights.

    python docs/diagnosis_spectra.py jacobians FILE.jsonl   the Jacobians of the networks of the study
    python docs/diagnosis_spectra.py weights FILE.jsonl     networks whose weights have a spectrum by
                                                            construction, observed, measured and trained
    python docs/diagnosis_spectra.py tell WEIGHTS.jsonl JACOBIANS.jsonl FILE.jsonl PART …

FILE and PART are those of diagnosis_study.py, whose networks are not trained again. The networks of
`weights` are dense, with as large weights as He's or Glorot's, and trained as in diagnosis_faults.py.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import diagnosis_faults as faults
import diagnosis_study as study
import numpy as np
import study_records

from initlab.engine import nd
from initlab.runner.diagnosis.diagnose import risk
from initlab.runner.measures.base import restoring
from initlab.runner.measures.jacobian import Jacobian
from initlab.runner.measures.spectrum import Spectrum
from initlab.runner.observation.passes import observe
from initlab.runner.probes import Subject
from initlab.runner.run import stages
from initlab.runner.symptoms import Examined, Symptom
from initlab.runner.symptoms.conditioning import IllConditionedJacobian, OneDirection

SAMPLES = 4
DEPTHS = (2, 4, 6, 12)


@dataclass(frozen=True)
class Part:
    """A network of a part of diagnosis_study.csv."""

    part: str
    case: study.Case

    @property
    def name(self) -> str:
        """A name of its own."""
        return f"{self.part}/{self.case.name}"


@dataclass(frozen=True)
class Built:
    """A dense network whose weights are built: `strength` says how far from a random matrix."""

    depth: int
    activation: str
    norm: str | None
    how: str
    strength: float

    @property
    def name(self) -> str:
        """A name of its own."""
        return f"{self.activation}{self.depth}{self.norm or ''}-{self.how}-{self.strength:g}"


def parts() -> Iterator[Part]:
    """Yield the networks of the study."""
    for part, seed in study.SEEDS.items():
        yield from (Part(part, case) for case in study.cases(seed))


def built() -> Iterator[Built]:
    """Yield the networks with built weights."""
    ways = {
        "orthogonal": (0.0,),
        "gaussian": (0.0,),
        "decay": (10.0, 30.0, 100.0, 1e3, 1e5),
        "rank": (32.0, 16.0, 8.0, 4.0, 2.0, 1.0),
        "mean": (0.1, 0.3, 1.0, 3.0, 10.0),
        "spike": (0.3, 1.0, 3.0, 10.0),
    }
    for depth, (activation, norm) in product(
        DEPTHS, (("relu", None), ("tanh", None), ("relu", "layer_norm"))
    ):
        for how, strengths in ways.items():
            for strength in strengths:
                yield Built(depth, activation, norm, how, strength)


def matrix(how: str, strength: float, shape: tuple[int, ...], random: np.random.Generator) -> Any:
    """Return a matrix of this shape whose elements have the mean square 1.

    decay: singular values fall geometrically, the last is one over `strength` times the first.
    rank: as many as `strength` of them are equal, the others 0. mean: normal, with a mean that is
    `strength` times the deviation. spike: normal, and one direction with `strength` times the length of
    all others.
    """
    drawn = random.standard_normal(shape)
    if how == "mean":
        drawn += strength
    if how in ("orthogonal", "decay", "rank"):
        u, _, v = np.linalg.svd(drawn, full_matrices=False)
        number = np.arange(min(shape))
        values = np.ones(min(shape))
        if how == "decay":
            values = strength ** (-number / max(1, min(shape) - 1))
        if how == "rank":
            values = (number < strength).astype(float)
        drawn = u * values @ v
    if how == "spike":
        u, _, v = np.linalg.svd(random.standard_normal(shape), full_matrices=False)
        drawn += strength * math.sqrt(drawn.size) * np.outer(u[:, 0], v[0])
    return drawn / math.sqrt(float(np.square(drawn).mean()))


def of_jacobian(one: Part) -> dict[str, Any]:
    """Return the record of a network of the study: its Jacobians."""
    with tempfile.TemporaryDirectory() as folder:
        config = study.declared(one.case, folder)
    network, _ = stages.initialize(config)
    return {"name": one.name, **measured(stages.subject_of(config, network))}


def measured(subject: Subject) -> dict[str, Any]:
    """Return the sections of both measurements."""
    with np.errstate(all="ignore"):
        found = Jacobian(samples=SAMPLES).measure(subject)
        return found | Spectrum().measure(subject)


def of_weights(one: Built) -> dict[str, Any]:
    """Return the record of a network with built weights: what was observed, measured and trained."""
    gain = "init=he" if one.activation == "relu" else "init=glorot_normal"
    words = (gain, "data=moved")
    model = faults.plain(one.depth, one.activation, one.norm)
    case = faults.Case("spectrum", one.name, "", model, words)
    with tempfile.TemporaryDirectory() as folder:
        config = faults.declared(case, folder)
    network, _ = stages.initialize(config)
    subject = stages.subject_of(config, network)
    random = np.random.Generator(np.random.Philox(15))
    for path, parameter in subject.parameters.items():
        if len(parameter.shape) > 1 and not path.startswith("head"):
            size = float(config.plan[path].law.std)
            values = size * matrix(one.how, one.strength, parameter.shape, random)
            parameter.set_data(nd.array(values, dtype=parameter.dtype))
    trained = {}
    seen, sections = observe(subject), measured(subject)
    for rate in faults.RATES:
        with restoring(subject), np.errstate(all="ignore"):
            trained[str(rate)] = faults.losses_of(subject, rate, faults.BATCH)
    record = {"name": one.name, "batch": faults.BATCH, "trained": trained, **sections}
    return record | {"observation": faults.asdict(seen)}


def of_study(path: Path, pairs: list[tuple[Path, str]]) -> Iterator[tuple[float, Examined]]:
    """Yield (progress, what was seen) of each network of the study, with its Jacobians."""
    found = {record["name"]: record for record in map(json.loads, path.open())}
    for file, part in pairs:
        records = [json.loads(line) for line in file.open()]
        for record, far in zip(records, study.progress_of(records), strict=True):
            sections = {"jacobian": found[f"{part}/{record['name']}"]["jacobian"]}
            yield far, Examined(study.observation_of(record["observation"]), sections=sections)


def of_built(path: Path) -> Iterator[tuple[str, float, Examined]]:
    """Yield (name, progress, what was seen) of each network with built weights."""
    for record in map(json.loads, path.open()):
        sections = {name: record[name] for name in ("jacobian", "spectrum")}
        seen = study.observation_of(record["observation"])
        yield record["name"], faults.progress(record)[0], Examined(seen, sections=sections)


def said(symptom: Symptom, pairs: list[tuple[float, Examined]]) -> str:
    """Return how many networks fail, come half way, and train well: of those that are odd, of those that
    are harmful, and of these of those that nothing else calls harmful.
    """
    cells = [[0, 0, 0] for _ in range(3)]
    for far, given in pairs:
        place = max((place for place, _ in symptom.readings(given)), default=-1.0)
        alone = risk(replace(given, sections={})) < 1
        for cell, wanted in zip(
            cells, (0 <= place < 1, place >= 1, place >= 1 and alone), strict=True
        ):
            cell[(far >= study.FAILS) + (far > study.WELL)] += wanted
    return " | ".join("/".join(map(str, cell)) for cell in cells)


def tell(weights: Path, jacobians: Path, pairs: list[tuple[Path, str]]) -> None:
    """Print a row for each symptom and set of networks."""
    built_ones = list(of_built(weights))
    by_depth = [
        (f"built, {depth} layers", [(p, e) for n, p, e in built_ones if depth_of(n) == depth])
        for depth in DEPTHS
    ]
    print("| networks | symptom | odd | harmful | harmful, and nothing else is |")
    print("| --- | --- | --- | --- | --- |")
    studied = ("of the study", list(of_study(jacobians, pairs)))
    for symptom, groups in (
        (IllConditionedJacobian(), [studied, *by_depth]),
        (OneDirection(), by_depth),
    ):
        for name, group in groups:
            print(f"| {name} | {symptom.id} | {said(symptom, group)} |")


def depth_of(name: str) -> int:
    """Return the hidden layers of a network with built weights."""
    return int("".join(filter(str.isdigit, name.partition("-")[0])))


if __name__ == "__main__":
    command, *files = sys.argv[1:]
    if command == "jacobians":
        study_records.record(Path(files[0]), parts(), of_jacobian)
    elif command == "weights":
        study_records.record(Path(files[0]), built(), of_weights)
    else:
        weights, jacobians, *rest = files
        named = zip(map(Path, rest[::2]), rest[1::2], strict=True)
        tell(Path(weights), Path(jacobians), list(named))
