"""Recompute every value of finished runs and read their snapshots again (`initlab verify`).

Only the manifest's config is used, in this process, with the same `init_mode`, on the CPU. If a law
is exact to a tolerance only (Haar), the values are compared with the snapshot's and the law's
invariants are checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from initlab.engine import digest, streams
from initlab.runner.check.recompute import Recomputed, compare_within
from initlab.runner.config import plugins
from initlab.runner.config.identity import canonical_config, run_id
from initlab.runner.errors import ConfigError, EvidenceError, LedgerError
from initlab.runner.evidence import snapshot
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.shard import INDEX
from initlab.runner.evidence.snapshot import Saved
from initlab.runner.json_values import JSON, mapping
from initlab.runner.plan.row import Row
from initlab.runner.plan.validate import RunConfig, revalidate


@dataclass(frozen=True)
class Answer:
    """The result for one run: exit code, what is said, and the folder that it is said of, unless
    that names it itself.
    """

    code: int
    said: str
    folder: Path | None = None

    @property
    def text(self) -> str:
        """The line to print."""
        return self.said if self.folder is None else f"{self.folder}: {self.said}"


def verify(folder: Path) -> Answer:
    """Verify one finished run."""
    try:
        run = RunFolder(folder)
        _check_versions(run.manifest, folder)
        _check_plugins(run.manifest, folder)
        config = _config(run.manifest, folder)
        _check_snapshot(run, config)
        return _compare(run, config)
    except (EvidenceError, ConfigError) as error:
        return Answer(EvidenceError.exit_code, "; ".join(str(error).splitlines()))
    except LedgerError as error:
        return Answer(LedgerError.exit_code, str(error), folder)


def _check_versions(content: Manifest, folder: Path) -> None:
    if content.stream not in streams.VERSIONS:
        raise EvidenceError(
            f"{folder}: the run was drawn from stream {content.stream}, this version draws "
            f"{', '.join(streams.VERSIONS)} - verify it with the "
            f"version that made it ({content.versions.get('initlab', 'unknown')})"
        )


def _check_plugins(content: Manifest, folder: Path) -> None:
    loaded = {plugin.file: plugin.sha256 for plugin in plugins.loaded()}
    for entry in content.plugins:
        if entry.file not in loaded:
            raise EvidenceError(
                f"{folder}: the run used the plugin {entry.file} - give it with --plugin {entry.file}"
            )
        if loaded[entry.file] != entry.sha256:
            raise EvidenceError(
                f"{folder}: the run used another version of the plugin {entry.file}: SHA-256 "
                f"{entry.sha256[:16]}…, this one has {loaded[entry.file][:16]}…"
            )


def _config(content: Manifest, folder: Path) -> RunConfig:
    """Check the run's config again, on the CPU: the device may not change a bit.

    Raises EvidenceError if it cannot be run or does not fit the manifest.
    """
    plain = dict(content.config)
    plain["device"] = {"kind": "cpu", "index": 0}
    try:
        config = revalidate(plain)
    except ConfigError as error:
        raise EvidenceError(f"{folder}: the manifest's config cannot be run: {error}") from error
    if config.stream != content.stream:
        said = (
            f"the manifest is damaged, its stream is {content.stream}, its config's {config.stream}"
        )
        raise EvidenceError(f"{folder}: {said}")
    for option, recorded in content.files.items():
        found = str(mapping(config.canonical.get("files")).get(option, "none"))
        if found != recorded:
            raise EvidenceError(
                f"{folder}: the file of {option} has changed since the run: SHA-256 {recorded[:16]}…, now "
                f"{found[:16]}… - restore it"
            )
    if set(content.digests.tensors) != {row.path for row in config.rows}:
        raise EvidenceError(
            f"{folder}: the manifest is damaged, its digests are not those of its config's parameters"
        )
    return config


def _check_snapshot(run: RunFolder, config: RunConfig) -> None:
    """Raise EvidenceError unless the manifest's snapshot is the one that its config declares."""
    name = None if run.snapshot_path is None else run.snapshot_path.name
    expected = (
        None if config.snapshot is None else snapshot.file_name(config.snapshot, config.shard)
    )
    if (
        name == INDEX
        and expected is not None
        and config.init_mode == "streamed"
        and config.shard is None
    ):
        expected = INDEX  # the snapshot of a run joined from parts is an index
    if name != expected:
        raise EvidenceError(
            f"{run.path}: the manifest is damaged, its snapshot is {name!r}, its config's {expected!r}"
        )


