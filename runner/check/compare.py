"""`initlab compare A B`: compare two runs or two snapshot files, tensor by tensor.

    0   identical: the same names, shapes, dtypes and ties, and every tensor the same to the bit
    1   different
    2   one of them is missing, damaged, or neither a run nor a snapshot

A and B are run folders, or snapshot files: safetensors, npz, MXNet's .params, the index of a
sharded snapshot (or its folder). For runs, differences of configs, streams and versions are
reported too; they alone do not make two runs different. A run without a snapshot is compared by the
digests in its manifest. Ties are not compared with a .params file, which cannot hold any.

Safetensors files are mapped and read in blocks: memory stays within about 100 MB, not counting the
system's file cache. npz and .params files are read whole, because their checks need that. The
figures are defined in `runner.check.distance`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from initlab.engine import digest, formats
from initlab.engine.errors import FormatError, MXNetError
from initlab.runner.check.distance import Distance, Smirnov, distance, smirnov
from initlab.runner.errors import EvidenceError, RunnerError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.shard import INDEX
from initlab.runner.evidence.snapshot import open_file
from initlab.runner.evidence.statistics import shape_text
from initlab.runner.excerpt import counted
from initlab.runner.flat import Change, changes, flatten
from initlab.runner.listing import Listing
from initlab.runner.terminal.folding import number

FORMAT = "initlab-comparison-1"
WHAT = (
    "give a run folder (outputs/<name>/<run id>) or a snapshot file (.safetensors, .npz, .params, "
    ".index.json)"
)
COLUMNS = (
    ("tensor", "left"),
    ("shape", "right"),
    ("result", "left"),
    ("differing", "right"),
    ("max abs", "right"),
    ("rel L2", "right"),
    ("correlation", "right"),
    ("KS", "right"),
    ("not finite A / B", "right"),
)
RESULT = 2
"""The index of the coloured column."""
ALWAYS = 3
"""The first columns, which are always shown; the others are shown if they hold something."""
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
            f"- {WHAT}"
        )
    return _open_file(path)


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
    return Side(path, found.tensors, {}, aliases, None)


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
    config = (
        changes(_settings(a.manifest), _settings(b.manifest)) if a.manifest and b.manifest else []
    )
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


def _settings(content: Manifest | None) -> dict[str, object]:
    """Return what a manifest records about the origin of the values, as a flat mapping."""
    if content is None:
        return {}
    return flatten(
        {
            **content.config,
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
        "counts": _counts(found),
        "tensors": [_describe_pair(pair) for pair in found.pairs],
        "ties": {"same": found.common_ties, "different": [asdict(tie) for tie in found.ties]},
        "config": [
            {"key": c.key, "a": c.a, "b": c.b, "a_has": c.a_has, "b_has": c.b_has}
            for c in found.config
        ],
    }


def _counts(found: Comparison) -> dict[str, int]:
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


def print_comparison(out: Console, found: Comparison) -> None:
    """Print tables of tensors and of different ties and settings, and one line with the result."""
    for name, side in (("A", found.a), ("B", found.b)):
        out.print(f"{name}  {side.place}  ({side.describe()})", markup=False, soft_wrap=True)
    out.print()
    rows = [_cells(pair) for pair in found.pairs]
    used = [at for at in range(len(COLUMNS)) if at < ALWAYS or any(cells[at] for cells in rows)]
    table = Listing(*(COLUMNS[at] for at in used))
    for cells in rows:
        styled = [
            Text(cells[at], "green" if cells[at] == IDENTICAL else "bold red")
            if at == RESULT
            else cells[at]
            for at in used
        ]
        table.add_row(*styled)
    table.print(out)
    without = [
        name
        for name, side in (("A", found.a), ("B", found.b))
        if side.manifest and not side.tensors
    ]
    if without:
        out.print(
            f"\n{' and '.join(without)} kept no snapshot: compared by digest, which is of dtype, shape and "
            "values together"
        )
    methods = {pair.ks.method for pair in found.pairs if pair.ks is not None and not pair.ks.exact}
    if methods:
        out.print(
            f"\nKS of large tensors: {methods.pop()} of both sides, from least to most possible; "
            "otherwise exact"
        )
    if any(pair.result in (SHAPE, DTYPE) for pair in found.pairs):
        out.print(
            "\nof tensors of other shapes only the distributions are compared (KS); other dtypes are "
            "compared in float64"
        )
    if found.ties:
        ties = Listing(("tie", "left"), ("A", "left"), ("B", "left"))
        for tie in found.ties:
            ties.add_row(
                tie.name,
                *(f"= {owner}" if owner else "values of its own" for owner in (tie.a, tie.b)),
            )
        out.print()
        ties.print(out)
    if found.config:
        settings = Listing(("setting", "left"), ("A", "left"), ("B", "left"))
        for change in found.config:
            settings.add_row(change.key, *change.texts())
        out.print()
        settings.print(out)
    out.print(f"\n{_conclusion(found)}")


def _cells(pair: Pair) -> list[str]:
    shapes = [shape_text(shape) for shape in dict.fromkeys(pair.shapes) if shape is not None]
    dtypes = [dtype for dtype in dict.fromkeys(pair.dtypes) if dtype is not None]
    if len(dtypes) > 1:
        shapes.append(" / ".join(dtypes))
    cells = [pair.name, (" / " if pair.result == SHAPE else " ").join(shapes) or "-", pair.result]
    found = pair.distance
    if pair.result == IDENTICAL:
        return [*cells, "", "", "", "", "", _not_finite(found)]
    if found is None:
        return [*cells, "", "", "", "", _ks_text(pair.ks), ""]
    figures = [number(value, 3) for value in (found.max_abs, found.relative_l2)]
    share = f"{found.differing} of {found.elements}"
    return [
        *cells,
        share,
        *figures,
        _correlation_text(found.correlation),
        _ks_text(found.ks),
        _not_finite(found),
    ]


def _correlation_text(value: float | None) -> str:
    """Format a correlation to 4 digits; it is printed as 1 only if float64 can hardly tell it from
    1.
    """
    if value is None:
        return "-"
    text = f"{value:.4f}"
    return f"1 - {1 - value:.1g}" if text == "1.0000" and value < 1 - 1e-12 else text


def _ks_text(ks: Smirnov | None) -> str:
    if ks is None:
        return ""
    return f"{ks.least:.4f}" if ks.exact else f"{ks.least:.4f} … {ks.most:.4f}"


def _not_finite(found: Distance | None) -> str:
    """Return `2 NaN, 1 inf / 0`, or nothing if all values are finite."""
    if found is None or not any((*found.nan, *found.infinite)):
        return ""
    sides = (
        [f"{n} NaN"] * bool(n) + [f"{i} inf"] * bool(i)
        for n, i in zip(found.nan, found.infinite, strict=True)
    )
    return " / ".join(", ".join(side) or "0" for side in sides)


def _conclusion(found: Comparison) -> str:
    counts = _counts(found)
    ties = [f"{found.common_ties} tied alike"] if found.common_ties else []
    unknown = [side for side in (found.a, found.b) if side.aliases is None]
    ties += [f"ties not compared ({unknown[0].place.name} cannot hold any)"] if unknown else []
    if found.identical:
        return ", ".join([f"identical: {counted(counts[IDENTICAL], 'tensor')}", *ties])
    said = [
        f"{number} {result}" for result, number in counts.items() if number or result == IDENTICAL
    ]
    said += [f"{len(found.ties)} tied otherwise"] if found.ties else []
    return "different: " + ", ".join(said + ties)
