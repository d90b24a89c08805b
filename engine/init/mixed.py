"""Rules by parameter path: a list of patterns, each with an initializer; the first that fits the whole path decides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine import laws
from engine.errors import OptionError
from engine.init.base import Description, Initializer, create, register


@register
@dataclass(eq=False, repr=False, init=False)
class Mixed(Initializer):
    """`rules`: [{match: regular expression, init: initializer}, …]; or, as in Gluon, `Mixed(patterns, initializers)`.

    Patterns must fit the whole structural path (`0.weight`). Unlike Gluon's, it works with `net.initialize`.
    """

    rules: list[Any]

    def __init__(self, rules: list[Any], initializers: list[Any] | None = None) -> None:
        if initializers is not None:
            if len(rules) != len(initializers):
                raise AssertionError(f"Mixed: {len(rules)} patterns, but {len(initializers)} initializers")
            rules = [{"match": p, "init": i} for p, i in zip(rules, initializers, strict=True)]
        self.rules = rules
        self.__post_init__()

    def check_options(self) -> None:
        """At least one rule; each has a pattern that compiles and an initializer."""
        if not isinstance(self.rules, list) or not self.rules:
            raise OptionError("rules", f"must be a list of at least one {{match: …, init: …}}, got {self.rules!r}")
        for number, rule in enumerate(self.rules):
            place = f"rules[{number}]"
            if not isinstance(rule, dict) or set(rule) != {"match", "init"}:
                raise OptionError(place, f"must have match and init, got {rule!r}")
            try:
                re.compile(rule["match"])
            except (re.error, TypeError) as error:
                raise OptionError(f"{place}.match", f"is no regular expression ({error}): {rule['match']!r}") from None
        self._compiled = [(re.compile(rule["match"]), create(rule["init"])) for rule in self.rules]

    def rule_for(self, path: str) -> int | None:
        """The number of the rule that decides for `path`."""
        return next((i for i, (pattern, _) in enumerate(self._compiled) if pattern.fullmatch(path)), None)

    def claims(self, path: str) -> bool:
        """Whether a rule fits."""
        return self.rule_for(path) is not None

    def check(self, paths: Iterable[str]) -> list[str]:
        """What is wrong with the rules for a network with these paths: rules that match nothing, or that others leave nothing to."""
        paths = list(paths)
        deciding = {path: self.rule_for(path) for path in paths}
        problems = []
        for number, (pattern, _) in enumerate(self._compiled):
            fitting = [path for path in paths if pattern.fullmatch(path)]
            if not fitting:
                problems.append(f"rule {number} ('{pattern.pattern}') matches no parameter; there are: {', '.join(paths)}")
            elif all(deciding[path] != number for path in fitting):
                others = sorted({deciding[path] for path in fitting if deciding[path] is not None})
                taken = " and ".join(f"rule {i} ('{self._compiled[i][0].pattern}')" for i in others)
                problems.append(f"rule {number} ('{pattern.pattern}') is shadowed by {taken}: it never decides")
        return problems

    def _initializer(self, path: str) -> Initializer:
        number = self.rule_for(path)
        if number is None:
            raise ValueError(f"Parameter name {path} did not match any pattern. Consider adding a '.*' pattern at the end with a default initializer.")
        return self._compiled[number][1]

    def law(self, description: Description) -> laws.Law:
        """The law of the rule that fits the path."""
        return self._initializer(description.path).law(description)

    def _init_weight(self, name: Any, arr: Any) -> None:
        description = getattr(name, "description", None)
        self._initializer(str(name) if description is None else description.path)._init_weight(name, arr)
