"""`initlab join RUN_DIR …`: put the finished parts of a sharded run together into the run
they are parts of.

    0   the whole run's folder has all parts, the index, and a manifest; `runner.check.verify` takes it as any other
    2   a part is missing, given twice, unfinished, changed, or of another run

Each file is read again and compared with its part's digests; then it is linked (copied to another
disk). The root digest is that of the whole, as a run without shards gives it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initlab.engine import digest
from initlab.runner.config import plugins
from initlab.runner.config.identity import canonical_config, run_folder, run_id
from initlab.runner.errors import ConfigError, EvidenceError
from initlab.runner.evidence import manifest, snapshot
from initlab.runner.files import locked, storage_errors, write_json, write_text
from initlab.runner.plan.shards import INDEX, Shard, index_text, parse
from initlab.runner.plan.validate import RunConfig, revalidate
from initlab.runner.run import stages


@dataclass(frozen=True)
class Part:
    """A finished part of a run."""

    folder: Path
    shard: Shard
    content: dict[str, Any]


def join(folders: list[Path]) -> Path:
    """Put parts together; gives the whole run's folder. EvidenceError where they are not all parts
    of one run, each once and unchanged; StorageError for a folder that cannot be written."""
    parts = sorted((_part(folder) for folder in folders), key=lambda part: part.shard.index)
    _check_complete(parts)
    config = _whole_config(parts)
    folder = run_folder(config.name, config.run_id)
    with storage_errors(folder, config.plan.totals()["bytes"]):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            manifest.remove(folder)
            stages.remove_snapshots(folder)
            for part in parts:
                _take(part, folder)
            write_text(folder / INDEX, index_text(config.plan, len(parts)))
            write_json(folder / "plan.json", config.plan.describe())
            _write_figures(config, folder, parts)
            manifest.write(folder, _manifest(config, parts))
    return folder


def _part(folder: Path) -> Part:
    content = manifest.read(folder)
    text = content["config"].get("shard")
    try:
        shard = parse(text)
    except ValueError:
        raise EvidenceError(
            f"{folder}: is no part of a sharded run, its shard is {text!r} - give the folders of runs with "
            "shard=i/n"
        ) from None
    if content["snapshot"] is None:
        raise EvidenceError(
            f"{folder}: part {shard} kept no snapshot - run it with snapshot=safetensors"
        )
    return Part(folder, shard, content)


def _check_complete(parts: list[Part]) -> None:
    """EvidenceError unless there is each part of one run, once."""
    first = parts[0]
    for part in parts[1:]:
        if part.shard.count != first.shard.count:
            said = (
                f"is part {part.shard}, but {first.folder} is part {first.shard}: they are cut into "
                "different numbers of parts"
            )
            raise EvidenceError(f"{part.folder}: {said}")
        if _without_shard(part) != _without_shard(first):
            raise EvidenceError(
                f"{part.folder}: is part of another run than {first.folder}: their configs differ"
            )
    by_index: dict[int, Part] = {}
    for part in parts:
        other = by_index.setdefault(part.shard.index, part)
        if other is not part:
            raise EvidenceError(
                f"{part.folder}: is part {part.shard}, and so is {other.folder} - give each part once"
            )
    missing = [str(n) for n in range(1, first.shard.count + 1) if n not in by_index]
    if missing:
        raise EvidenceError(
            f"{len(parts)} of {first.shard.count} parts are there, missing: {', '.join(missing)} - run "
            "them with shard=i/n"
        )


def _without_shard(part: Part) -> dict[str, Any]:
    return {key: value for key, value in part.content["canonical"].items() if key != "shard"}


def _whole_config(parts: list[Part]) -> RunConfig:
    try:
        return revalidate({**parts[0].content["config"], "shard": None})
    except ConfigError as error:
        raise EvidenceError(
            f"{parts[0].folder}: the manifest's config cannot be run: {error}"
        ) from error


def _take(part: Part, folder: Path) -> None:
    """Link a part's file into the whole's folder once it has proved to be what its manifest says."""
    name = str(part.content["snapshot"])
    source, target = part.folder / name, folder / name
    if name != part.shard.file_name or not snapshot.is_as_written(
        source, part.content["digests"]["tensors"], part.content["aliases"]
    ):
        raise EvidenceError(
            f"{source}: is missing, or not what its manifest says - run part {part.shard} again"
        )
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write_figures(config: RunConfig, folder: Path, parts: list[Part]) -> None:
    rows = {row["path"]: row for part in parts for row in stages.read_figures(part.folder)}
    missing = [row.path for row in config.plan.owners if row.path not in rows]
    if missing:
        raise EvidenceError(
            f"the parts' stats.json lack '{missing[0]}' - run the part that holds it again"
        )
    stages.write_figures(folder, [rows[row.path] for row in config.plan.owners])


def _manifest(config: RunConfig, parts: list[Part]) -> dict[str, Any]:
    contents = [part.content for part in parts]
    tensors = {
        path: value for content in contents for path, value in content["digests"]["tensors"].items()
    }
    root = digest.root_digest(
        {path: bytes.fromhex(value) for path, value in tensors.items()}, config.plan.aliases
    ).hex()
    given = [plugins.Plugin(entry["file"], entry["sha256"]) for entry in contents[0]["plugins"]]
    canonical = canonical_config(
        config.resolved, config.stream, given, contents[0]["canonical"].get("files", {})
    )
    return {
        "run_id": run_id(canonical),
        "name": config.name,
        "config": config.resolved,
        "canonical": canonical,
        "overrides": [word for word in contents[0].get("overrides", []) if "shard=" not in word],
        "seed": config.seed,
        "stream": config.stream,
        "digests": {
            "definition": "tensor-v1, root-v1",
            "tensors": dict(sorted(tensors.items())),
            "root": root,
        },
        "aliases": config.plan.aliases,
        "exactness": {
            path: value for content in contents for path, value in content["exactness"].items()
        },
        "snapshot": INDEX,
        "ledger": {
            key: sum(content["ledger"][key] for content in contents)
            for key in ("filled", "parameters")
        },
        "shard": None,
        "joined": [part.content["run_id"] for part in parts],
        "totals": config.plan.totals(),
        "plugins": contents[0]["plugins"],
        "versions": manifest.versions(),
        "seconds": round(sum(content["seconds"] for content in contents), 3),
        "peak_memory_bytes": max(content["peak_memory_bytes"] for content in contents),
    }
