"""`initlab.lock`: the digests that every run of some words must give, as text for review.

    {
    "format": "initlab-lock-1",
    "words": ["sweep=initializers"],          the command line words that declare the runs
    "plugins": {"my_init.py": "SHA-256"},
    "base": {"data.batch": 2, …},             the canonical config of the first run, one dotted key per line
    "laws": {"<law id>": "Normal(0, 0.01)"},  every law that is drawn from, one per line
    "runs": [
    {"overrides": […], "run_id": …, …}        one run per line, sorted by overrides, numbers by value
    ]
    }

The line of a run:

    overrides   the words of this run alone, by which the run is found
    run_id      its prefix and the SHA-256 of its canonical config
    config      what differs from `base`; `without`: keys of `base` that it lacks
    root        root-v1 over the tensors that are exact to the bit, and the ties
    ties        path -> owner, if there are any
    bits        path -> law id and first 16 digits of the tensor-v1 digest, if the law is exact to the bit
    tolerance   path -> law id and fingerprint (`fingerprint`), if the law is exact to a tolerance

It contains no date, machine, folder or library version, so the same declarations give the same
text. It is JSON and contains no code.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from initlab.engine import strict_json
from initlab.engine.formats.base import replacing
from initlab.runner.check.fingerprint import Fingerprint
from initlab.runner.config.plugins import Plugin
from initlab.runner.errors import EvidenceError
from initlab.runner.flat import value_text
from initlab.runner.json_values import JSON

FORMAT = "initlab-lock-1"
NAME = "initlab.lock"
LAWS = "initlab-laws-1"
"""The format of a lock of laws, which another room reads and writes."""
SHORT = 16
"""Hex digits of a tensor's digest."""
LAW = 8
"""Hex digits of a law's id."""
RESTORE = "restore it from version control, or write it again with initlab lock"


@dataclass(frozen=True)
class LockedTensor:
    """A parameter in a lock: the id of its law, and its digest or its fingerprint."""

    law: str
    bits: str | None
    tolerance: Fingerprint | None


@dataclass(frozen=True)
class LockedRun:
    """A run in a lock. `config` is the whole canonical config as a flat mapping."""

    overrides: list[str]
    run_id: str
    config: dict[str, object]
    root: str
    ties: dict[str, str]
    tensors: dict[str, LockedTensor]

    @property
    def key(self) -> tuple[str, ...]:
        """The key by which the run is found: its overrides."""
        return tuple(self.overrides)


@dataclass(frozen=True)
class Lock:
    """The content of a lock file; `laws` maps law ids to texts."""

    words: list[str]
    plugins: list[Plugin]
    laws: dict[str, str]
    runs: list[LockedRun]


def law_id(description: Mapping[str, JSON]) -> str:
    """Return the id of a law: a digest of its description."""
    text = json.dumps(
        description, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    )
    return hashlib.sha256(text.encode()).hexdigest()[:LAW]


def natural_key(words: list[str]) -> list[list[tuple[int, int, str]]]:
    """Return a sort key that puts `seed=2` before `seed=10`."""
    parts = (re.split(r"([0-9]+)", word) for word in words)
    return [
        [
            (0, int(part), part) if part.isdecimal() and part.isascii() else (1, 0, part)
            for part in word
        ]
        for word in parts
    ]


