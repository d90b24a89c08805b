"""The manifest: written last, so that a folder that has one holds a finished run.

format       "initlab-manifest-1"
run_id, name, config (resolved), canonical, overrides
stream       the version of the streams the values came from
digests      tensor-v1 by path, root-v1
aliases      path -> owner
exactness    path -> "bits" or "tolerance", for those that are not exact to the bit
snapshot     file name or null
ledger, totals, plugins, versions, platform, seconds, peak_memory_bytes, finished
"""

from __future__ import annotations

import json
import platform
import re
import resource
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from initlab.engine.formats.base import sync_folder
from initlab.runner.errors import EvidenceError
from initlab.runner.files import write_json

NAME = "manifest.json"
FORMAT = "initlab-manifest-1"
PACKAGES = ("initlab", "numpy", "hydra-core", "omegaconf", "safetensors", "ml_dtypes")
REQUIRED: dict[str, type | tuple[type, ...]] = {
    "run_id": str,
    "config": dict,
    "canonical": dict,
    "stream": str,
    "digests": dict,
    "aliases": dict,
    "snapshot": (str, type(None)),
    "plugins": list,
    "versions": dict,
}
"""What a manifest must hold to be evidence, and as what."""


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that matter, those that are installed; looked up
    once.
    """
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = package_version(package)
        except PackageNotFoundError:
            continue
    return found


def peak_memory_bytes() -> int:
    """The largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def remove(folder: Path) -> None:
    """Take away an old manifest, durably, before anything else in its folder is touched."""
    path = folder / NAME
    if path.exists():
        path.unlink()
        sync_folder(folder)


def write(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest: from here on the run is finished."""
    write_json(folder / NAME, {"format": FORMAT, **content})


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a finished run; EvidenceError where there is none or it cannot be used."""
    path = folder / NAME
    if not folder.is_dir():
        raise EvidenceError(
            f"{folder}: no such folder - give the folder of a finished run, outputs/<name>/<run id>"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EvidenceError(
            f"{path}: no manifest, so the run did not finish - run its config again"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise EvidenceError(
            f"{path}: the manifest is damaged ({error}) - run its config again"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise EvidenceError(f"{path}: this is no manifest of format {FORMAT}, found {found!r}")
    missing = [key for key in REQUIRED if key not in content]
    if missing:
        raise EvidenceError(
            f"{path}: the manifest is damaged, it lacks {', '.join(missing)} - run its config again"
        )
    wrong = [
        key for key, kind in REQUIRED.items() if not isinstance(content[key], kind)
    ] or _wrong_parts(content)
    if wrong:
        raise EvidenceError(
            f"{path}: the manifest is damaged, its {wrong[0]} is not as written - run its config again"
        )
    return content


def _wrong_parts(content: dict[str, Any]) -> list[str]:
    """The required entries whose parts are not what this module writes."""
    digests, files = content["digests"], content["canonical"].get("files", {})
    tensors = digests.get("tensors")
    sound = {
        "digests": isinstance(tensors, dict)
        and all(map(_is_digest, tensors.values()))
        and _is_digest(digests.get("root")),
        "aliases": _all_text(content["aliases"]),
        "canonical": isinstance(files, dict) and _all_text(files),
        "plugins": all(
            isinstance(p, dict) and isinstance(p.get("file"), str) and _is_digest(p.get("sha256"))
            for p in content["plugins"]
        ),
    }
    return [key for key, good in sound.items() if not good]


def _all_text(mapping: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in mapping.values())


def _is_digest(value: Any) -> bool:
    """Whether `value` is 32 bytes in hex."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
