"""A claim: a prediction about a quantity of the results, its source, and the error that sampling
allows.

  id          its name, unique in the experiment
  cite        the source: paper, equation
  quantity    an expression over results (`runner.claims.quantity`)
  predicted   a number, or a closed form by name with its arguments: {form: gain, activation: tanh}
  relation    equal (default), at_least, at_most
  error       the standard error of the quantity. runs (default): from runs that differ in their seed.
              elements: from the values under the outermost mean, each of which is a sample. Or the
              error of one run, as a number or a closed form
  z           a deviation of up to z standard errors agrees (default 4)
  floor       absolute deviation allowed for rounding, or for what the theory neglects at this size
              (default 0)
  within      a claim counts as reproduced only if a true deviation larger than this would be noticed:
              absolute (default 5% of the prediction)
  where       {key: value}: selects the runs of the claim, if the experiment has others
  note        the reason for this quantity, error and floor
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from initlab.engine.options import choice, finite, not_negative, positive
from initlab.engine.registry import advice
from initlab.runner.claims.quantity import (
    SLOPE,
    Call,
    Node,
    outermost,
    parse,
    paths,
    slopes,
    unknown_reduction,
)
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.figures.samples import SAMPLES
from initlab.runner.json_values import JSON
from initlab.runner.theory import forms

KEYS = (
    "id",
    "cite",
    "quantity",
    "predicted",
    "relation",
    "error",
    "z",
    "floor",
    "within",
    "where",
    "note",
)
NEEDED = ("id", "cite", "quantity", "predicted")
RELATIONS = ("equal", "at_least", "at_most")
RUNS, ELEMENTS = "runs", "elements"
USUAL_Z = 4.0
USUAL_WITHIN = 0.05
SCALES = {"z": positive, "floor": not_negative, "within": not_negative}
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Claim:
    """A checked claim. `predicted` and a given `error` are numbers; `form` is the prediction as
    written.
    """

    id: str
    cite: str
    quantity: str
    node: Node
    predicted: float
    form: str
    relation: str = "equal"
    error: str | float = RUNS
    z: float = USUAL_Z
    floor: float = 0.0
    within: float = math.inf
    where: dict[str, JSON] = field(default_factory=dict)
    note: str = ""

    @property
    def axes(self) -> list[str]:
        """The axes of its slopes as written: keys like `width`, `index`, or sections of results."""
        return [str(path) for slope in slopes(self.node) for path in paths(slope.arguments[1])]


def parse_claims(node: object) -> list[Claim]:
    """Return the claims of a config's `expect`. Raises ConfigError with all problems."""
    if node is None:
        return []
    if not isinstance(node, list):
        raise ConfigError.of("", f"must be a list of claims, got {node!r}")
    problems = Problems()
    claims: dict[str, Claim] = {}
    for number, entry in enumerate(node):
        with problems.under(f"[{number}]"):
            claim = _parse(entry)
            if claim.id in claims:
                said = f"'{claim.id}' is also the id of another claim - give it a name of its own"
                raise ConfigError.of("id", said)
            claims[claim.id] = claim
    problems.raise_any()
    return list(claims.values())


