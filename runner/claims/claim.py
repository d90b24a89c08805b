"""A claim: what a quantity of the results must be, by which citation, and how far from it sampling
may take it.

id          its name, unique in the experiment
cite        who says so: paper, equation
quantity    an expression over results (`runner.claims.quantity`)
predicted   a number, or a closed form by name with its arguments: {form: gain, activation: tanh}
relation    equal (default), at_least, at_most
error       the standard error of the quantity: runs (default) from runs that differ in their seed, elements from the values that the
            outermost mean is of, each a sample of its own; or one run's error as a number or a
            closed form
z           deviations of so many standard errors still agree (default 4)
floor       what rounding, or the theory's own neglect at this size, may add: absolute (default 0)
within      how far off the truth could be at most, unseen, for the claim to count as reproduced: absolute
            (default 5% of the prediction)
where       {key: value}: the runs that it is about, where the experiment has others
note        why this quantity, this error, this floor
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from initlab.engine.errors import OptionError
from initlab.engine.registry import advice
from initlab.runner.claims.quantity import SLOPE, Call, Node, outermost, parse, paths, slopes
from initlab.runner.errors import Problem, QuantityError
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
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Claim:
    """One claim, checked; `predicted` and a given `error` are numbers already, `form` is how the
    prediction is written.
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
    where: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def axes(self) -> list[str]:
        """What its slopes go along, as it is written: `width`, `index`, sections of results too."""
        return [str(path) for slope in slopes(self.node) for path in paths(slope.arguments[1])]


def parse_claims(node: Any, problems: list[Problem]) -> list[Claim]:
    """The claims of a config's `expect`; what is wrong with them is noted."""
    if node is None:
        return []
    if not isinstance(node, list):
        problems.append(Problem("expect", f"must be a list of claims, got {node!r}"))
        return []
    claims: list[Claim] = []
    for number, entry in enumerate(node):
        place = f"expect[{number}]"
        claim = _parse(entry, place, problems)
        if claim is not None and claim.id in [other.id for other in claims]:
            problems.append(
                Problem(
                    f"{place}.id",
                    f"'{claim.id}' is also the id of another claim - give it a name of its own",
                )
            )
        elif claim is not None:
            claims.append(claim)
    return claims


def _parse(entry: Any, place: str, problems: list[Problem]) -> Claim | None:
    if not isinstance(entry, dict):
        problems.append(
            Problem(place, f"must be a mapping with {', '.join(NEEDED)}, got {entry!r}")
        )
        return None
    before = len(problems)
    problems += [
        Problem(f"{place}.{key}", f"no such key - {advice(str(key), KEYS)}")
        for key in entry
        if key not in KEYS
    ]
    for key in NEEDED:
        if entry.get(key) in (None, ""):
            problems.append(Problem(f"{place}.{key}", "is missing - a claim needs it"))
    if not (isinstance(entry.get("id", "-"), str) and ID.fullmatch(entry.get("id", "x") or "x")):
        problems.append(
            Problem(f"{place}.id", f"must be letters, digits, _, - and dots, got {entry['id']!r}")
        )
    relation = entry.get("relation", "equal")
    if relation not in RELATIONS:
        problems.append(
            Problem(
                f"{place}.relation", f"cannot be {relation!r} - {advice(str(relation), RELATIONS)}"
            )
        )
    if not isinstance(entry.get("where", {}), dict):
        problems.append(
            Problem(
                f"{place}.where",
                f"must be a mapping of config keys to values, got {entry['where']!r}",
            )
        )
    expression = _expression(entry.get("quantity"), place, problems)
    predicted = _value(entry.get("predicted", 0), f"{place}.predicted", problems)
    error = _error(entry.get("error", RUNS), expression, f"{place}.error", problems)
    scales = {
        key: _scale(entry[key], f"{place}.{key}", problems)
        for key in ("z", "floor", "within")
        if key in entry
    }
    if "within" not in entry and relation == "equal" and predicted is not None:
        scales["within"] = USUAL_WITHIN * abs(predicted)
        if predicted == 0:
            said = (
                "is missing - a part of a prediction of 0 says nothing: give the largest difference "
                "that may stay unseen"
            )
            problems.append(Problem(f"{place}.within", said))
    if len(problems) > before or expression is None or predicted is None or error is None:
        return None
    if relation == "equal" and scales["within"] < scales.get("floor", 0.0):
        said = f"must be at least the floor, {scales['floor']:g}: what rounding may add is not to be seen"
        problems.append(Problem(f"{place}.within", said))
        return None
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


def _expression(text: Any, place: str, problems: list[Problem]) -> Node | None:
    if text in (None, ""):
        return None
    try:
        node = parse(str(text))
    except QuantityError as error:
        problems.append(Problem(f"{place}.quantity", str(error)))
        return None
    nested = [s for slope in slopes(node) for part in slope.arguments for s in slopes(part)]
    if nested or len(list(slopes(node))) > 1:
        problems.append(
            Problem(
                f"{place}.quantity",
                f"'{text}' has more than one slope - make each a claim of its own",
            )
        )
        return None
    return node


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _value(value: Any, place: str, problems: list[Problem]) -> float | None:
    """A number, or what a closed form gives."""
    if _is_number(value):
        return float(value)
    if not isinstance(value, dict) or "form" not in value:
        problems.append(
            Problem(
                place,
                f"must be a number, or {{form: a closed form's name, and its arguments}}, got {value!r}",
            )
        )
        return None
    arguments = {str(key): given for key, given in value.items() if key != "form"}
    try:
        found = forms.evaluate(str(value["form"]), arguments)
    except OptionError as error:
        problems.append(Problem(f"{place}.{error.option}", error.problem))
        return None
    if not math.isfinite(found):
        problems.append(
            Problem(place, f"{_form_text(value)} is {found}, which is no finite number")
        )
        return None
    return found


def _error(
    value: Any, expression: Node | None, place: str, problems: list[Problem]
) -> str | float | None:
    if value == RUNS:
        return RUNS
    if value == ELEMENTS:
        if expression is not None and outermost(expression) is None:
            problems.append(
                Problem(
                    place,
                    "elements needs a quantity that is a mean: end it with .mean, .log_mean or .mean_square",
                )
            )
        return ELEMENTS
    if isinstance(value, str):
        problems.append(
            Problem(
                place,
                f"cannot be '{value}' - {advice(value, (RUNS, ELEMENTS))} Or a number, or {{form: …}}",
            )
        )
        return None
    found = _value(value, place, problems)
    if found is not None and found < 0:
        problems.append(
            Problem(place, f"is a standard error, it must not be negative, got {found:g}")
        )
    return found


def _scale(value: Any, place: str, problems: list[Problem]) -> float:
    if not _is_number(value) or value < 0 or (value == 0 and place.endswith(".z")):
        problems.append(
            Problem(
                place,
                f"must be a number {'above' if place.endswith('.z') else 'of at least'} 0, got {value!r}",
            )
        )
        return 0.0
    return float(value)


def _form_text(value: Any) -> str:
    """`gain(activation=tanh)`, or the number."""
    if not isinstance(value, dict):
        return f"{value:g}" if _is_number(value) else str(value)
    arguments = ", ".join(
        f"{key}={_argument(given)}" for key, given in value.items() if key != "form"
    )
    return f"{value.get('form')}({arguments})"


def _argument(value: Any) -> str:
    return f"{value:g}" if _is_number(value) else str(value)


def is_along_runs(claim: Claim) -> bool:
    """Whether it has a slope, which may go over runs."""
    return any(isinstance(call, Call) and call.function == SLOPE for call in slopes(claim.node))
