"""An initializer that chooses other initializers by rules for parameter paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any

from initlab.engine import laws, nd
from initlab.engine.errors import OptionError, OptionErrors
from initlab.engine.init.base import InitDesc, Initializer, create, describe, register
from initlab.engine.init.description import Description
from initlab.engine.init.patterns import expression, regular
from initlab.engine.options import checks_of, each, options_of, told
from initlab.engine.registry import advice


def initializer(option: str, value: Any) -> Initializer:
    """Return an initializer, given one or a name. Raises OptionError for anything else."""
    try:
        return create(value)
    except AssertionError as error:
        raise OptionError(
            option, f"must be an initializer or the name of one, got {value!r}: {error}"
        ) from None


@dataclass
class Rule:
    """One rule: `init` fills the parameters whose whole path `match` matches. An `optional` rule
    may match none.
    """

    match: Annotated[str, regular]
    """A regular expression that the whole path of a parameter must fit."""
    init: Annotated[Initializer, initializer]
    """What fills the parameters that fit."""
    optional: bool = False
    """Whether the rule may fit no parameter."""


def rules(option: str, value: Any) -> list[dict[str, Any]]:
    """Rules as mappings, each with its initializer made. OptionErrors names every part of a rule
    that is wrong.
    """
    if not isinstance(value, (list, tuple)) or not value:
        raise OptionError(option, f"must be a list of at least one rule, got {value!r}")
    return each(_rule, option, value)


def _rule(place: str, rule: Any) -> dict[str, Any]:
    if not isinstance(rule, dict):
        raise OptionError(place, f"must be a mapping of match and init, got {rule!r}")
    known = options_of(Rule)
    wrong: list[OptionError] = []
    made: dict[str, Any] = {}
    for key in rule:
        if key not in known:
            said = f"is no part of a rule - {advice(str(key), known)}"
            wrong.append(OptionError(f"{place}.{key}", said, unknown=True))
    for key in known:
        if key in rule:
            try:
                made[key] = checks_of(Rule)[key](f"{place}.{key}", rule[key])
            except OptionError as error:
                wrong += error.errors
        elif key in ("match", "init"):
            wrong.append(OptionError(f"{place}.{key}", "is missing - a rule needs match and init"))
    OptionErrors.raise_any(wrong)
    return {key: value for key, value in made.items() if key != "optional" or value}


@register
@dataclass(eq=False, repr=False)
class Mixed(Initializer):
    r"""Rules for parameters: the first rule whose `match`, a regular expression, fits the
    parameter's whole path decides; its `init` fills the parameter.

        Mixed([{"match": r".*\.bias", "init": "zeros"}, {"match": ".*", "init": Xavier()}])
        Mixed([r".*\.bias", ".*"], [Zero(), Xavier()])              as MXNet writes it

    A path is the parameter's place in the network (`0.weight`), without the root's name. If Mixed
    is given for a network, its rules take precedence over a layer's default, like a Dense layer's
    zero bias, but not over an initializer object that was given to the layer. A rule must fit a
    parameter unless it is `optional`. MXNet: `Mixed`.

    Source: MXNet 1.9.1, python/mxnet/initializer.py.

    Example: initlab init=mixed 'init.rules=[{match: ".*weight", init: he}]'
    """

    rules: Annotated[list[dict[str, Any]], rules] = field(metadata=told("a list of rules"))
    """The rules, in order: {match: …, init: …}, and optional: true for one that may fit nothing."""
    initializers: InitVar[Any] = None

    def __post_init__(self, initializers: Any) -> None:
        if initializers is not None:
            self.rules = _paired(self.rules, initializers)
        super().__post_init__()
        self._patterns = [expression(rule["match"]) for rule in self.rules]

    def needs_network(self) -> bool:
        """Return whether the initializer of a rule does."""
        return any(rule["init"].needs_network() for rule in self.rules)

    def rule_for(self, path: str) -> int | None:
        """Return the number, from 0, of the first rule that fits the path; None if there is none."""
        fitting = (number for number, one in enumerate(self._patterns) if one.fits(path))
        return next(fitting, None)

    def claims(self, path: str, name: str | None = None) -> bool:
        """Return whether a rule fits the path."""
        return self.rule_for(path) is not None

    def check(self, paths: Iterable[str]) -> None:
        """Raise OptionErrors with the rules that are wrong for a network of these paths: those that
        fit no path, and those whose paths all go to earlier rules.
        """
        known = list(paths)
        wrong = []
        for number, pattern in enumerate(self._patterns):
            takers = {self.rule_for(path) for path in known if pattern.fits(path)}
            place, rule = f"rules[{number}]", f"'{pattern.text}'"
            if self.rules[number].get("optional"):
                continue
            if not takers:
                said = f"{rule} matches nothing - {advice(pattern.text, known)}"
                wrong.append(OptionError(place, said, unknown=True))
            elif number not in takers:
                earlier = ", ".join(
                    f"rules[{n}] ('{self.rules[n]['match']}')"
                    for n in sorted(t for t in takers if t is not None)
                )
                said = f"{rule} is shadowed by {earlier} - put it first or remove it"
                wrong.append(OptionError(place, said))
        OptionErrors.raise_any(wrong)

    def check_parameters(self, parameters: Sequence[Description]) -> list[str]:
        """Check each rule's initializer against the parameters that the rule decides for."""
        return self._check(parameters, Initializer.check_parameters.__name__)

    def check_network(self, parameters: Sequence[Description]) -> list[str]:
        """Check each rule's initializer against where its parameters stand."""
        return self._check(parameters, Initializer.check_network.__name__)

    def _check(self, parameters: Sequence[Description], method: str) -> list[str]:
        said: list[str] = []
        wrong: list[OptionError] = []
        for number, rule in enumerate(self.rules):
            mine = [one for one in parameters if self.rule_for(one.path) == number]
            try:
                said += getattr(rule["init"], method)(mine)
            except OptionError as error:
                wrong += [
                    OptionError(f"rules[{number}].init.{one.option}", one.problem, one.unknown)
                    for one in error.errors
                ]
        OptionErrors.raise_any(wrong)
        return said

    def learning_rate_multiplier(self, description: Description) -> float:
        """Return the multiplier of the rule's initializer; 1 if no rule fits."""
        number = self.rule_for(description.path)
        return (
            1.0
            if number is None
            else self.rules[number]["init"].learning_rate_multiplier(description)
        )

    def law(self, description: Description) -> laws.Law:
        """Return the law of the matching rule's initializer. Raises ValueError if no rule matches."""
        return self._chosen(description.path).law(description)

    def _init_weight(self, name: str, arr: nd.NDArray) -> None:
        self._chosen(describe(name, arr).path)._init_weight(name, arr)

    def __call__(self, desc: str, arr: nd.NDArray) -> None:
        """As MXNet's does for a bare name: the rule's initializer goes by the name's ending."""
        if isinstance(desc, InitDesc) and desc.attrs.get("__init__"):
            super().__call__(desc, arr)
        else:
            self._chosen(describe(desc, arr).path)(desc, arr)

    def _calls_plainly(self) -> bool:
        return self._has_methods_of(Mixed, "__call__", "_verbose_print")

    def _law_that_fills(self, description: Description) -> laws.Law | None:
        if not self._has_methods_of(Mixed, "_init_weight", "_chosen", "law"):
            return None
        return self._chosen(description.path)._law_that_fills(description)

    def _chosen(self, path: str) -> Initializer:
        number = self.rule_for(path)
        if number is None:
            raise ValueError(
                f'Parameter name {path} did not match any pattern. Consider adding a ".*" pattern at the '
                "end with a default Initializer."
            )
        chosen: Initializer = self.rules[number]["init"]
        return chosen

    def dumps(self) -> str:
        """Return the rules as JSON, with the JSON of each initializer."""
        rules = [rule | {"init": rule["init"].dumps()} for rule in self.rules]
        return json.dumps([type(self).__name__.lower(), {"rules": rules}])


def _paired(patterns: Any, initializers: Any) -> list[dict[str, Any]]:
    """Rules of MXNet's two lists."""
    patterns, initializers = list(patterns), list(initializers)
    if len(patterns) != len(initializers):
        raise OptionError(
            "rules",
            f"must be as many as initializers, got {len(patterns)} patterns and {len(initializers)} "
            "initializers",
        )
    return [
        {"match": pattern, "init": initializer}
        for pattern, initializer in zip(patterns, initializers, strict=True)
    ]