@dataclass
class Draft:
    """A lock being written. The lines of runs wait in a temporary file, so memory does not grow."""

    words: list[str]
    plugins: list[Plugin]
    lines: BinaryIO
    base: dict[str, object] | None = None
    laws: dict[str, str] = field(default_factory=dict)
    places: list[tuple[list[str], int, int]] = field(default_factory=list)

    def add(self, run: LockedRun, laws: dict[str, str]) -> None:
        """Add a run and the texts of its laws."""
        self.base = run.config if self.base is None else self.base
        self.laws |= laws
        data = _line(run, self.base).encode("utf-8")
        self.places.append((run.overrides, self.lines.tell(), len(data)))
        self.lines.write(data)

    def write(self, path: Path) -> bool:
        """Write the lock atomically; return whether it was written.

        A file with exactly this content is left untouched.
        """
        with tempfile.TemporaryFile() as text:
            self._dump(text)
            text.seek(0)
            if path.is_file() and _same(path, text):
                return False
            text.seek(0)
            with replacing(path) as file:
                shutil.copyfileobj(text, file)
        return True

    def _dump(self, file: BinaryIO) -> None:
        head = {
            "format": FORMAT,
            "words": self.words,
            "plugins": {plugin.file: plugin.sha256 for plugin in self.plugins},
        }
        lines = [f"{_json(key)}: {_json(value)}," for key, value in head.items()]
        for key, mapping in (("base", self.base or {}), ("laws", self.laws)):
            inside = ",\n".join(
                f"{_json(name)}: {_json(mapping[name])}" for name in sorted(mapping)
            )
            lines.append(f"{_json(key)}: {{\n{inside}\n}},")
        file.write(("{\n" + "\n".join(lines) + '\n"runs": [\n').encode("utf-8"))
        for number, (_, start, size) in enumerate(
            sorted(self.places, key=lambda place: natural_key(place[0]))
        ):
            self.lines.seek(start)
            file.write((b",\n" if number else b"") + self.lines.read(size))
        file.write(b"\n]\n}\n")


@contextmanager
def drafting(words: list[str], plugins: list[Plugin]) -> Iterator[Draft]:
    """Open a draft of the lock of these words."""
    with tempfile.TemporaryFile() as lines:
        yield Draft(words, plugins, lines)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _same(path: Path, text: Any) -> bool:
    with open(path, "rb") as file:
        while True:
            ours, theirs = text.read(1 << 20), file.read(1 << 20)
            if ours != theirs:
                return False
            if not ours:
                return True


def _line(run: LockedRun, base: dict[str, Any]) -> str:
    """Return the line of one run."""
    own = {
        k: v
        for k, v in sorted(run.config.items())
        if k not in base or value_text(base[k]) != value_text(v)
    }
    described: dict[str, object] = {
        "overrides": run.overrides,
        "run_id": run.run_id,
        "root": run.root,
        "config": own,
    }
    without = sorted(base.keys() - run.config.keys())
    described |= {"without": without} if without else {}
    described |= {"ties": dict(sorted(run.ties.items()))} if run.ties else {}
    tensors = sorted(run.tensors.items())
    described["bits"] = {
        path: f"{tensor.law} {tensor.bits}" for path, tensor in tensors if tensor.tolerance is None
    }
    loose = {
        path: {"law": tensor.law, **tensor.tolerance.describe()}
        for path, tensor in tensors
        if tensor.tolerance is not None
    }
    return _json(described | ({"tolerance": loose} if loose else {}))


def read(path: Path) -> Lock:
    """Read a lock file.

    Raises EvidenceError, in one line, if it is missing, damaged or of another format.
    """
    try:
        content = strict_json.read(path)
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such lock file - write one with initlab lock") from None
    except (OSError, ValueError) as error:
        raise EvidenceError(
            f"{path}: the lock is damaged ({' '.join(str(error).split())}) - {RESTORE}"
        ) from error
    found = content.get("format") if isinstance(content, dict) else type(content).__name__
    if found != FORMAT:
        raise EvidenceError(
            f"{path}: this is no lock of format {FORMAT}, found {found!r} - write it again with "
            "initlab lock"
        )
    try:
        return _lock(content)
    except _Damage as error:
        raise EvidenceError(f"{path}: the lock is damaged ({error}) - {RESTORE}") from None


class _Damage(Exception):
    """Raised if a lock has something that we do not write."""


def _must(good: bool, said: str) -> None:
    if not good:
        raise _Damage(said)


def _entries(
    content: Mapping[str, object],
    place: str,
    kinds: Mapping[str, type],
    optional: tuple[str, ...] = (),
) -> None:
    """Raise _Damage unless a mapping has exactly these entries, of these types."""
    for name, kind in kinds.items():
        _must(name in content or name in optional, f"{place} lacks '{name}'")
        _must(
            name not in content or isinstance(content[name], kind),
            f"'{name}' of {place} is not as written",
        )
    odd = sorted(content.keys() - kinds.keys())
    _must(not odd, f"{place} has '{odd[0] if odd else ''}', which no lock has")


