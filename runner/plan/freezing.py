"""Which parameters are not trained: those in a layer with `trainable: false`, and those whose path a rule
of `model.freeze` matches.

Underneath it is Gluon's `grad_req = "null"`: no gradient is computed, and no step changes the values.
First values do not depend on it. Running statistics have no gradient in any case; a normalization
updates them in train mode, frozen or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from initlab.engine import gluon
from initlab.engine.init.patterns import expression
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.plan.model import LayerSpec, ModelSpec


def freeze(
    parameters: Mapping[str, gluon.Parameter], specs: Mapping[str, LayerSpec], model: ModelSpec
) -> None:
    """Freeze what a model says. `parameters` has every path, those of ties too; `specs` has the declared
    layers by path.

    Raises ConfigError for a layer or a rule that freezes nothing, and for a tie of which only one
    member is frozen.
    """
    frozen = {path: spec for path, spec in specs.items() if spec.trainable is False}
    if not frozen and not model.freeze:
        return
    learned = {path: one for path, one in parameters.items() if one.grad_req != "null"}
    problems = Problems()
    for path, spec in frozen.items():
        if path and not any(one.startswith(f"{path}.") for one in learned):
            said = f"is false, but layer '{path}' has no parameter that learns - leave it out"
            problems.add(f"{spec.place}.trainable", said)
    for number, rule in enumerate(model.freeze):
        with problems.under(f"model.freeze[{number}]"):
            _check_rule(rule, learned, parameters)
    problems.raise_any()
    reasons = {path: _reason(path, frozen, model.freeze) for path in learned}
    _check_ties(learned, reasons)
    for path, reason in reasons.items():
        if reason is not None:
            learned[path].grad_req = "null"


def _check_rule(rule: str, learned: Iterable[str], known: Iterable[str]) -> None:
    """Raise ConfigError for a rule that freezes nothing."""
    fits = expression(rule).fits
    if any(fits(path) for path in learned):
        return
    if any(fits(path) for path in known):
        said = f"'{rule}' matches running statistics only, which have no gradient - leave it out"
        raise ConfigError.of("", said)
    raise ConfigError.unknown("", f"'{rule}' matches nothing", rule, learned)


def _reason(path: str, frozen: Mapping[str, LayerSpec], rules: Iterable[str]) -> str | None:
    """Return the place in the config that freezes a parameter, or None."""
    above = path
    while above:
        above = above.rpartition(".")[0]
        if above in frozen:
            return f"{frozen[above].place}.trainable"
    found = (n for n, rule in enumerate(rules) if expression(rule).fits(path))
    number = next(found, None)
    return None if number is None else f"model.freeze[{number}]"


def _check_ties(learned: Mapping[str, gluon.Parameter], reasons: Mapping[str, str | None]) -> None:
    """Raise ConfigError for each parameter that is frozen under one of its paths only."""
    problems, paths = Problems(), dict[int, list[str]]()
    for path, parameter in learned.items():
        paths.setdefault(id(parameter), []).append(path)
    for tied in paths.values():
        free = [path for path in tied if reasons[path] is None]
        for path in tied:
            reason = reasons[path]
            if reason is not None and free:
                said = f"freezes '{path}', but not '{free[0]}', to which it is tied: they are one parameter"
                problems.add(reason, f"{said} - freeze both or none")
    problems.raise_any()


def remark(frozen: list[str]) -> list[str]:
    """Return what is said of frozen parameters: a line, or nothing without any."""
    if not frozen:
        return []
    named = ", ".join(frozen[:3]) + (f" and {len(frozen) - 3} more" if len(frozen) > 3 else "")
    return [f"frozen (no gradient, no update): {named}"]
