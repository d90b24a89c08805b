"""Make finished runs again and hold every file of them against that (`initlab verify`).

    manifest    every field against what the config in it gives                  check/fields
    files       there, within the folder, as the manifest's digests say          check/contents
    values      drawn again, and the snapshot read again                         here
    figures     plan, statistics and probe made again                            check/figures
    diagnosis   made again, if this code made it                                 check/findings

Only the manifest's config is used, in this process, with the same `init_mode`, on the CPU. If a law
is exact to a tolerance only (Haar), the values are compared with the snapshot's and the law's
invariants are checked. A manifest that lists no files was written by an older version: its values
are verified, its other files are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine import digest, streams, strict_json
from initlab.runner.check.contents import changed_file, check_contents, listed, uncovered
from initlab.runner.check.fields import wrong_field
from initlab.runner.check.figures import wrong_figure, wrong_plan, wrong_table
from initlab.runner.check.findings import is_repeatable
from initlab.runner.check.recompute import Recomputed, compare_within
from initlab.runner.config import plugins
from initlab.runner.config.input_files import MAIN
from initlab.runner.errors import ConfigError, EvidenceError, LedgerError
from initlab.runner.evidence import snapshot
from initlab.runner.evidence.folder import MANIFEST, RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.shard import INDEX
from initlab.runner.evidence.snapshot import Saved
from initlab.runner.excerpt import counted, on_one_line
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
    brief: str = ""
    """What is said in a list of runs, if a line has no room for all."""

    @property
    def text(self) -> str:
        """The line to print."""
        return self._line(self.said)

    def fitting(self, width: int) -> str:
        """Return the line to print in a list of runs: the brief one, if the whole is too long."""
        return self._line(self.brief) if self.brief and len(self.text) > width else self.text

    def _line(self, said: str) -> str:
        return on_one_line(said if self.folder is None else f"{self.folder}: {said}")


def verify(folder: Path, figures: bool = True) -> Answer:
    """Verify one finished run; without `figures`, nothing is measured again."""
    try:
        run = RunFolder(folder)
        check_versions(run.manifest, folder)
        check_plugins(run.manifest, folder)
        config = config_of(run.manifest, folder, {"kind": "cpu", "index": 0})
        wrong = wrong_field(run.manifest, _read_again(run), config, folder)
        if wrong is not None:
            return Answer(1, wrong, folder)
        _check_snapshot(run, config)
        check_contents(run)
        return _compare(run, config, figures and run.manifest.written is not None)
    except (EvidenceError, ConfigError) as error:
        said = "; ".join(str(error).splitlines())
        return Answer(EvidenceError.exit_code, said, None if str(folder) in said else folder)
    except LedgerError as error:
        return Answer(LedgerError.exit_code, str(error), folder)


def _read_again(run: RunFolder) -> dict[str, Any]:
    """Return the manifest's content as it is in the file."""
    content: dict[str, Any] = strict_json.read(run.path / MANIFEST)
    return content


def check_versions(content: Manifest, folder: Path) -> None:
    """Raise EvidenceError unless this version draws the stream of the run."""
    if content.stream not in streams.VERSIONS:
        raise EvidenceError(
            f"{folder}: the run was drawn from stream {content.stream}, this version draws "
            f"{', '.join(streams.VERSIONS)} - verify it with the "
            f"version that made it ({content.versions.get('initlab', 'unknown')})"
        )


def check_plugins(content: Manifest, folder: Path) -> None:
    """Raise EvidenceError unless the plugins that a run used are loaded, with the same bytes."""
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


def config_of(content: Manifest, folder: Path, device: dict[str, JSON] | None = None) -> RunConfig:
    """Check the run's config again, on a device, or on its own: it may not change a bit.

    Raises EvidenceError if it cannot be run or does not fit the manifest.
    """
    plain = dict(content.config)
    if device is not None:
        plain["device"] = device
    try:
        config = revalidate(plain, complete=content.written is not None)
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
    known = {
        place
        for place in mapping(config.canonical.get("files"))
        if place in (MAIN, "data") or content.files.keys() - {MAIN, "data"}
    }  # older versions recorded no others
    if content.written is not None and known != content.files.keys():
        said = "the manifest is damaged, its canonical config lacks an input file"
        raise EvidenceError(f"{folder}: {said}")
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