def _texts(values: Any, test: Callable[[str], bool] = lambda text: True) -> bool:
    return all(isinstance(value, str) and test(value) for value in values)


def _hex(size: int) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(f"[0-9a-f]{{{size}}}", text) is not None


def _lock(content: dict[str, Any]) -> Lock:
    _entries(
        content,
        "the file",
        {"format": str, "words": list, "plugins": dict, "base": dict, "laws": dict, "runs": list},
    )
    _must(_texts(content["words"]), "'words' is not as written")
    _must(_texts(content["plugins"].values(), _hex(64)), "'plugins' is not as written")
    _must(
        _texts(content["laws"], _hex(LAW)) and _texts(content["laws"].values()),
        "'laws' is not as written",
    )
    runs: dict[tuple[str, ...], LockedRun] = {}
    for number, line in enumerate(content["runs"]):
        run = _run(line, f"run {number + 1}", content["base"], content["laws"])
        _must(run.key not in runs, f"it has the run {' '.join(run.overrides)} twice")
        runs[run.key] = run
    _must(bool(runs), "it holds no run")
    return Lock(
        content["words"],
        [Plugin(*item) for item in sorted(content["plugins"].items())],
        content["laws"],
        list(runs.values()),
    )


RUN = {
    "overrides": list,
    "run_id": str,
    "root": str,
    "config": dict,
    "without": list,
    "ties": dict,
    "bits": dict,
    "tolerance": dict,
}


def _run(line: Any, place: str, base: dict[str, Any], laws: dict[str, str]) -> LockedRun:
    _must(isinstance(line, dict), f"{place} is not as written")
    _entries(line, place, RUN, optional=("without", "ties", "tolerance"))
    _must(_texts(line["overrides"]), f"'overrides' of {place} is not as written")
    _must(_hex(64)(line["root"]), f"'root' of {place} is not as written")
    without, ties = line.get("without", []), line.get("ties", {})
    _must(_texts(without, base.__contains__), f"'without' of {place} is not as written")
    config = {key: value for key, value in base.items() if key not in without} | line["config"]
    _must(isinstance(config.get("stream"), str), f"{place} has no stream")
    tensors = {
        path: _exact(entry, f"'{path}' of {place}", laws) for path, entry in line["bits"].items()
    }
    for path, entry in line.get("tolerance", {}).items():
        _must(path not in tensors, f"{place} has '{path}' twice")
        tensors[path] = _loose(entry, f"'{path}' of {place}", laws)
    _must(_texts(ties.values(), tensors.__contains__), f"'ties' of {place} is not as written")
    return LockedRun(line["overrides"], line["run_id"], config, line["root"], ties, tensors)


def _exact(entry: Any, place: str, laws: dict[str, str]) -> LockedTensor:
    law, _, bits = entry.partition(" ") if isinstance(entry, str) else ("", "", "")
    _must(law in laws and _hex(SHORT)(bits), f"{place} is not as written")
    return LockedTensor(law, bits, None)


def _loose(entry: Any, place: str, laws: dict[str, str]) -> LockedTensor:
    proper = isinstance(entry, dict) and set(entry) == {
        "law",
        "dtype",
        "largest",
        "signs",
        "elements",
    }
    proper = proper and _texts([entry["law"], entry["dtype"]]) and entry["law"] in laws
    proper = proper and isinstance(entry["signs"], list) and isinstance(entry["elements"], list)
    _must(
        proper
        and all(type(n) is float for n in [entry["largest"], *entry["signs"], *entry["elements"]]),
        f"{place} is not as written",
    )
    return LockedTensor(
        entry["law"],
        None,
        Fingerprint(**{name: value for name, value in entry.items() if name != "law"}),
    )


def is_of_laws(path: Path) -> bool:
    """Return whether a file says near its beginning that it is a lock of laws."""
    try:
        with open(path, "rb") as file:
            return f'"{LAWS}"'.encode() in file.read(200)
    except OSError:
        return False
