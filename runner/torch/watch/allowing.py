"""What is meant: findings that a declaration allows, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from initlab.engine.errors import OptionError
from initlab.engine.init.patterns import expression, regular
from initlab.runner.audit.spec import Spec
from initlab.runner.errors import Problems
from initlab.runner.torch.watch.checks import REGISTRY
from initlab.runner.torch.watch.record.found import Finding

KEYS = ("match", "why", "check")


@dataclass(frozen=True)
class Allowance:
    """A regular expression for whole names, why findings about them are meant, and of which check; None
    for every check.
    """

    match: str
    why: str
    check: str | None = None


def allowances(
    spec: Spec | None, given: Iterable[Mapping[str, str]], names: list[str]
) -> tuple[Allowance, ...]:
    """Return what the declaration and the argument `allow` permit. Raises ConfigError for an entry that
    is not {match, why} with a check that exists, or that fits no name.
    """
    found = [Allowance(match, why) for match, why in ({} if spec is None else spec.allow).items()]
    problems = Problems()
    for number, one in enumerate(given):
        place = f"allow[{number}]"
        if not isinstance(one, Mapping) or not {"match", "why"} <= set(one):
            problems.add(place, f"must be a mapping with match and why, got {one!r}")
            continue
        for key in one:
            if key not in KEYS:
                problems.unknown(place, f"has no '{key}'", key, KEYS)
        match, why, check = one["match"], one["why"], one.get("check")
        if not isinstance(why, str) or not why.strip():
            problems.add(f"{place}.why", f"must be a reason, got {why!r}")
        if check is not None and check not in REGISTRY:
            problems.unknown(f"{place}.check", f"there is no check '{check}'", check, REGISTRY)
        try:
            regular(f"{place}.match", match)
        except OptionError as error:
            problems.add(f"{place}.match", error.problem)
            continue
        if not any(expression(match).fits(name) for name in names):
            problems.unknown(f"{place}.match", f"'{match}' matches nothing", match, names)
        found.append(Allowance(match, why, check))
    problems.raise_any()
    return tuple(found)


def permitted(finding: Finding, allowed: Iterable[Allowance]) -> str | None:
    """Return why a finding is meant, or None."""
    for one in allowed:
        if one.check in (None, finding.id) and any(
            expression(one.match).fits(name) for name in finding.names
        ):
            return one.why
    return None