def _parse(entry: object) -> Claim:
    if not isinstance(entry, dict):
        raise ConfigError.of("", f"must be a mapping with {', '.join(NEEDED)}, got {entry!r}")
    problems = Problems()
    for key in entry:
        if key not in KEYS:
            problems.unknown(str(key), "no such key", key, KEYS)
    for key in NEEDED:
        if entry.get(key) in (None, ""):
            problems.add(key, "is missing - a claim needs it")
    if not (isinstance(entry.get("id", "-"), str) and ID.fullmatch(entry.get("id", "x") or "x")):
        problems.add("id", f"must be letters, digits, _, - and dots, got {entry['id']!r}")
    relation = entry.get("relation", "equal")
    with problems.under():
        choice(RELATIONS)("relation", relation)
    if not isinstance(entry.get("where", {}), dict):
        said = f"must be a mapping of config keys to values, got {entry['where']!r}"
        problems.add("where", said)
    expression: Node | None = None
    if entry.get("quantity") not in (None, ""):
        with problems.under("quantity"):
            expression = _expression(str(entry["quantity"]))
    predicted: float | None = None
    if entry.get("predicted") not in (None, ""):
        with problems.under("predicted"):
            predicted = _value(entry["predicted"])
    with problems.under("error"):
        error = _error(entry.get("error", RUNS), expression)
    scales = {}
    for key, rule in SCALES.items():
        if key in entry:
            with problems.under():
                scales[key] = float(rule(key, entry[key]))
    if "within" not in entry and relation == "equal" and predicted is not None:
        scales["within"] = USUAL_WITHIN * abs(predicted)
        if predicted == 0:
            problems.add(
                "within",
                "is missing - its default is a fraction of the prediction, which is 0: give the "
                "largest difference that may stay undetected",
            )
    problems.raise_any()
    assert expression is not None and predicted is not None
    if relation == "equal" and scales["within"] < scales.get("floor", 0.0):
        said = (
            f"must be at least the floor, {scales['floor']:g}: rounding alone may cause that much"
        )
        raise ConfigError.of("within", said)
    return Claim(
        id=str(entry["id"]),
        cite=str(entry["cite"]).strip(),
        quantity=str(entry["quantity"]).strip(),
        node=expression,
        predicted=predicted,
        form=_form_text(entry["predicted"]),
        relation=relation,
        error=error,
        z=scales.get("z", USUAL_Z),
        floor=scales.get("floor", 0.0),
        within=scales.get("within", math.inf),
        where=entry.get("where", {}),
        note=str(entry.get("note", "")).strip(),
    )


def _expression(text: str) -> Node:
    node = parse(text)
    nested = [s for slope in slopes(node) for part in slope.arguments for s in slopes(part)]
    if nested or len(list(slopes(node))) > 1:
        said = f"'{text}' has more than one slope - make each a claim of its own"
        raise ConfigError.of("", said)
    return node


def _is_number(value: object) -> bool:
    return finite.fits(value)


def _value(value: Any) -> float:
    """Return a number, or the value of a closed form."""
    if _is_number(value):
        return float(value)
    if not isinstance(value, dict) or "form" not in value:
        raise ConfigError.of(
            "",
            f"must be a number, or {{form: a closed form's name, and its arguments}}, got {value!r}",
        )
    arguments = {str(key): given for key, given in value.items() if key != "form"}
    found = forms.evaluate(str(value["form"]), arguments)
    if not math.isfinite(found):
        raise ConfigError.of("", f"{_form_text(value)} is {found}, which is no finite number")
    return found


def _error(value: Any, expression: Node | None) -> str | float:
    if value == RUNS:
        return RUNS
    if value == ELEMENTS:
        if expression is not None and outermost(expression) is None:
            said = "elements needs a quantity that is a mean"
            wrong = unknown_reduction(expression)
            if wrong is not None:
                raise ConfigError.unknown(
                    "", f"{said}, and there is no reduction '{wrong}'", wrong, SAMPLES
                )
            raise ConfigError.of("", f"{said}: end it with .mean, .log_mean or .mean_square")
        return ELEMENTS
    if isinstance(value, str):
        said = (
            f"cannot be '{value}' - {advice(value, (RUNS, ELEMENTS))} Or a number, or {{form: …}}"
        )
        raise ConfigError.of("", said, unknown=True)
    found = _value(value)
    if found < 0:
        raise ConfigError.of("", f"is a standard error, it must not be negative, got {found:g}")
    return found


def _form_text(value: Any) -> str:
    """Return `gain(activation=tanh)`, or the number."""
    if not isinstance(value, dict):
        return f"{value:g}" if _is_number(value) else str(value)
    arguments = ", ".join(
        f"{key}={_argument(given)}" for key, given in value.items() if key != "form"
    )
    return f"{value.get('form')}({arguments})"


def _argument(value: Any) -> str:
    return f"{value:g}" if _is_number(value) else str(value)


def is_along_runs(claim: Claim) -> bool:
    """Return whether the claim has a slope, which may run over several runs."""
    return any(isinstance(call, Call) and call.function == SLOPE for call in slopes(claim.node))
