"""`initlab compare A B`: compare two runs or two snapshot files, tensor by tensor.

    0   identical: the same names, shapes, dtypes and ties, and every tensor the same to the bit
    1   different
    2   one of them is missing, damaged, or neither a run nor a snapshot

A and B are run folders, or snapshot files: safetensors, npz, MXNet's .params, torch's .pth, ONNX,
HDF5, the index of a sharded snapshot (or its folder). For runs, differences of configs, streams and
versions are reported too; they alone do not make two runs different. A run without a snapshot is
compared by the digests in its manifest. Ties are not compared with a .params file, which cannot hold any.

Files that are not compressed are mapped and read in blocks: memory stays within about 100 MB, not
counting the system's file cache. The
figures are defined in `runner.check.distance`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from initlab.engine import digest, formats
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.formats.base import MOST, weights_in
from initlab.runner.check.distance import Distance, Smirnov, distance, smirnov
from initlab.runner.config.schema import LATER, PRINTED
from initlab.runner.errors import EvidenceError, RunnerError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.shard import INDEX
from initlab.runner.evidence.snapshot import open_file
from initlab.runner.excerpt import counted
from initlab.runner.flat import Change, changes, flatten

FORMAT = "initlab-comparison-1"
WHAT = (
    "give a run folder (outputs/<name>/<run id>) or a snapshot file (.safetensors, .index.json, .npz, "
    ".params, .pth, .pt, .bin, .onnx, .h5)"
)
IDENTICAL, DIFFERS, SHAPE, DTYPE, ONLY_A, ONLY_B = (
    "identical",
    "different",
    "other shape",
    "other dtype",
    "only in A",
    "only in B",
)


@dataclass(frozen=True)
class Side:
    """One of the two sides of a comparison.

    It has tensors, or if no snapshot was kept their digests. `aliases` is None if the file format
    holds no ties.
    """

    place: Path
    tensors: dict[str, np.ndarray]
    digests: dict[str, str]
    aliases: dict[str, str] | None
    manifest: Manifest | None
    unread: dict[str, str] = field(default_factory=dict)
    """Tensors of the file that cannot be given as arrays, and why."""

    @property
    def names(self) -> set[str]:
        """The names of tensors and ties."""
        return self.tensors.keys() | self.digests.keys() | (self.aliases or {}).keys()

    def owner(self, name: str) -> str:
        """Return the name under which the values are stored."""
        return (self.aliases or {}).get(name, name)

    def values(self, name: str) -> np.ndarray | None:
        """Return the values of a name, or None if they were not kept."""
        return self.tensors.get(self.owner(name))

    def digest(self, name: str) -> str:
        """Return the tensor-v1 digest in hex, of the values or from the manifest."""
        values = self.values(name)
        return (
            self.digests[self.owner(name)] if values is None else digest.tensor_digest(values).hex()
        )

    def describe(self) -> str:
        """Return a short description of the side."""
        ties = f", {counted(len(self.aliases), 'tie')}" if self.aliases else ""
        count = f"{counted(len(self.tensors or self.digests), 'tensor')}{ties}"
        if self.manifest is None:
            return f"snapshot, {count}"
        kept = "" if self.tensors else ", no snapshot was kept"
        return (
            f"run, seed {self.manifest.config.get('seed')}, stream {self.manifest.stream}, "
            f"{count}{kept}"
        )


@dataclass(frozen=True)
class Pair:
    """The result for one name."""

    name: str
    result: str
    shapes: tuple[tuple[int, ...] | None, tuple[int, ...] | None]
    dtypes: tuple[str | None, str | None]
    distance: Distance | None = None
    ks: Smirnov | None = None


@dataclass(frozen=True)
class Tie:
    """A name with different owners on the two sides; None means values of its own."""

    name: str
    a: str | None
    b: str | None


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison; `config` is empty unless both sides are runs."""

    a: Side
    b: Side
    pairs: list[Pair]
    ties: list[Tie]
    common_ties: int
    config: list[Change] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether names, shapes, dtypes, ties and bits are all the same."""
        return not self.ties and all(pair.result == IDENTICAL for pair in self.pairs)


def open_side(path: Path) -> Side:
    """Open a run or a snapshot. Raises EvidenceError if there is none or it is damaged."""
    if path.is_dir():
        run = RunFolder(path)
        if run.finished:
            return _open_run(run)
        if (path / INDEX).exists():
            return _open_file(path / INDEX)
        raise EvidenceError(
            f"{path}: a folder without manifest.json or {INDEX} is neither a finished run nor a snapshot "
            f"- {_file_in(path)}"
        )
    return _open_file(path)


def _file_in(folder: Path) -> str:
    """Return what to give instead of a folder: a file of weights in it, if there is one."""
    found = weights_in(folder)
    return f"give the file in it: {' or '.join(map(str, found[:MOST]))}" if found else WHAT


def open_sides(*paths: Path) -> list[Side]:
    """Open several runs or snapshots. Raises EvidenceError with a line for each that cannot be
    used.
    """
    sides, problems = [], []
    for path in paths:
        try:
            sides.append(open_side(path))
        except RunnerError as error:
            problems.append(str(error))
    if problems:
        raise EvidenceError("\n".join(dict.fromkeys(problems)))
    return sides


def _open_file(path: Path) -> Side:
    try:
        path.stat()
        found = open_file(path)
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such file or folder - {WHAT}") from None
    except (MXNetError, OSError, EOFError) as error:
        said = (
            str(error)
            if isinstance(error, FormatError)  # its message already names the file
            else f"{path}: {error} - {WHAT}"
        )
        raise EvidenceError(" ".join(said.splitlines())) from error
    aliases = None if path.suffix == formats.params.Params.suffix else found.aliases
    return Side(path, found.tensors, {}, aliases, None, found.unread)


def _open_run(run: RunFolder) -> Side:
    content, path = run.manifest, run.snapshot_path
    digests = content.digests.tensors
    if path is None:
        return Side(run.path, {}, digests, content.aliases, content)
    if not path.exists():
        raise EvidenceError(f"{path}: the snapshot is missing - run the config again")
    side = _open_file(path)
    if set(side.tensors) != set(digests) or side.aliases != content.aliases:
        raise EvidenceError(
            f"{path}: does not hold the parameters that the manifest names - run the config again"
        )
    return Side(run.path, side.tensors, {}, content.aliases, content)


def compare(a: Side, b: Side) -> Comparison:
    """Compare names, ties, shapes, dtypes, values and, of runs, configs."""
    ties, common = _ties(a, b)
    names = sorted((a.names | b.names) - common)
    config = _changes(a.manifest, b.manifest) if a.manifest and b.manifest else []
    return Comparison(a, b, [_pair(name, a, b) for name in names], ties, len(common), config)


def _ties(a: Side, b: Side) -> tuple[list[Tie], set[str]]:
    """Return the ties that differ, and the names tied to the same owner, which need no comparison."""
    if a.aliases is None or b.aliases is None:
        return [], set()
    both = sorted((a.aliases.keys() | b.aliases.keys()) & a.names & b.names)
    different = [
        Tie(name, a.aliases.get(name), b.aliases.get(name))
        for name in both
        if a.owner(name) != b.owner(name)
    ]
    return different, {name for name in both if a.owner(name) == b.owner(name)}


def _changes(a: Manifest, b: Manifest) -> list[Change]:
    """Return the settings that differ. A setting that is null says what one says that is not there."""
    found = changes(_settings(a), _settings(b))
    return [one for one in found if one.a is not None or one.b is not None]


def _settings(content: Manifest) -> dict[str, object]:
    """Return what a manifest records about the origin of the values, as a flat mapping."""
    return flatten(
        {
            **LATER,
            **{key: value for key, value in content.config.items() if key not in PRINTED},
            "stream": content.stream,
            "plugins": [asdict(plugin) for plugin in content.plugins],
            "versions": content.versions,
        }
    )


def _pair(name: str, a: Side, b: Side) -> Pair:
    if name not in b.names or name not in a.names:
        side, result = (a, ONLY_A) if name in a.names else (b, ONLY_B)
        shape, dtype = _shape(side.values(name)), _dtype(side.values(name))
        return Pair(
            name,
            result,
            (shape, None) if side is a else (None, shape),
            (dtype, None) if side is a else (None, dtype),
        )
    x, y = a.values(name), b.values(name)
    shapes, dtypes = (_shape(x), _shape(y)), (_dtype(x), _dtype(y))
    if x is None or y is None:
        return Pair(
            name, IDENTICAL if a.digest(name) == b.digest(name) else DIFFERS, shapes, dtypes
        )
    if x.shape != y.shape:
        return Pair(name, SHAPE, shapes, dtypes, ks=smirnov(x, y))
    found = distance(x, y)
    same = DTYPE if x.dtype != y.dtype else IDENTICAL if found.identical else DIFFERS
    return Pair(name, same, shapes, dtypes, found, found.ks)


def _shape(values: np.ndarray | None) -> tuple[int, ...] | None:
    return None if values is None else values.shape


def _dtype(values: np.ndarray | None) -> str | None:
    return None if values is None else values.dtype.name


def describe(found: Comparison) -> dict[str, object]:
    """Return the comparison as JSON types, in the format described in `docs/ci.md`."""
    return {
        "format": FORMAT,
        "identical": found.identical,
        "a": {
            "place": str(found.a.place),
            "kind": "snapshot" if found.a.manifest is None else "run",
        },
        "b": {
            "place": str(found.b.place),
            "kind": "snapshot" if found.b.manifest is None else "run",
        },
        "counts": counts(found),
        "tensors": [_describe_pair(pair) for pair in found.pairs],
        "ties": {"same": found.common_ties, "different": [asdict(tie) for tie in found.ties]},
        "config": [
            {"key": c.key, "a": c.a, "b": c.b, "a_has": c.a_has, "b_has": c.b_has}
            for c in found.config
        ],
    }


def counts(found: Comparison) -> dict[str, int]:
    """Return how many tensors have each result."""
    results = [pair.result for pair in found.pairs]
    return {
        result: results.count(result)
        for result in dict.fromkeys([IDENTICAL, *sorted(set(results))])
    }


def _describe_pair(pair: Pair) -> dict[str, object]:
    described: dict[str, object] = {
        "name": pair.name,
        "result": pair.result,
        "shape": pair.shapes,
        "dtype": pair.dtypes,
    }
    if pair.distance is not None:
        figures = asdict(pair.distance)
        del figures["ks"]
        described |= figures
    if pair.ks is not None:
        described["ks"] = {"least": pair.ks.least, "most": pair.ks.most, "method": pair.ks.method}
    return described