def _compare(run: RunFolder, config: RunConfig, figures: bool) -> Answer:
    """Compare files, values, and with `figures` what was measured; return the answer."""
    folder, saved = run.path, run.snapshot
    wrong = changed_file(run, values=False) or (wrong_plan(run, config) if figures else None)
    if wrong is not None:
        return Answer(1, wrong, folder)
    again = Recomputed(replace(config, diagnose=is_repeatable(run)), figures)
    recorded = run.manifest.digests.tensors
    within: dict[str, float] = {}
    for row in config.rows:
        wrong = _compare_saved(row, recorded[row.path], again, saved)
        if wrong is not None:
            return Answer(1, wrong, folder)
        if row.law.exactness == "bits":
            if again.digest(row.path) != recorded[row.path]:
                far = _how_far(again, saved, row)
                return Answer(1, f"parameter '{row.path}': recomputed values differ{far}", folder)
            continue
        if saved is None:
            said = (
                f"parameter '{row.path}' is unverifiable: its law {row.law} is exact to a tolerance "
                "only and there is no snapshot"
            )
            return Answer(EvidenceError.exit_code, said, folder)
        kept = saved.tensors[row.path]
        wrong, within[row.path] = compare_within(
            row.path, again.values(row), kept, row.law.invariants(kept)
        )
        if wrong is not None:
            return Answer(1, wrong, folder)
    wrong = _wrong_whole(run, config) or changed_file(run, values=True)
    wrong = wrong or (wrong_figure(run, again) or wrong_table(run) if figures else None)
    brief = f"verified, root {run.manifest.digests.root[:16]}" if wrong is None else ""
    said = wrong or _covered(run, figures, within)
    return Answer(0 if wrong is None else 1, said, folder, brief)


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


def _wrong_whole(run: RunFolder, config: RunConfig) -> str | None:
    """Return how aliases, names or the root digest differ, after every parameter agreed, or None."""
    content, saved = run.manifest, run.snapshot
    recorded, aliases = content.digests, config.aliases
    for where, found in (
        ("manifest", content.aliases),
        ("snapshot", aliases if saved is None else saved.aliases),
    ):
        if found != aliases:
            path = sorted(set(found.items()) ^ set(aliases.items()))[0][0]
            return f"the {where}'s aliases differ, first at '{path}'"
    if saved is not None and set(saved.tensors) != set(recorded.tensors):
        extra = sorted(set(saved.tensors) - set(recorded.tensors))
        return f"the snapshot holds '{extra[0]}', which is no parameter of the run"
    tensors = {path: bytes.fromhex(value) for path, value in recorded.tensors.items()}
    root = digest.root_digest(tensors, aliases).hex()
    if root != recorded.root:
        return f"the root digest is {root[:16]}…, the manifest says {recorded.root[:16]}…"
    if saved is not None and content.snapshot != INDEX and saved.metadata.get("root-v1") != root:
        said = str(saved.metadata.get("root-v1"))[:16]
        return f"the snapshot says its root digest is {said}…, it is {root[:16]}…"
    return None


def _covered(run: RunFolder, figures: bool, within: Mapping[str, float]) -> str:
    """Return the line about a verified run: what was covered, and what was not."""
    content = run.manifest
    parts = ["values"] if content.snapshot is None else ["values", "snapshot"]
    if figures:
        parts.append("figures")
    if content.written is not None:
        parts.append(counted(len(content.written), "file"))
    covered = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    notes = ["no snapshot was kept"] if content.snapshot is None else []
    if content.written is None:
        notes.append("its manifest is of an older version and lists no files: less is covered")
    elif not figures:
        notes.append("figures as written, not measured again")
    elif run.diagnosis is not None and not is_repeatable(run):
        notes.append("its diagnosis as written, since other code made it")
    aside = f" ({'; '.join(notes)})" if notes else ""
    count = counted(len(content.digests.tensors), "parameter")
    line = f"verified, {covered}{aside}: {count}, root {content.digests.root[:16]}"
    return line + _distances(within) + _aside(run)


def _distances(within: Mapping[str, float]) -> str:
    """Return how far the tensors are that are exact to a tolerance only."""
    if not within:
        return ""
    path, far = max(within.items(), key=lambda item: item[1])
    if len(within) == 1:
        return f"; '{path}' within {far:.2g} (max abs)"
    return f"; {len(within)} of them within {far:.2g} (max abs), '{path}' the farthest"


def _aside(run: RunFolder) -> str:
    others = uncovered(run)
    return f"; not covered: {listed(others)}" if others else ""
