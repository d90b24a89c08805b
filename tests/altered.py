"""Runs whose evidence was altered, and what `initlab verify` answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from initlab.engine import digest, formats
from initlab.runner.cli import run_command
from initlab.runner.evidence.written import of_file


def answer(folder: Path, capsys, *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run_command(["verify", str(folder), *words])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def change_manifest(folder: Path, change) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def change(folder: Path, name: str, alter) -> None:
    """Alter a file of JSON."""
    path = folder / name
    content = json.loads(path.read_text())
    alter(content)
    path.write_text(json.dumps(content))


def forge(folder: Path, name: str, alter) -> None:
    """Alter a file of JSON, and what the manifest says of it."""
    change(folder, name, alter)
    entry = of_file(folder / name).to_json()
    change_manifest(folder, lambda m: m["written"].update({name: entry}))


def forge_text(folder: Path, name: str, alter) -> None:
    """Alter a file of text, and what the manifest says of it."""
    path = folder / name
    path.write_text(alter(path.read_text()))
    entry = of_file(path).to_json()
    change_manifest(folder, lambda m: m["written"].update({name: entry}))


def change_snapshot(folder: Path, change) -> None:
    path = folder / "snapshot.safetensors"
    snapshot = formats.get(path).read(path)
    change(snapshot)
    formats.get(path).write(path, snapshot)


def places(value: object, above: tuple = ()) -> list[tuple]:
    """The place of every part of a JSON value."""
    parts = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [place for key, part in parts for place in [(*above, key), *places(part, (*above, key))]]


class Bent:
    """What was drawn again, with one element of '1.weight' moved."""

    def __init__(self, again, by: float = 1e-7) -> None:
        self._again, self._by = again, by

    def values(self, row):
        values = self._again.values(row).copy()
        if row.path == "1.weight":
            values.flat[3] += np.float32(self._by)
        return values

    def digest(self, path):
        values = self._again._values[path].copy()
        if path == "1.weight":
            values.flat[3] += np.float32(self._by)
        return digest.tensor_digest(values).hex()
