"""Damage to the files of runs and sweeps: mutations, and every reader that meets them.

`python tests/damaged.py 100000` (with the checkout on PYTHONPATH) tries that many mutations of each
kind of file; `tests/runner/evidence/test_damaged.py` tries as many as fit a minute.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib.util
import io
import itertools
import json
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from foreign_files import FOLDER
from matplotlib.figure import Figure

import initlab
from initlab.runner.check.compare import compare, open_sides
from initlab.runner.check.join import join
from initlab.runner.check.seal import compare as compare_seal
from initlab.runner.check.verify import verify
from initlab.runner.cli import run_command
from initlab.runner.errors import RunnerError
from initlab.runner.evidence import members, status
from initlab.runner.evidence.summary import write_summary
from initlab.runner.evidence.written import of_file
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report

DEEP: Any = []
for _ in range(150):
    DEEP = [DEEP]
VALUES = [
    *(None, True, 0, 3, -1, 1.5, -0.5, 1e308, 1e-320, 10**18, 10**400),
    *(
        "",
        "x",
        "nan",
        "inf",
        "-inf",
        "0",
        "../x",
        "a$b",
        "$\\x$",
        "\x00",
        "ü\u2028",
        "normal",
        "1/2",
    ),
    *([], {}, ["x"], [1], [[1]], [0, 0, 0], {"x": 1}, {"kind": "x"}, {"kind": "normal"}, DEEP),
]
TEXTS = ["", "[" * 3000, "\x00", "nul", "NaN", '{"a": 1, "a": 2}', "\ufeff", "3", '"x"', "[]", "{}"]
SMALL = [
    "init=normal",
    "model.input=[3]",
    "model.layers=[{kind: dense, units: 4, activation: relu}, {kind: dense, units: 2}]",
    "report=none",
]


def mutated(content: Any, rng: random.Random) -> bytes:
    """A document with one to three things wrong."""
    if rng.random() < 0.05:
        return rng.choice(TEXTS).encode()
    content = copy.deepcopy(content)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        content = _changed(content, rng)
    data = json.dumps(content).encode()
    kind = rng.random()
    if kind < 0.05:
        at = rng.randrange(len(data) + 1)
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    return data[: rng.randrange(len(data) + 1)] if kind < 0.08 else data


def _changed(content: Any, rng: random.Random) -> Any:
    places = [(content, key) for key in _keys(content)]
    inner = list(places)
    while inner:
        parent, key = inner.pop()
        found = [(parent[key], deeper) for deeper in _keys(parent[key])]
        places += found
        inner += found
    if not places:
        return copy.deepcopy(rng.choice(VALUES))
    parent, key = rng.choice(places)
    kind = rng.random()
    if kind < 0.2:
        del parent[key]
    elif kind < 0.3:
        other, at = rng.choice(places)
        with contextlib.suppress(KeyError, IndexError):
            parent[key] = copy.deepcopy(other[at])
    elif kind < 0.35 and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    else:
        parent[key] = copy.deepcopy(rng.choice(VALUES))
    return content


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


@dataclass(frozen=True)
class Victim:
    """A file, and what reads it. `mutate` gives its new bytes."""

    name: str
    path: Path
    mutate: Callable[[random.Random], bytes]
    readers: list[Callable[[], object]]


def _json_victim(name: str, path: Path, *readers: Callable[[], object]) -> Victim:
    content = json.loads(path.read_text())
    return Victim(name, path, lambda rng: mutated(content, rng), list(readers))


def _journal(path: Path) -> Callable[[random.Random], bytes]:
    lines = [json.loads(line.partition(" ")[2]) for line in path.read_text().splitlines()]

    def mutate(rng: random.Random) -> bytes:
        at = rng.randrange(1 if rng.random() < 0.9 else 0, len(lines))
        texts = [json.dumps(line).encode() for line in lines]
        texts[at] = mutated(lines[at], rng).replace(b"\n", b" ")
        return b"".join(f"{zlib.crc32(t):08x} ".encode() + t + b"\n" for t in texts)

    return mutate


def _bytes(path: Path) -> Callable[[random.Random], bytes]:
    whole = path.read_bytes()

    def mutate(rng: random.Random) -> bytes:
        at = rng.randrange(min(len(whole), 2000))
        return (
            whole[:at]
            + bytes(rng.randrange(256) for _ in range(rng.choice([1, 2, 8])))
            + (whole[at + 1 :] if rng.random() < 0.8 else b"")
        )

    return mutate


def command(*words: str) -> str:
    """The output of a command line that must succeed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run_command(list(words)) == 0, words
    return out.getvalue()


def _folder(*words: str) -> Path:
    return Path(command(*SMALL, *words).splitlines()[-1].split()[0]).absolute()