def _compare(run: RunFolder, config: RunConfig) -> Answer:
    folder, saved = run.path, run.snapshot
    again = Recomputed(config)
    recorded = run.manifest.digests.tensors
    notes: list[str] = []
    for row in config.rows:
        wrong = _compare_saved(row, recorded[row.path], again, saved)
        if wrong is not None:
            return Answer(1, wrong, folder)
        if row.law.exactness == "bits":
            if again.digest(row.path) != recorded[row.path]:
                return Answer(
                    1,
                    f"parameter '{row.path}': recomputed values "
                    f"differ{_how_far(again, saved, row)}",
                    folder,
                )
            continue
        if saved is None:
            return Answer(
                EvidenceError.exit_code,
                f"parameter '{row.path}' is unverifiable: its law {row.law} is exact to a tolerance "
                "only and there is no snapshot",
                folder,
            )
        kept = saved.tensors[row.path]
        wrong, distance = compare_within(
            row.path, again.values(row), kept, row.law.invariants(kept)
        )
        if wrong is not None:
            return Answer(1, wrong, folder)
        notes.append(f"'{row.path}' within {distance:.2g} (max abs)")
    return _compare_whole(run, config, notes)


def _canonical(content: Manifest) -> dict[str, JSON]:
    """Return the canonical config of the manifest's config, plugins and input files."""
    given = [plugins.Plugin(entry.file, entry.sha256) for entry in content.plugins]
    return canonical_config(content.config, content.stream, given, content.files)


def _compare_saved(row: Row, recorded: str, again: Recomputed, saved: Saved | None) -> str | None:
    """Return how a parameter in the snapshot disagrees with the manifest, or None."""
    if saved is None:
        return None
    path = row.path
    if path not in saved.tensors:
        return f"parameter '{path}' is missing from the snapshot"
    found = saved.tensors[path]
    if found.shape != row.shape or found.dtype.name != row.dtype:
        return (
            f"parameter '{path}': the snapshot has {found.dtype} {found.shape}, declared {row.dtype} "
            f"{row.shape}"
        )
    if saved.digest(path) != recorded:
        return (
            f"parameter '{path}': the snapshot's values differ from the manifest's "
            f"digest{_how_far(again, saved, row)}"
        )
    return None


def _how_far(again: Recomputed, saved: Saved | None, row: Row) -> str:
    """Return how recomputed and saved values differ.

    For example ` in 3 of 5120 elements, by 0.012 at most, first at [0, 7]`.
    """
    if saved is None or row.path not in saved.tensors:
        return ""
    values, found = again.values(row), saved.tensors[row.path]
    bits = f"u{values.dtype.itemsize}"
    differs = np.ascontiguousarray(values).view(bits) != np.ascontiguousarray(found).view(bits)
    count = int(differs.sum())
    if count == 0:
        return ""
    first = [int(i) for i in np.argwhere(differs)[0]]
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(values.astype(np.float64) - found.astype(np.float64))[differs].max()
    return f" in {count} of {values.size} elements, by {distance:.3g} at most, first at {first}"


def _compare_whole(run: RunFolder, config: RunConfig, notes: list[str]) -> Answer:
    """Compare aliases, root digest and run id, after every parameter agreed."""
    folder, content, saved = run.path, run.manifest, run.snapshot
    recorded, aliases = content.digests, config.aliases
    for where, found in (
        ("manifest", content.aliases),
        ("snapshot", aliases if saved is None else saved.aliases),
    ):
        if found != aliases:
            path = sorted(set(found.items()) ^ set(aliases.items()))[0][0]
            return Answer(1, f"the {where}'s aliases differ, first at '{path}'", folder)
    if saved is not None and set(saved.tensors) != set(recorded.tensors):
        extra = sorted(set(saved.tensors) - set(recorded.tensors))
        return Answer(
            1, f"the snapshot holds '{extra[0]}', which is no parameter of the run", folder
        )
    tensors = {path: bytes.fromhex(value) for path, value in recorded.tensors.items()}
    root = digest.root_digest(tensors, aliases).hex()
    if root != recorded.root:
        return Answer(
            1, f"the root digest is {root[:16]}…, the manifest says {recorded.root[:16]}…", folder
        )
    if saved is not None and content.snapshot != INDEX and saved.metadata.get("root-v1") != root:
        return Answer(
            1,
            f"the snapshot says its root digest is {str(saved.metadata.get('root-v1'))[:16]}…, "
            f"it is {root[:16]}…",
            folder,
        )
    canonical = _canonical(content)
    if content.canonical != canonical or content.run_id != run_id(canonical):
        return Answer(
            1,
            f"the manifest's run id is {content.run_id}, its config's is {run_id(canonical)}",
            folder,
        )
    kept = "values only (no snapshot was kept)" if saved is None else "values and snapshot"
    return Answer(
        0,
        f"verified, {kept}: {len(tensors)} parameters, root {root[:16]}"
        + "".join(f"; {n}" for n in notes),
        folder,
    )
