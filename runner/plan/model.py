"""A declared network as objects: `model.layers` and `model.share`, checked, with the config path of
each part.

Nothing is built here; `runner.plan.network` makes blocks of it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from initlab.engine import init
from initlab.engine.errors import OptionError
from initlab.engine.registry import advice
from initlab.runner.config.schema import options_of
from initlab.runner.errors import Problem
from initlab.runner.layers import REGISTRY, Layer

NAME = re.compile(r"[^\s./@]+")


@dataclass
class LayerSpec:
    """One entry of a list of layers: its place in the config, its name among its siblings, and its
    options as an object.
    """

    place: str
    name: str
    layer: Layer
    children: dict[str, list[LayerSpec]] = field(default_factory=dict)
    """The specifications that each of the layer's nested options holds."""


@dataclass
class ModelSpec:
    """The network: shape of one sample (None when not declared), layers, and share groups as lists
    of paths.
    """

    input: tuple[int, ...] | None
    layers: list[LayerSpec]
    share: dict[str, list[str]]


def construct(
    cls: type, options: dict[str, Any], place: str, what: str, problems: list[Problem]
) -> Any:
    """`cls(**options)`, or None with every problem noted under `place`. `what` names the class in
    messages: `dense`, `init normal`.
    """
    known = options_of(cls)
    bad = [name for name in options if name not in known]
    for name in bad:
        problems.append(
            Problem(f"{place}.{name}", f"{what} takes no such option - {advice(name, known)}")
        )
    required = [
        n for n, f in known.items() if f.default is f.default_factory is dataclasses.MISSING
    ]
    missing = [n for n in required if options.get(n, "???") == "???"]
    for name in missing:
        problems.append(Problem(f"{place}.{name}", f"is missing - {what} needs it"))
    if bad or missing:
        return None
    try:
        return cls(**options)
    except OptionError as error:
        problems.append(Problem(f"{place}.{error.option}", error.problem))
    except (ValueError, TypeError) as error:
        problems.append(Problem(place, f"{what}: {error}"))
    return None


def parse_initializer(value: Any, place: str, problems: list[Problem]) -> Any:
    """An initializer from `zeros` (a name) or `{kind: normal, sigma: 0.1}`; initializers within its
    options are parsed too.
    """
    if isinstance(value, init.Initializer):
        return value
    if isinstance(value, str):
        value = {"kind": value}
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        problems.append(
            Problem(place, f"must be an initializer's name or a mapping with a kind, got {value!r}")
        )
        return None
    kind = value["kind"]
    try:
        cls = init.by_name(kind)
    except KeyError:
        problems.append(
            Problem(f"{place}.kind", f"no initializer '{kind}' - {advice(kind, init.names())}")
        )
        return None
    before = len(problems)
    options = {
        name: _nested(option, f"{place}.{name}", problems)
        for name, option in value.items()
        if name != "kind"
    }
    return construct(cls, options, place, kind, problems) if len(problems) == before else None


def _nested(value: Any, place: str, problems: list[Problem]) -> Any:
    """An option's value with every mapping that has a `kind` made an initializer."""
    if isinstance(value, dict):
        if "kind" in value:
            return parse_initializer(value, place, problems)
        return {
            key: parse_initializer(item, f"{place}.{key}", problems)
            if key == "init"
            else _nested(item, f"{place}.{key}", problems)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_nested(item, f"{place}[{i}]", problems) for i, item in enumerate(value)]
    return value


def parse_layers(listed: Any, place: str, problems: list[Problem]) -> list[LayerSpec]:
    """The specifications of a list of layers; what is wrong goes to `problems`."""
    if not isinstance(listed, list) or not listed:
        problems.append(Problem(place, f"must be a list of at least one layer, got {listed!r}"))
        return []
    specs: list[LayerSpec] = []
    seen: dict[str, str] = {}
    for number, entry in enumerate(listed):
        here = f"{place}[{number}]"
        spec = _parse_layer(entry, here, number, problems)
        if spec is None:
            continue
        if spec.name in seen:
            problems.append(
                Problem(f"{here}.name", f"'{spec.name}' is also the name of {seen[spec.name]}")
            )
        seen[spec.name] = here
        specs.append(spec)
    return specs


