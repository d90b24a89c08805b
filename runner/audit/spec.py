"""A declaration of a file's tensors: which law each is to have, which are tied, and what is known of the
network. docs/audit.md describes the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from initlab.engine import init, laws
from initlab.engine.errors import LawError, MXNetError
from initlab.engine.init import Description, Mixed
from initlab.engine.init.patterns import expression, regular
from initlab.runner.audit.scales import Facts
from initlab.runner.config.option_reader import FileError, read
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.plan.model import parse_initializer

T = TypeVar("T")
KEYS = ("rules", "facts", "tied", "zero_rows", "blocks", "allow")


class Declared(init.Initializer):
    """The law that a rule names itself, by `law` in place of `init`."""

    def __init__(self, law: laws.Law) -> None:
        super().__init__()
        self._law = law

    def law(self, description: init.Description) -> laws.Law:
        """Return the law. Raises LawError if no tensor of this shape follows it."""
        self._law.check_shape(description.shape)
        return self._law


@dataclass(frozen=True)
class Division:
    """Equal parts of an axis, each judged as a tensor of its own."""

    axis: int
    parts: int


@dataclass(frozen=True)
class Spec:
    """A declaration. `zero_rows`, `blocks` and `allow` go by regular expressions for whole names."""

    rules: Mixed
    facts: Facts = Facts()
    tied: tuple[tuple[str, ...], ...] = ()
    zero_rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    blocks: Mapping[str, Division] = field(default_factory=dict)
    allow: Mapping[str, str] = field(default_factory=dict)
    """Expression -> why contradictions of these tensors are meant."""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name -> the roles of the axes, where the network is known; no part of a file."""

    def check(self, names: Iterable[str]) -> None:
        """Raise ConfigError with every part of the declaration that concerns none of the names."""
        known = list(names)
        problems = Problems()
        with problems.under():
            self.rules.check(known)
        for key in ("zero_rows", "blocks", "allow"):
            for pattern in getattr(self, key):
                if not any(expression(pattern).fits(name) for name in known):
                    problems.unknown(key, f"'{pattern}' matches nothing", pattern, known)
        for group in self.tied:
            if not set(group) & set(known):
                problems.unknown("tied", f"'{group[0]}' is no tensor", group[0], known)
        problems.raise_any()

    def description(self, name: str, shape: tuple[int, ...], dtype: str) -> Description:
        """Return the description of a tensor of this name for an initializer."""
        roles = self.roles.get(name)
        known = roles if roles is not None and len(roles) == len(shape) else None
        return Description(name, name, tuple(shape), dtype, known)

    def group_of(self, name: str) -> tuple[str, ...]:
        """Return the names that are to be tied to this one, itself included; () for none."""
        return next((group for group in self.tied if name in group), ())


def first_fit(chosen: Mapping[str, Any], name: str) -> Any:
    """Return what the first expression that fits the name stands for, or None."""
    return next(
        (value for pattern, value in chosen.items() if expression(pattern).fits(name)), None
    )


def read_spec(path: Path) -> Spec:
    """Read a declaration. Raises ConfigError with every problem, after the name of the file."""
    try:
        content = read(path, str(path)).content
    except FileError as error:
        raise ConfigError([error.problem]) from None
    try:
        return parse_spec(content)
    except ConfigError as error:
        raise ConfigError([Problem(str(path), str(one)) for one in error.problems]) from None


def parse_spec(content: Mapping[Any, Any]) -> Spec:
    """Return the declaration of a mapping. Raises ConfigError with every problem."""
    problems = Problems()
    for key in content:
        if key not in KEYS:
            problems.unknown(str(key), "is no part of a declaration", key, KEYS)
    rules: Mixed | None = None
    if not content.get("rules"):
        problems.add("rules", "is missing - a declaration needs a list of rules, like init=mixed")
    else:
        with problems.under():
            listed = _with_laws(content["rules"])
            made = parse_initializer({"kind": "mixed", "rules": listed})
            assert isinstance(made, Mixed)
            rules = made
    given = {key: content.get(key) for key in KEYS[1:]}
    parsed = {}
    for key, parse in PARSERS.items():
        with problems.under(key):
            parsed[key] = parse(given[key]) if given[key] is not None else None
    problems.raise_any()
    assert rules is not None
    return Spec(rules, **{key: value for key, value in parsed.items() if value is not None})