def _load(folder: Path) -> object:
    run = initlab.load(folder)
    runs = initlab.runs(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        shown = repr(runs), runs._repr_html_(), len(runs.where("figures.loss < 9"))
    return repr(run), run.figures, [run[path] for path in run], shown


def _forged(folder: Path, name: str) -> None:
    """Verify a run whose manifest says of a file what it is now; one line is said."""
    manifest = folder / "manifest.json"
    before = manifest.read_text()
    content = json.loads(before)
    content["written"][name] = of_file(folder / name).to_json()
    manifest.write_text(json.dumps(content))
    try:
        answer = verify(folder)
    finally:
        manifest.write_text(before)
    if len(answer.text.splitlines()) != 1 or len(answer.text) > 2000:
        raise AssertionError(answer.text)


def _resumed(words: list[str]) -> object:
    return refusing(run_command, [*SMALL, *words, "resume=true"])


def refusing(call: Callable[..., int], *given: Any) -> int:
    """Run a command; a refusal of more than a line is a failure."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = call(*given)
    lines = err.getvalue().split("\n")[:-1]
    if code not in (0, 1, 2) or (code == 2 and not all(x.startswith("error: ") for x in lines)):
        raise AssertionError(f"exit {code}: {err.getvalue()}")
    return code


def victims(place: Path) -> Iterator[Victim]:
    """Every kind of file of ours, made in a folder, with its readers."""
    os.chdir(place)
    one = _folder("probe=backward", "measure=spectrum", "+stats.histogram.kind=histogram")
    other = _folder("seed=2")
    seal = Path(command("seal", str(one)).strip())
    by_hand = [
        lambda: verify(one, figures=False),
        lambda: write_run_report(one),
        lambda: _load(one),
        lambda: compare(*open_sides(one, other)),
    ]
    for name in ("manifest.json", "stats.json", "plan.json"):
        yield _json_victim(name, one / name, *by_hand)
    hydras = [f".hydra/{name}.yaml" for name in ("config", "overrides", "hydra")]
    for name in ("plan.json", "stats.json", *hydras):
        content = yaml.safe_load((one / name).read_text())  # JSON is YAML
        mutate = functools.partial(mutated, content)
        yield Victim(f"forged {name}", one / name, mutate, [functools.partial(_forged, one, name)])
    yield _json_victim("seal", seal, lambda: compare_seal(one, seal))
    yield Victim(
        "snapshot",
        one / "snapshot.safetensors",
        _bytes(one / "snapshot.safetensors"),
        [lambda: verify(one, figures=False), lambda: _load(one), by_hand[3], by_hand[1]],
    )
    yield from _foreign_victims(place)
    yield from _sweep_victims(place)
    parts = [_folder("init_mode=streamed", "probe=none", f"shard={n}/2") for n in (1, 2)]
    for name in ("manifest.json", "stats.json"):
        yield _json_victim(f"join {name}", parts[1] / name, lambda: join(parts))
    whole = Path(command("join", *map(str, parts)).split()[-1]).absolute()
    index = whole / "model.safetensors.index.json"
    yield _json_victim(
        "index", index, lambda: verify(whole), lambda: compare(*open_sides(whole, one))
    )
    yield _journal_victim()
    command("lock", *SMALL[:3], "seed=1,2", "-o", "x.lock")
    lock = Path("x.lock").absolute()
    yield _json_victim("lock", lock, lambda: refusing(run_command, ["verify", "--lock", str(lock)]))


def _foreign_victims(place: Path) -> Iterator[Victim]:
    """Files of other libraries, changed anywhere."""
    for name in ("state.pth", "old_state.pth", "views.bin", "whole.pt", "model.onnx", "keras.h5"):
        if name.endswith(".h5") and importlib.util.find_spec("h5py") is None:
            continue
        path = place / name
        whole = (FOLDER / name).read_bytes()
        path.write_bytes(whole)
        read = functools.partial(_read_all, path)
        yield Victim(name, path, functools.partial(_anywhere, whole), [read])


def _anywhere(whole: bytes, rng: random.Random) -> bytes:
    changed = bytearray(whole)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at, size = rng.randrange(len(changed)), rng.choice([1, 1, 2, 8, 40])
        new = rng.randbytes(size) if rng.random() < 0.7 else whole[at // 2 : at // 2 + size]
        changed[at : at + rng.choice([0, size, size])] = new
    return bytes(changed[: rng.randrange(1, len(changed))] if rng.random() < 0.05 else changed)


def _read_all(path: Path) -> object:
    side = open_sides(path)[0]
    with np.errstate(all="ignore"):
        return [array.astype(np.float64).sum() for array in side.tensors.values()]


def _sweep_victims(place: Path) -> Iterator[Victim]:
    command("-m", *SMALL, "name=swept", "probe=forward", "seed=1,2")
    folder = place / "outputs" / "swept"
    first = next(
        path for path in folder.iterdir() if path.is_dir() and (path / "status.json").exists()
    )
    readers = [lambda: write_sweep_report(folder), lambda: write_sweep_report(folder, over=True)]
    summary = lambda: write_summary(folder, members.read_members(folder))  # noqa: E731
    yield _json_victim("sweep.json", folder / "sweep.json", *readers, summary)
    yield _json_victim(
        "status.json", first / "status.json", *readers, summary, lambda: status.conclude(first)
    )
    yield _json_victim("swept manifest.json", first / "manifest.json", *readers, summary)
    yield _json_victim("swept stats.json", first / "stats.json", *readers, summary)
    claims = {
        "format": "initlab-claims-1",
        "alpha": 0.01,
        "claims": [{"id": "x", "relation": "at_most", "predicted": 1.0, "measured": 2.0, "z": 1.0}],
    }
    (folder / "claims.json").write_text(json.dumps(claims))
    yield _json_victim("claims.json", folder / "claims.json", *readers[:1])


def _journal_victim() -> Victim:
    words = ["init_mode=streamed", "probe=none", "name=journal"]
    folder = _folder(*words)
    found = json.loads((folder / "stats.json").read_text())["parameters"]
    digests = json.loads((folder / "manifest.json").read_text())["digests"]["tensors"]
    rows = [{"path": r["path"], "digest": digests[r["path"]], "row": r} for r in found]
    content = json.dumps({"format": "initlab-journal-1"})  # the identity is of the run itself
    from initlab.runner.evidence import journal
    from initlab.runner.run import streamed

    seen: list[Any] = []
    original, streamed.Journal = (
        journal.Journal,
        lambda path, identity, kept=(): (  # type: ignore
            seen.append(identity) or original(path, identity, kept)
        ),
    )
    try:
        command(*SMALL, *words)
    finally:
        streamed.Journal = original  # type: ignore[misc]
    lines = [{"format": "initlab-journal-1", **seen[0]}, *rows]
    texts = [json.dumps(line).encode() for line in lines]
    path = folder / "snapshot.journal"
    path.write_bytes(b"".join(f"{zlib.crc32(t):08x} ".encode() + t + b"\n" for t in texts))
    del content
    whole = _journal(path)

    def again() -> object:
        (folder / "manifest.json").unlink(missing_ok=True)
        return _resumed(words)

    return Victim("journal", path, whole, [again])


def attack(victim: Victim, rng: random.Random, count: int, seconds: float) -> tuple[int, list[str]]:
    """Mutate a file up to `count` times; return how often, and what was neither read nor refused in
    one line.
    """
    failures: dict[str, str] = {}
    before = victim.path.read_bytes()
    until = time.monotonic() + seconds
    done = 0
    while done < count and time.monotonic() < until:
        done += 1
        data = victim.mutate(rng)
        for reader in victim.readers:
            victim.path.write_bytes(data)
            try:
                reader()
            except RunnerError as error:
                if len(str(error).splitlines()) == 1 and error.exit_code == 2:
                    continue
                failures.setdefault(str(error), f"{victim.name}: {error!r}")
            except Exception as error:
                trace = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{type(error).__name__} {Path(trace.filename).name}:{trace.lineno}"
                text = "".join(traceback.format_exception(error)[-6:])
                failures.setdefault(where, f"{victim.name}: {data[:3000]!r}\n{text}")
    victim.path.write_bytes(before)
    return done, list(failures.values())


@contextlib.contextmanager
def few_pictures() -> Iterator[None]:
    """Charts are made, but only each 20th is rendered, which takes most of the time."""
    savefig, calls = Figure.savefig, itertools.count()

    def save(figure: Figure, target: Any, **given: Any) -> None:
        if next(calls) % 20 == 0 or not isinstance(target, io.StringIO):
            savefig(figure, target, **given)
        else:
            target.write('<svg viewBox="0 0 1 1"></svg>')

    Figure.savefig = save  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Figure.savefig = savefig  # type: ignore[method-assign]


def main(count: int, seconds: float = 1e9, seed: int = 0) -> list[str]:
    """Attack every kind of file; print and return the failures."""
    failures = []
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, few_pictures(), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            for victim in victims(Path(folder).resolve()):
                rng = random.Random(f"{seed} {victim.name}")
                done, found = attack(victim, rng, count, seconds)
                print(f"{victim.name}: {done} times, {len(found)} kinds of failure", flush=True)
                for text in found:
                    print(text, flush=True)
                failures += found
        finally:
            os.chdir(here)
    return failures


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), float((sys.argv[2:] or ["1e9"])[0]))))
