"""The diagnosis of a network made in Python: no config is involved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.engine.errors import MXNetError
from initlab.engine.streams.key import check_seed
from initlab.runner.data import Batch
from initlab.runner.diagnosis.cure import SAME, can_draw, python_of
from initlab.runner.diagnosis.diagnose import all_symptoms, diagnosis_of
from initlab.runner.errors import ConfigError
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.measures import REGISTRY, Measure
from initlab.runner.observation.passes import Observation, observe
from initlab.runner.observation.tree import arrays_in
from initlab.runner.plan.filling import check_block
from initlab.runner.plan.network import Network, network_of
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import rows_drawn
from initlab.runner.probes import Subject
from initlab.runner.probes.following import Call, blocks_by_path, following


def diagnose(
    net: gluon.Block,
    inputs: Any,
    labels: Any = None,
    seed: int = 0,
    measure: Sequence[str] = (),
) -> Diagnosis:
    """Return what is known to hurt in an initialized network, from one pass of a batch.

    `inputs` (batch, …) is an array of NumPy or the engine. `labels` are whole numbers, one for each
    vector of scores (batch, …, classes) that the network returns; without them they are drawn under
    `seed`, and a network that returns no scores is judged by a random linear function of its output.
    Floats that enter an embedding are token numbers; whole numbers that the network does not take are
    floats. Parameters that wait for their shapes are drawn by a first pass. Values and gradients are the same
    afterwards. `measure` names measurements that the diagnosis reads besides: `jacobian`, `spectrum`.

    Raises TypeError if `net` is no block; ConfigError if inputs or labels have a wrong type or shape, or
    if a measurement has another name or cannot be made;
    RuntimeError like Gluon if the network is not initialized; and MXNetError, or what the network's
    own code raises, if it cannot take the inputs.
    """
    return diagnosed(net, inputs, labels, seed, measure, python_of)


def diagnosed(
    net: gluon.Block,
    inputs: Any,
    labels: Any,
    seed: int,
    measure: Sequence[str],
    written: Callable[[str], str],
) -> Diagnosis:
    """Return the diagnosis; `written` gives what is to be written instead for words of a config."""
    check_block(net)
    x = _array(inputs, "inputs")
    if x.ndim == 0 or len(x) == 0:
        raise ConfigError.of(
            "inputs", f"must be a batch of at least one sample, got shape {x.shape}"
        )
    y = None if labels is None else _array(labels, "labels")
    if not np.isfinite(np.asarray(x, np.float64)).all():
        raise ConfigError.of("inputs", "must be finite, but some are infinite or NaN")
    if y is not None and (y.dtype.kind not in "iu" or y.shape[:1] != x.shape[:1]):
        said = f"must be whole numbers, one for each of {len(x)} samples, got {y.dtype} {y.shape}"
        raise ConfigError.of("labels", said)
    chosen = _measures(measure)
    batch = Batch(x, None if y is None else y.astype(np.int64))
    subject = _subject(net, batch, check_seed(seed))
    subject, output = _fed(subject)
    if y is not None:
        _check_labels(batch, output)
    subject.parameters = network_of(net).owners
    network = network_of(net)
    seen = observe(subject)
    found = diagnosis_of(
        seen,
        lambda words: can_draw(network, words, subject.seed, seen.tensors),
        rows=_rows_still_drawn(network, seen),
        sections=_sections(chosen, subject, output),
    )
    findings = [replace(f, instead=tuple(map(written, f.instead))) for f in found.findings]
    return replace(found, findings=tuple(findings))


def _measures(names: Sequence[str]) -> list[Measure]:
    """Return the measurements of these names. Raises ConfigError for one that no symptom reads."""
    names = (names,) if isinstance(names, str) else names
    read = {symptom.section for symptom in all_symptoms()} - {None}
    known = [name for name in REGISTRY if read & set(REGISTRY.get(name).gives)]
    for name in names:
        if name not in known:
            said = f"'{name}' is no measurement that a diagnosis reads"
            raise ConfigError.unknown("measure", said, name, known)
    return [REGISTRY.get(name)() for name in dict.fromkeys(names)]


def _sections(
    measures: Sequence[Measure], subject: Subject, output: nd.NDArray
) -> dict[str, list[dict[str, Any]]]:
    """Return what the measurements find. Raises ConfigError if one cannot be made."""
    found: dict[str, list[dict[str, Any]]] = {}
    for measure in measures:
        try:
            measure.check(output.shape, None, (), subject.batch.inputs.dtype.kind in "iu")
        except ConfigError as error:
            raise ConfigError.of(
                "measure", f"{measure.kind}: {error.problems[0].message}"
            ) from None
        with np.errstate(all="ignore"):
            found |= measure.measure(subject)
    return found


def _rows_still_drawn(network: Network, seen: Observation) -> dict[str, Row]:
    """Return {path: row} of the parameters that have the size with which their law drew them."""
    sizes = {tensor.path: tensor.rms for tensor in seen.tensors}

    def is_drawn(row: Row) -> bool:
        mean, std = row.law.mean, row.law.std
        if mean is None or std is None or row.path not in sizes:
            return False
        return math.isclose(math.hypot(mean, std), sizes[row.path], rel_tol=SAME)

    return {path: row for path, row in rows_drawn(network).items() if is_drawn(row)}


def _array(given: Any, name: str) -> np.ndarray:
    try:
        values = given.asnumpy() if isinstance(given, nd.NDArray) else np.asarray(given)
    except ValueError as error:
        raise ConfigError.of(name, "must be an array, but its rows differ in length") from error
    if values.dtype.kind not in "fiu" and values.dtype.name != "bfloat16":
        raise ConfigError.of(name, f"must be an array of numbers, got {values.dtype}")
    return np.asarray(values)


def _subject(net: gluon.Block, batch: Batch, seed: int) -> Subject:
    parameters = network_of(net).owners
    first = next(iter(parameters.values()), None)
    if first is None:
        raise ConfigError.of("", "the network has no parameters - there is nothing to diagnose")
    return Subject(
        network=net,
        layers={},
        parameters=parameters,
        batch=batch,
        training=(batch, None),
        device=first.list_ctx()[0],
        dtype=np.dtype(first.dtype).name,
        seed=seed,
    )


def _fed(subject: Subject) -> tuple[Subject, nd.NDArray]:
    """Return the network with inputs of the kind that it takes, and its first output in predict mode.

    Floats that enter an embedding are token numbers. Whole numbers that it does not take, like the
    pixels of an image, are floats. Raises ConfigError for token numbers that a table has no row for.
    """
    given = subject.batch.inputs
    quiet = np.errstate(all="ignore")
    with autograd.predict_mode(), quiet, tables_entered(subject.network) as tables:
        try:
            output = subject.network(subject.inputs())
        except MXNetError:
            if given.dtype.kind == "f":
                raise
            subject = replace(
                subject, batch=replace(subject.batch, inputs=given.astype(np.float32))
            )
            output = subject.network(subject.inputs())
    rows = [rows for rows, entered in tables if _same(entered, subject.inputs())]
    if rows:
        subject = replace(subject, batch=replace(subject.batch, inputs=_tokens(given, min(rows))))
    return subject, arrays_in(output)[0]


@contextmanager
def tables_entered(net: gluon.Block) -> Iterator[list[tuple[int, nd.NDArray]]]:
    """Collect (rows, what enters) of each embedding that is called inside a `with`."""
    found: list[tuple[int, nd.NDArray]] = []
    tables = {
        path: block
        for path, block in blocks_by_path(net).items()
        if isinstance(block, gluon.nn.Embedding)
    }

    def note(call: Call) -> None:
        found.append((tables[call.path].weight.shape[0], call.arguments[0]))

    with following(tables, note):
        yield found


def _same(a: nd.NDArray, b: nd.NDArray) -> bool:
    """Return whether two arrays have the same elements in the same order."""
    return a.size == b.size and bool((a.asnumpy().ravel() == b.asnumpy().ravel()).all())


def _tokens(inputs: np.ndarray, rows: int) -> np.ndarray:
    """Return inputs as token numbers. Raises ConfigError unless each is a row of a table."""
    wide = np.asarray(inputs, np.float64)
    wrong = wide[(wide != np.floor(wide)) | (wide < 0) | (wide >= rows)]
    if wrong.size:
        said = f"must be token numbers, whole from 0 to {rows - 1}, as they enter an embedding"
        raise ConfigError.of("inputs", f"{said}, got {wrong[0]:g}")
    return wide.astype(np.int64)


def _check_labels(batch: Batch, output: nd.NDArray) -> None:
    """Raise ConfigError unless there is a label below the number of scores for each vector of them."""
    assert batch.labels is not None
    if len(output.shape) not in (2, 3) or output.shape[-1] < 2:
        said = (
            f"need scores of at least two classes, but the network returns shape {output.shape}"
            " - leave them out"
        )
        raise ConfigError.of("labels", said)
    if output.shape[:-1] != batch.labels.shape:
        said = (
            f"must have shape {output.shape[:-1]}, one for each vector of the network's scores, "
            f"got {batch.labels.shape}"
        )
        raise ConfigError.of("labels", said)
    if batch.labels.min() < 0 or batch.labels.max() >= output.shape[-1]:
        said = f"must lie in 0 to {output.shape[-1] - 1}, as the network returns {output.shape[-1]} scores"
        raise ConfigError.of("labels", said)
