"""Join the finished parts of a sharded run into one run folder (`initlab join`).

Each file is read and compared with the digests of its part, then linked, or copied if it is on
another disk. The root digest is that of the whole run, and `initlab verify` accepts the folder like
any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from initlab.engine import digest
from initlab.runner.config import plugins
from initlab.runner.config.identity import canonical_config, run_folder, run_id
from initlab.runner.config.label import label_of
from initlab.runner.errors import ConfigError, EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Digests, Manifest, used_versions
from initlab.runner.evidence.provenance import Provenance, now, utc_text
from initlab.runner.evidence.shard import Shard, parse
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.files import locked, storage_errors
from initlab.runner.json_values import JSON
from initlab.runner.plan.shards import paths_of
from initlab.runner.plan.validate import RunConfig, revalidate


@dataclass(frozen=True)
class Part:
    """A finished part of a run."""

    shard: Shard
    run: RunFolder

    @property
    def manifest(self) -> Manifest:
        """The manifest of the part."""
        return self.run.manifest


def join(folders: list[Path]) -> Path:
    """Join parts and return the folder of the whole run.

    Raises EvidenceError unless they are all parts of one run, each once and unchanged, and
    StorageError if the folder cannot be written.
    """
    parts = sorted((_part(folder) for folder in folders), key=lambda part: part.shard.index)
    _check_complete(parts)
    config = _whole_config(parts)
    folder = run_folder(config.name, run_id(config.canonical, _label(config, parts)))
    with storage_errors(folder, config.plan.totals()["bytes"]):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            whole = RunFolder(folder)
            whole.begin()
            whole.remove_snapshots()
            for part in parts:
                _take(part, whole)
            index = whole.write_index(paths_of(config.plan, len(parts)), config.plan.totals())
            whole.write_plan(config.plan.describe())
            whole.write_stats(_statistics(config, parts))
            whole.write_manifest(_manifest(config, parts, index))
    return folder


def _part(folder: Path) -> Part:
    run = RunFolder(folder)
    text = run.config.get("shard")
    try:
        shard = parse(text)
    except ValueError:
        raise EvidenceError(
            f"{folder}: is no part of a sharded run, its shard is {text!r} - give the folders of runs with "
            "shard=i/n"
        ) from None
    if run.manifest.snapshot is None:
        raise EvidenceError(
            f"{folder}: part {shard} kept no snapshot - run it with snapshot=safetensors"
        )
    return Part(shard, run)


def _check_complete(parts: list[Part]) -> None:
    """Raise EvidenceError unless there is each part of one run, exactly once."""
    first = parts[0]
    for part in parts[1:]:
        if part.shard.count != first.shard.count:
            said = (
                f"is part {part.shard}, but {first.run.path} is part {first.shard}: they are cut into "
                "different numbers of parts"
            )
            raise EvidenceError(f"{part.run.path}: {said}")
        if _without_shard(part) != _without_shard(first):
            raise EvidenceError(
                f"{part.run.path}: is part of another run than {first.run.path}: their configs differ"
            )
    by_index: dict[int, Part] = {}
    for part in parts:
        other = by_index.setdefault(part.shard.index, part)
        if other is not part:
            raise EvidenceError(
                f"{part.run.path}: is part {part.shard}, and so is {other.run.path} - give each part once"
            )
    missing = [str(n) for n in range(1, first.shard.count + 1) if n not in by_index]
    if missing:
        raise EvidenceError(
            f"{len(parts)} of {first.shard.count} parts are there, missing: {', '.join(missing)} - run "
            "them with shard=i/n"
        )


def _without_shard(part: Part) -> dict[str, JSON]:
    return {key: value for key, value in part.manifest.canonical.items() if key != "shard"}


def _whole_config(parts: list[Part]) -> RunConfig:
    try:
        return revalidate({**parts[0].run.config, "shard": None})
    except ConfigError as error:
        raise EvidenceError(
            f"{parts[0].run.path}: the manifest's config cannot be run: {error}"
        ) from error


def _take(part: Part, whole: RunFolder) -> None:
    """Check a part's file against its manifest, and link it into the folder of the whole run."""
    source = part.run.path / str(part.manifest.snapshot)
    if source.name != part.shard.file_name or not part.run.is_whole():
        raise EvidenceError(
            f"{source}: is missing, or not what its manifest says - run part {part.shard} again"
        )
    whole.link(source)


def _statistics(config: RunConfig, parts: list[Part]) -> Statistics:
    rows = {row["path"]: row for part in parts for row in part.run.stats.parameters}
    missing = [row.path for row in config.plan.owners if row.path not in rows]
    if missing:
        raise EvidenceError(
            f"the parts' stats.json lack '{missing[0]}' - run the part that holds it again"
        )
    return Statistics([rows[row.path] for row in config.plan.owners])


def _manifest(config: RunConfig, parts: list[Part], index: str) -> Manifest:
    contents = [part.manifest for part in parts]
    first = contents[0]
    tensors = {
        path: value for content in contents for path, value in content.digests.tensors.items()
    }
    root = digest.root_digest(
        {path: bytes.fromhex(value) for path, value in tensors.items()}, config.plan.aliases
    ).hex()
    given = [plugins.Plugin(entry.file, entry.sha256) for entry in first.plugins]
    canonical = canonical_config(config.resolved, config.stream, given, first.files)
    return Manifest(
        run_id=run_id(canonical, _label(config, parts)),
        name=config.name,
        config=config.resolved,
        canonical=canonical,
        overrides=_words(first),
        choices=first.choices,
        seed=config.seed,
        stream=config.stream,
        digests=Digests(dict(sorted(tensors.items())), root),
        aliases=config.plan.aliases,
        exactness={path: value for one in contents for path, value in one.exactness.items()},
        snapshot=index,
        ledger={
            key: sum(one.ledger.get(key, 0) for one in contents) for key in ("filled", "parameters")
        },
        joined=[one.run_id for one in contents],
        totals=config.plan.totals(),
        plugins=first.plugins,
        versions=used_versions(),
        provenance=_provenance(contents),
        seconds=round(sum(one.seconds for one in contents), 3),
        peak_memory_bytes=max(one.peak_memory_bytes for one in contents),
    )


def _provenance(parts: list[Manifest]) -> Provenance | None:
    """Return that of the first part, from when the first part was begun until now; None if a part
    has none.
    """
    known = [part.provenance for part in parts if part.provenance is not None]
    if len(known) < len(parts):
        return None
    begun = min(one.begun for one in known)
    return replace(known[0], begun=begun, ended=utc_text(now()))


def _words(part: Manifest) -> list[str]:
    """Return the words of the whole run."""
    return [word for word in part.overrides if not _is_shard(word)]


def _label(config: RunConfig, parts: list[Part]) -> str | None:
    """Return the label of the whole run, from the options and words of its first part."""
    first = parts[0].manifest
    if first.choices is None:
        return None
    return label_of(config.resolved, first.choices, _words(first))


def _is_shard(word: str) -> bool:
    return word.lstrip("+").partition("=")[0] == "shard"