def _parse_layer(entry: Any, place: str, number: int, problems: list[Problem]) -> LayerSpec | None:
    if not isinstance(entry, dict):
        problems.append(
            Problem(place, f"must be a mapping like {{kind: dense, units: 10}}, got {entry!r}")
        )
        return None
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in REGISTRY:
        said = f"no layer kind {kind!r}" if kind is not None else "has no kind"
        problems.append(Problem(f"{place}.kind", f"{said} - {advice(str(kind), REGISTRY)}"))
        return None
    name = str(entry.get("name", number))
    if not NAME.fullmatch(name):
        problems.append(
            Problem(
                f"{place}.name", f"{name!r} must be text without dots, slashes, '@' and white space"
            )
        )
    cls = REGISTRY.get(kind)
    options = {key: value for key, value in entry.items() if key not in ("kind", "name")}
    for option in options:
        if (
            option.endswith("_initializer")
            and options[option] is not None
            and option in options_of(cls)
        ):
            options[option] = parse_initializer(options[option], f"{place}.{option}", problems)
    layer = construct(cls, options, place, kind, problems)
    if layer is None:
        return None
    children = {
        option: parse_layers(getattr(layer, option), f"{place}.{option}", problems)
        for option in cls.nested
        if getattr(layer, option) is not None
    }
    return LayerSpec(place, name, layer, children)


def parse_share(value: Any, place: str, problems: list[Problem]) -> dict[str, list[str]]:
    """Share groups: name -> at least two different paths of layers or of parameters, none of them
    in two groups.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.append(
            Problem(place, f"must be a mapping of group names to lists of paths, got {value!r}")
        )
        return {}
    groups: dict[str, list[str]] = {}
    for group, members in value.items():
        here = f"{place}.{group}"
        if not isinstance(members, list) or len(members) < 2:
            problems.append(
                Problem(here, f"must list at least two layers or parameters, got {members!r}")
            )
            continue
        names = [str(member) for member in members]
        for name in sorted({n for n in names if names.count(n) > 1}):
            problems.append(Problem(here, f"lists '{name}' twice"))
        groups[str(group)] = list(dict.fromkeys(names))
    _check_disjoint(groups, place, problems)
    return groups


def _check_disjoint(groups: dict[str, list[str]], place: str, problems: list[Problem]) -> None:
    """Note groups that refer to one another, and members of two groups."""
    for cycle in _cycles(groups):
        problems.append(
            Problem(
                place, f"share cycle: {' -> '.join(cycle)} - a group must list layers, not groups"
            )
        )
    owner: dict[str, str] = {}
    for group, members in groups.items():
        shared = [m for m in members if m in owner]
        for other in sorted({owner[m] for m in shared}):
            both = [m for m in shared if owner[m] == other]
            if len(both) > 1:
                path = " -> ".join([*both, both[0]])
                problems.append(
                    Problem(
                        f"{place}.{group}",
                        f"share cycle with '{other}': {path} - keep one of the two groups",
                    )
                )
            else:
                problems.append(
                    Problem(
                        f"{place}.{group}",
                        f"'{both[0]}' is in group '{other}' too - join the two groups",
                    )
                )
        owner |= dict.fromkeys(members, group)


def _cycles(groups: dict[str, list[str]]) -> Iterator[list[str]]:
    """Each chain of groups that lists groups and comes back to its start, once."""
    done: set[str] = set()
    for start in groups:
        chain = [start]
        while start not in done:
            following = next((m for m in groups[chain[-1]] if m in groups), None)
            if following is None:
                break
            if following in chain:
                cycle = chain[chain.index(following) :]
                done |= set(cycle)
                yield [*cycle, following]
                break
            chain.append(following)
        done.add(start)


def parse_model(value: dict[str, Any], problems: list[Problem]) -> ModelSpec:
    """The model of a resolved config."""
    for key in value:
        if key not in ("input", "layers", "share"):
            problems.append(
                Problem(
                    f"model.{key}", f"no such key - {advice(key, ('input', 'layers', 'share'))}"
                )
            )
    shape = value.get("input")
    if shape is not None and not (
        isinstance(shape, list)
        and shape
        and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in shape)
    ):
        problems.append(
            Problem("model.input", f"must be a list of positive whole numbers, got {shape!r}")
        )
        shape = None
    return ModelSpec(
        None if shape is None else tuple(shape),
        parse_layers(value.get("layers"), "model.layers", problems),
        parse_share(value.get("share"), "model.share", problems),
    )
