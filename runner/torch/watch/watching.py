"""`initlab.torch.watch()`: a construction is watched, then checked.

with watch() as w:
    model = build()
w.check(spec)          raises Contradicted if anything is found
print(w.report())      who wrote what, and what is found; never raises for it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from initlab.runner.audit.against import side_against
from initlab.runner.audit.spec import Spec, parse_spec, read_spec
from initlab.runner.check.compare import Side
from initlab.runner.errors import ConfigError, Contradicted
from initlab.runner.torch.roles import axes_of
from initlab.runner.torch.watch.allowing import Allowance, allowances, permitted
from initlab.runner.torch.watch.checks import REGISTRY
from initlab.runner.torch.watch.record.arrays import array
from initlab.runner.torch.watch.record.found import Examined, Finding, Held, law_of, writer_of
from initlab.runner.torch.watch.record.models import Models, held_by
from initlab.runner.torch.watch.record.rebuilding import built, knob_of, names_loaded
from initlab.runner.torch.watch.record.recording import Recording
from initlab.runner.torch.watch.report import Report, Row, merged, pattern

Declared = Spec | Mapping[str, Any] | str | Path | None


class Watch:
    """Watches what is built in its `with` block. It may be entered again, and then goes on."""

    def __init__(self) -> None:
        self._recording = Recording()
        self._models = Models()

    def __enter__(self) -> Watch:
        self._models.start()
        try:
            self._recording.__enter__()
        except BaseException:
            self._models.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._recording.__exit__(kind, error, traceback)
        finally:
            self._models.stop()

    def examined(self, model: Any = None) -> Examined:
        """Return the model with the history of every tensor. Without `model`, it is the one that was
        built. Raises ConfigError if there is none, or several.
        """
        found = self._models.the_model() if model is None else model
        return Examined(found, self._recording, held_by(found, self._recording))

    def report(
        self,
        spec: Declared = None,
        *,
        model: Any = None,
        build: Callable[..., Any] | None = None,
        knob: str | float | None = None,
        loaded: Any = None,
        allow: Iterable[Mapping[str, str]] = (),
    ) -> Report:
        """Return who wrote each tensor, and what the checks find. The arguments are those of `check`."""
        given = self.examined(model)
        declared = _declared(spec)
        permits = allowances(declared, allow, [one.name for one in given.held])
        given = _completed(given, declared, build, knob, loaded)
        findings, meant = _look(given, permits)
        return Report(
            type(given.model).__name__,
            tuple(_rows(given.held)),
            {one.name: one.tied_to for one in given.held if one.tied_to is not None},
            tuple(findings),
            tuple(meant),
            tuple(REGISTRY),
        )

    def check(
        self,
        spec: Declared = None,
        *,
        model: Any = None,
        build: Callable[..., Any] | None = None,
        knob: str | float | None = None,
        loaded: Any = None,
        allow: Iterable[Mapping[str, str]] = (),
    ) -> Report:
        """Look for every fault, and return the report if there is none.

        `spec` is a declaration as `initlab audit --against` reads it: a mapping, a file, or a `Spec`.
        `build` makes the model again. With `knob`, it is called with the number, or with the object in
        which the number is changed (`knob="config.initializer_range"` with `build=Model` calls
        `Model(config)`), to see whether each parameter reacts when it is tripled. `loaded` has the
        names that came from a file, or is the file; without it they are those that `load_state_dict`
        wrote. `allow` has {match, why} of what is meant, and may have the `check`.

        Raises Contradicted with the report if anything is found, and ConfigError if the declaration
        or the arguments do not suit the model.
        """
        found = self.report(spec, model=model, build=build, knob=knob, loaded=loaded, allow=allow)
        if not found.ok:
            raise Contradicted(str(found))
        return found


def watch() -> Watch:
    """Return a watch, to be used in a `with` block around the construction of a model."""
    return Watch()


def _declared(spec: Declared) -> Spec | None:
    if spec is None or isinstance(spec, Spec):
        return spec
    if isinstance(spec, Mapping):
        return parse_spec(spec)
    if isinstance(spec, (str, Path)):
        return read_spec(Path(spec))
    said = f"must be a mapping, a file or a Spec, got {type(spec).__name__}"
    raise ConfigError.of("spec", said)


def _completed(
    given: Examined,
    spec: Spec | None,
    build: Callable[..., Any] | None,
    knob: str | float | None,
    loaded: Any,
) -> Examined:
    """Return the model with all that checks need beside it."""
    if spec is not None:
        spec = replace(spec, roles=axes_of(given.model))
        side = _side(type(given.model).__name__, given.held)
        given = replace(given, spec=spec, audit=side_against(side, replace(spec, allow={})))
    if loaded is not None:
        if build is None:
            raise ConfigError.of("loaded", "needs build=…, which makes the model without a file")
        given = replace(given, loaded=names_loaded(loaded))
    if knob is not None:
        turned = knob_of(given.model, knob, build)
        return replace(given, knob=turned, fresh=lambda: _fresh(lambda: turned.build(turned.value)))
    return given if build is None else replace(given, fresh=lambda: _fresh(build))


def _fresh(build: Callable[[], Any]) -> Examined:
    with watch() as w:
        model = built(build, "without arguments")
    return w.examined(model)


def _side(name: str, held: tuple[Held, ...]) -> Side:
    """Return what a state dict of the model holds: tensors, and ties by name."""
    tensors: dict[str, np.ndarray] = {}
    ties: dict[str, str] = {}
    unread: dict[str, str] = {}
    for one in held:
        if not one.kept:
            continue
        if one.tied_to is not None:
            ties[one.name] = one.tied_to
            continue
        values = array(one.tensor)
        if values is None:
            unread[one.name] = f"values of type {one.tensor.dtype} cannot be judged"
        else:
            tensors[one.name] = values
    return Side(Path(name), tensors, {}, ties, None, unread)


def _look(
    given: Examined, permits: tuple[Allowance, ...]
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """Return what the checks find: (what is not allowed, what is, with the reason)."""
    findings: list[Finding] = []
    meant: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in (found for name in REGISTRY for found in REGISTRY.get(name)().look(given)):
        why = permitted(one, permits)
        if why is None:
            findings.append(one)
        else:
            meant[one.id, one.said, why] += one.names
    allowed = [(Finding(key, tuple(names), said), why) for (key, said, why), names in meant.items()]
    return merged(findings), allowed


def _rows(held: Iterable[Held]) -> list[Row]:
    groups: dict[tuple[str, str, str, int], list[Held]] = defaultdict(list)
    for one in held:
        if one.tied_to is None:
            key = (pattern(one.name), law_of(one), writer_of(one), len(one.history.writes))
            groups[key].append(one)
    return [Row.of([one.name for one in each], each[0]) for each in groups.values()]
