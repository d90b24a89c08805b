"""Run ids, like `gpt2-he_out-seed0-046dba22b31ff360`: a label for people, the seed, and the first 16 hex
digits of the SHA-256 of the canonical config. The digits say which run it is, the rest may differ.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from initlab.runner.evidence.folder import MANIFEST

RUN_ID = re.compile(r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*-(?P<digest>[0-9a-f]{16})")


def digest_in(run_id: str) -> str | None:
    """Return the digits of the config in a run id; None if the text is none."""
    found = RUN_ID.fullmatch(run_id)
    return None if found is None else found["digest"]


def same_run(a: str, b: str) -> bool:
    """Return whether two ids are of one run, whatever their labels."""
    return a == b or (digest_in(a) is not None and digest_in(a) == digest_in(b))


def folders_in(parent: Path) -> dict[str, str]:
    """Return {digits: name} of the folders in a folder that are named by run ids. Of several with the
    same digits, a finished one is taken, and of those the first by name.
    """
    found: dict[str, str] = {}
    try:
        with os.scandir(parent) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return {}
    for name in names:
        digest = digest_in(name)
        if digest is None:
            continue
        other = found.setdefault(digest, name)
        if other != name and not _finished(parent / other) and _finished(parent / name):
            found[digest] = name
    return found


def folder_in(parent: Path, run_id: str, known: Mapping[str, str] | None = None) -> Path:
    """Return the folder of a run below another one: the one that has its digits, if there is one, else
    the one that is named by its id. `known` is what `folders_in` says, if it was asked before.
    """
    if known is None and _finished(parent / run_id):
        return parent / run_id
    found = folders_in(parent) if known is None else known
    return parent / found.get(digest_in(run_id) or "", run_id)


def _finished(folder: Path) -> bool:
    return (folder / MANIFEST).exists()
