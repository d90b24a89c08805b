"""A lock of laws: for each pattern of parameters and buffers of a module the law, the function that
wrote it last, and the number of writes; and the ties. Text for review:

    {
    "format": "initlab-laws-1",
    "model": "GPT",
    "tensors": {
    "h.*.fc.weight": [{"tensors": 12, "law": "Normal(0, 0.02)", "writer": "gpt.py initialize", "writes": 2}],
    …
    },
    "ties": {"lm_head.weight": "wte.weight"}
    }

It holds laws and no values, functions and no lines, no folder and no version, so that another seed, or
another release of a library that does the same, gives the same text. The law is that of the last
write's own arguments. What no write tells is judged by the values: exactly where no chance is in
them, else by the kind of law alone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from initlab.engine import strict_json
from initlab.engine.formats.base import replacing
from initlab.runner.audit.infer import infer
from initlab.runner.check.lockfile import LAWS
from initlab.runner.errors import Contradicted, EvidenceError
from initlab.runner.torch.watch.record.arrays import array
from initlab.runner.torch.watch.record.found import Examined, Held, law_of, writer_of
from initlab.runner.torch.watch.record.models import held_by
from initlab.runner.torch.watch.record.rebuilding import built
from initlab.runner.torch.watch.record.recording import Recording
from initlab.runner.torch.watch.report import pattern
from initlab.runner.torch.watch.watching import Watch, watch

AGAIN = "write it again, or restore it from version control"


@dataclass(frozen=True)
class Locked:
    """Tensors of one pattern with one law: how many, the law, who wrote them last, how often."""

    tensors: int
    law: str
    writer: str
    writes: int

    def __str__(self) -> str:
        by = f", by {self.writer}" if self.writer else ""
        return f"{self.law} ({self.tensors} x {self.writes} writes{by})"


@dataclass(frozen=True)
class Laws:
    """The lock of a model: {pattern: its laws}, and {name: the name it shares memory with}."""

    model: str
    tensors: Mapping[str, tuple[Locked, ...]]
    ties: Mapping[str, str]
    words: tuple[str, ...] = ()
    """The words of the command line that declare the model, if any do."""
    plugins: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of the file."""
        lines = [
            f"{_json(name)}: {_json([asdict(one) for one in each])}"
            for name, each in self.tensors.items()
        ]
        ties = [f"{_json(name)}: {_json(owner)}" for name, owner in self.ties.items()]
        head = {"words": list(self.words), "plugins": list(self.plugins)} if self.words else {}
        said = "".join(f"{_json(key)}: {_json(value)},\n" for key, value in head.items())
        return (
            f'{{\n"format": {_json(LAWS)},\n{said}"model": {_json(self.model)},\n"tensors": {{\n'
            + ",\n".join(lines)
            + '\n},\n"ties": {'
            + ("\n" + ",\n".join(ties) + "\n" if ties else "")
            + "}\n}\n"
        )

    def save(self, path: str | Path) -> None:
        """Write the file, atomically."""
        with replacing(Path(path)) as file:
            file.write(self.text.encode("utf-8"))

    def check(self, path: str | Path) -> None:
        """Hold the model against the lock in a file. Raises Contradicted with a line for each
        difference, and EvidenceError if the file cannot be read.
        """
        found = differences(read_laws(path), self)
        if found:
            raise Contradicted("\n".join([f"{path}: {self.model} is not as it is locked", *found]))


def lock(model: Any, watch: Watch | None = None) -> Laws:
    """Return the lock of a model. `watch` is the one in which it was built; without it the laws are those
    of the values, by their kind, and no writer is known.
    """
    if watch is not None:
        return _laws(watch.examined(model))
    recording = Recording()
    return _laws(Examined(model, recording, held_by(model, recording)))


def lock_of(build: Callable[[], Any]) -> Laws:
    """Build a model in a watch, from a fixed seed, and return its lock. Raises ConfigError if it cannot
    be built, or is no module.
    """
    with watch() as w:
        model = built(build, "for its lock")
    return lock(model, w)


def _laws(given: Examined) -> Laws:
    groups: dict[str, Counter[tuple[str, str, int]]] = defaultdict(Counter)
    for one in given.own:
        groups[pattern(one.name)][_law(one), writer_of(one), len(one.history.writes)] += 1
    tensors = {
        name: tuple(Locked(count, *key) for key, count in sorted(each.items()))
        for name, each in sorted(groups.items())
    }
    ties = {one.name: one.tied_to for one in given.held if one.tied_to is not None}
    return Laws(type(given.model).__name__, tensors, ties)


def _law(held: Held) -> str:
    content, said = held.history.content, law_of(held)
    if content is not None and (content.law is not None or content.random):
        return said
    values = array(held.tensor)
    if values is None or (held.history.made_unset and not held.history.writes):
        return said
    found = infer(values)
    if content is None and held.history.writes:
        return f"{said}: {found.kind}"
    if content is None:
        return "by its values: " + ("too few to tell" if found.others else found.kind)
    return f"{found}{''.join(f', {one}' for one in found.remarks)}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_laws(path: str | Path) -> Laws:
    """Read a lock of laws. Raises EvidenceError, in one line, for a file that is none."""
    try:
        content = strict_json.read(path)
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise EvidenceError(f"{path}: {error} - {AGAIN}") from None
    if not isinstance(content, dict) or content.get("format") != LAWS:
        raise EvidenceError(f'{path}: is no lock of laws ("format": "{LAWS}") - {AGAIN}')
    try:
        return _parsed(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(f"{path}: the lock is damaged: {error!r} - {AGAIN}") from None


def _parsed(content: Mapping[str, Any]) -> Laws:
    tensors = {
        name: tuple(
            Locked(int(one["tensors"]), str(one["law"]), str(one["writer"]), int(one["writes"]))
            for one in each
        )
        for name, each in content["tensors"].items()
    }
    ties = {str(name): str(owner) for name, owner in content["ties"].items()}
    words, plugins = (content.get(key, []) for key in ("words", "plugins"))
    return Laws(
        str(content["model"]), tensors, ties, tuple(map(str, words)), tuple(map(str, plugins))
    )


def differences(before: Laws, now: Laws) -> list[str]:
    """Return what is different, a line each; [] if nothing is."""
    lines = [] if before.model == now.model else [f"model: was {before.model}, is {now.model}"]
    for name in sorted(before.tensors.keys() | now.tensors.keys()):
        old, new = before.tensors.get(name), now.tensors.get(name)
        if old is None and new is not None:
            lines += [f"{name}: is new: {one}" for one in new]
        elif new is None and old is not None:
            lines += [f"{name}: is gone: {one}" for one in old]
        elif old is not None and new is not None and old != new:
            lines += [f"{name}: {said}" for said in _changes(old, new)]
    for name in sorted(before.ties.keys() | now.ties.keys()):
        was, is_now = before.ties.get(name), now.ties.get(name)
        if was != is_now:
            lines.append(f"{name}: was {_tied(was)}, is {_tied(is_now)}")
    return lines


def _tied(owner: str | None) -> str:
    return "not tied" if owner is None else f"tied to {owner}"


def _changes(old: tuple[Locked, ...], new: tuple[Locked, ...]) -> Iterator[str]:
    if len(old) == len(new) == 1:
        for key, was in asdict(old[0]).items():
            is_now = getattr(new[0], key)
            if was != is_now:
                yield f"{key}: was {was}, is {is_now}"
        return
    yield from (f"no longer {one}" for one in old if one not in new)
    yield from (f"now {one}" for one in new if one not in old)