def _with_laws(rules: Any) -> Any:
    """Return the rules with an initializer in place of each `law`. Raises ConfigError."""
    if not isinstance(rules, list):
        return rules
    problems = Problems()
    made = []
    for number, rule in enumerate(rules):
        if not isinstance(rule, dict) or "law" not in rule:
            made.append(rule)
            continue
        with problems.under(f"rules[{number}]"):
            if "init" in rule:
                raise ConfigError.of("law", "is given beside init - leave one of the two out")
            rest = {key: value for key, value in rule.items() if key != "law"}
            made.append({**rest, "init": Declared(_law(rule["law"]))})
    problems.raise_any()
    return made


def _law(described: Any) -> laws.Law:
    try:
        if not isinstance(described, dict):
            raise LawError(f"must be a law as plan.json has it, got {described!r}")
        if described.get("kind") in (laws.Custom.kind, laws.Loaded.kind):
            raise LawError(f"{described['kind']} says nothing to judge a file by")
        return laws.from_description(described)
    except (MXNetError, ValueError, TypeError, OSError) as error:
        raise ConfigError.of("law", str(error)) from None


def _facts(value: Any) -> Facts:
    known = ("layers", "hidden", "std")
    problems = Problems()
    if not isinstance(value, dict):
        raise ConfigError.of("", f"must be a mapping of {', '.join(known)}, got {value!r}")
    for key, number in value.items():
        whole = key != "std"
        if key not in known:
            problems.unknown(str(key), "is no fact", key, known)
        elif type(number) not in ((int,) if whole else (int, float)) or not 0 < number < 1e9:
            problems.add(key, f"must be a positive {'whole ' * whole}number, got {number!r}")
    problems.raise_any()
    return Facts(**value)


def _tied(value: Any) -> tuple[tuple[str, ...], ...]:
    proper = isinstance(value, list) and all(
        isinstance(group, list) and len(group) > 1 and all(isinstance(one, str) for one in group)
        for group in value
    )
    if not proper:
        raise ConfigError.of("", f"must be a list of lists of at least two names, got {value!r}")
    return tuple(tuple(group) for group in value)


def _by_pattern(value: Any, what: str, parse: Callable[[Any], T | None]) -> dict[str, T]:
    """Return {expression: what `parse` makes of its value}."""
    if not isinstance(value, dict):
        raise ConfigError.of("", f"must be a mapping of expressions to {what}, got {value!r}")
    problems = Problems()
    found: dict[str, T] = {}
    for pattern, one in value.items():
        with problems.under():
            regular(str(pattern), pattern)
        made = parse(one)
        if made is None:
            problems.add(str(pattern), f"must be {what}, got {one!r}")
        else:
            found[str(pattern)] = made
    problems.raise_any()
    return found


def _is_whole(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 40


def _rows(value: Any) -> tuple[int, ...] | None:
    rows = value if isinstance(value, list) else [value]
    return tuple(rows) if rows and all(map(_is_whole, rows)) else None


def _division(value: Any) -> Division | None:
    proper = isinstance(value, dict) and set(value) == {"axis", "parts"}
    if not proper or not all(map(_is_whole, value.values())) or value["parts"] < 2:
        return None
    return Division(value["axis"], value["parts"])


PARSERS: dict[str, Callable[[Any], Any]] = {
    "facts": _facts,
    "tied": _tied,
    "zero_rows": lambda value: _by_pattern(value, "numbers of rows", _rows),
    "blocks": lambda value: _by_pattern(value, "{axis: 0, parts: 3}", _division),
    "allow": lambda value: _by_pattern(
        value, "a reason", lambda why: why if isinstance(why, str) and why.strip() else None
    ),
}
"""What makes each part but the rules."""
