"""The declared network as objects: `model.layers` and `model.share`, checked, with the config path
of each part.

`runner.plan.network` builds blocks from them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from initlab.engine import init
from initlab.engine.errors import OptionError
from initlab.engine.init.base import REGISTRY as INITIALIZERS
from initlab.engine.init.patterns import patterns
from initlab.engine.options import check_given, config_defaults, options_of, truth, whole
from initlab.runner.errors import ConfigError, Problems, each, problems_of, typed
from initlab.runner.layers import REGISTRY, Layer
from initlab.runner.layers.base import OF_ANY_LAYER

NAME = re.compile(r"[^\s./@]+")
KEYS = ("input", "layers", "share", "freeze")
MOST_LAYERS = 100_000
"""The layers of a network. Each needs some kilobytes before anything is drawn."""
ClassOf = Callable[[str], type[init.Initializer]]


@dataclass
class LayerSpec:
    """One entry of a list of layers: its place in the config, its name among its siblings, its
    options.
    """

    place: str
    name: str
    layer: Layer
    children: dict[str, list[LayerSpec]] = field(default_factory=dict)
    """Nested option of the layer -> its specifications."""
    trainable: bool | None = None
    """False: the parameters of the layer and of all inside are frozen; None if it is not said."""

    def inside(self) -> Iterator[LayerSpec]:
        """Yield the specifications within this one."""
        for specs in self.children.values():
            for spec in specs:
                yield spec
                yield from spec.inside()


HOLDING = {"init", "default_init"}
"""The options of an initializer that hold another one."""
ONLY_WHOLE = (
    "holds 'default', which is for a whole network only: init=default - name another initializer "
    "here, or leave it out"
)


@dataclass
class ModelSpec:
    """The network: the shape of one sample (None if not declared), layers, share groups, and rules for
    the paths of frozen parameters.
    """

    input: tuple[int, ...] | None
    layers: list[LayerSpec]
    share: dict[str, list[str]]
    freeze: list[str] = field(default_factory=list)


def construct(cls: type, options: Mapping[str, object], what: str = "") -> Any:
    """Return `cls(**options)`.

    Raises ConfigError with all problems, placed at the options. `what` names the class in messages:
    `dense`, `init normal`, or '' for a part of a config that is no class of a set.
    """
    problems_with(cls, options, what).raise_any()
    try:
        return cls(**options)
    except OptionError as error:
        raise ConfigError(problems_of(error)) from error
    except (ValueError, TypeError) as error:
        raise ConfigError.of("", f"{what}: {error}") from error


def problems_with(cls: type, options: Mapping[str, object], what: str) -> Problems:
    """Return all problems of the options of a class, one by one. See `construct`."""
    known = options_of(cls)
    problems = Problems()
    for name in options:
        if name not in known:
            said = f"{what} takes no such option" if what else "no such key"
            problems.unknown(name, said, name, known)
    for name, option in known.items():
        required = option.default is option.default_factory is dataclasses.MISSING
        if required and options.get(name, "???") == "???":
            problems.add(name, f"is missing - {what} needs it" if what else "is missing")
    given = {name: value for name, value in options.items() if not problems.concern(name)}
    with problems.under():
        check_given(cls, given)
    return problems


def parse_initializer(value: Any, class_of: ClassOf = init.by_name) -> init.Initializer:
    """Return an initializer from a name (`zeros`) or a mapping (`{kind: normal, sigma: 0.1}`).

    `class_of` returns the class of a name or raises KeyError. By default a name is that of a config,
    and options that are not given have their default in a config. Initializers within its options
    are parsed too. Raises ConfigError with all problems.
    """
    if isinstance(value, init.Initializer):
        return value
    if isinstance(value, str):
        value = {"kind": value}
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        raise ConfigError.of(
            "", f"must be an initializer's name or a mapping with a kind, got {value!r}"
        )
    kind = value["kind"]
    try:
        cls = class_of(kind)
    except KeyError:
        raise ConfigError.unknown("kind", f"no initializer '{kind}'", kind, init.names()) from None
    options = {name: option for name, option in value.items() if name != "kind"}
    odd = [name for name in options if not isinstance(name, str)]
    if odd:
        raise ConfigError.of("", f"the names of options must be texts, got {odd[0]!r}")
    if class_of is init.by_name:
        options = config_defaults(cls) | options
        options |= {key: _as_in_config(options[key]) for key in HOLDING & options.keys()}

    def inner(option: Any) -> Any:
        return _nested(option, class_of)

    problems = Problems()
    sound = problems.sound(options, inner)
    if problems:  # say what else is wrong, with other initializers in place of the wrong ones
        rest = {**{key: _standing_in(value) for key, value in options.items()}, **sound}
        others = problems_with(cls, rest, kind).found
        problems.found += [problem for problem in others if not problems.concern(problem.place)]
    problems.raise_any()
    made: init.Initializer = construct(cls, sound, kind)
    return made


def check_alone(chosen: init.Initializer) -> None:
    """Raise ConfigError if an initializer holds `default`, which is a whole network's only."""
    if any(map(_holds_default, vars(chosen).items())):
        raise ConfigError.of("", ONLY_WHOLE)


def _holds_default(item: tuple[object, object]) -> bool:
    """Return whether an option (name, value) is or holds the initializer `default`."""
    name, value = item
    if isinstance(value, init.Default) or (name in HOLDING and value == "default"):
        return True
    inner: Any = ()
    if isinstance(value, (dict, init.Initializer)):
        inner = (value if isinstance(value, dict) else vars(value)).items()
    elif isinstance(value, (list, tuple)):
        inner = enumerate(value)
    return any(map(_holds_default, inner))


def _standing_in(value: Any) -> Any:
    """Return an option's value with a plain initializer in place of each that it describes."""
    if isinstance(value, dict):
        if "kind" in value:
            return init.Zero()
        return {
            key: init.Zero() if key == "init" else _standing_in(item) for key, item in value.items()
        }
    return list(map(_standing_in, value)) if isinstance(value, list) else value


def _as_in_config(value: Any) -> Any:
    """Return the initializer that a name means in an initializer's option, if its defaults in a
    config are others than in Python. Return any other value as it is.
    """
    if not isinstance(value, str) or value not in INITIALIZERS:
        return value
    defaults = config_defaults(INITIALIZERS.get(value))
    return init.create(value, **defaults) if defaults else value


def _nested(value: Any, class_of: ClassOf) -> Any:
    """Replace every mapping with a `kind` in an option's value by an initializer."""
    if isinstance(value, dict):
        if "kind" in value:
            return parse_initializer(value, class_of)
        problems = Problems()
        made = dict(value)
        for key, item in value.items():
            parse = parse_initializer if key == "init" else _nested
            with problems.under(str(key)):
                made[key] = parse(item, class_of)
        problems.raise_any()
        return made
    if isinstance(value, list):
        parts = {f"[{i}]": item for i, item in enumerate(value)}
        return list(each(parts, lambda part: _nested(part, class_of)).values())
    return value


def parse_layers(listed: object, place: str) -> list[LayerSpec]:
    """Return the specifications of the layers listed at `place` in the config.

    Raises ConfigError with all problems.
    """
    if not isinstance(listed, list) or not listed:
        raise ConfigError.of("", f"must be a list of at least one layer, got {listed!r}")
    problems = Problems()
    specs: list[LayerSpec] = []
    for number, entry in enumerate(listed):
        here = f"{place}[{number}]"
        with problems.under(f"[{number}]"):
            spec = _parse_layer(entry, here, number)
            twin = next((other for other in specs if other.name == spec.name), None)
            specs.append(spec)
            if twin is not None:
                raise ConfigError.of(
                    "name", f"'{spec.name}' is also the name of {typed(twin.place)}"
                )
    problems.raise_any()
    return specs


def _parse_layer(entry: object, place: str, number: int) -> LayerSpec:
    if not isinstance(entry, dict):
        raise ConfigError.of(
            "", f"must be a mapping like {{kind: dense, units: 10}}, got {entry!r}"
        )
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in REGISTRY:
        said = f"no layer kind {kind!r}" if kind is not None else "has no kind"
        raise ConfigError.unknown("kind", said, kind, REGISTRY)
    problems = Problems()
    given = entry.get("name", number)
    name = str(given)
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        problems.add("name", f"must be text, got {given!r} - put it in quotes, or leave it out")
    elif not NAME.fullmatch(name):
        problems.add("name", f"{name!r} must be text without dots, slashes, '@' and white space")
    cls = REGISTRY.get(kind)
    options = {key: value for key, value in entry.items() if key not in ("kind", *OF_ANY_LAYER)}
    trainable = entry.get("trainable")
    with problems.under():
        truth.or_null()("trainable", trainable)
    for option, value in options.items():
        chosen = option.endswith("_initializer") and option in options_of(cls)
        if chosen and value is not None:
            with problems.under(option):
                chosen_one = parse_initializer(value)
                if _holds_default(("", chosen_one)):
                    raise ConfigError.of("", ONLY_WHOLE)
                options[option] = chosen_one
    layer: Layer | None = None
    with problems.under():
        layer = construct(cls, options, kind)
    children = {}
    for option in cls.nested if layer is not None else ():
        if getattr(layer, option) is not None:
            with problems.under(option):
                children[option] = parse_layers(getattr(layer, option), f"{place}.{option}")
    problems.raise_any()
    assert layer is not None
    made = LayerSpec(place, name, layer, children, trainable)
    for spec in made.inside() if trainable is False else ():
        if spec.trainable:
            said = f"is true within a layer that is not trained ({typed(place)}.trainable=false)"
            problems.add(
                f"{spec.place[len(place) + 1 :]}.trainable", f"{said} - leave one of them out"
            )
    problems.raise_any()
    return made


def check_count(layers: list[LayerSpec]) -> None:
    """Raise ConfigError if the layers, with all their copies, are more than `MOST_LAYERS`."""
    count = _count(layers)
    if count > MOST_LAYERS:
        said = f"makes {count:,} layers, more than {MOST_LAYERS:,} - take fewer copies"
        raise ConfigError.of("", said)


def _count(layers: list[LayerSpec]) -> int:
    return sum(
        spec.layer.copies * (1 + sum(_count(nested) for nested in spec.children.values()))
        for spec in layers
    )


def parse_share(value: object) -> dict[str, list[str]]:
    """Return share groups: {name: at least two different paths of layers or of parameters}.

    No path may be in two groups. Raises ConfigError with all problems.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError.of(
            "", f"must be a mapping of group names to lists of paths, got {value!r}"
        )
    problems = Problems()
    groups: dict[str, list[str]] = {}
    for group, members in value.items():
        if not isinstance(members, list) or len(members) < 2:
            problems.add(
                str(group), f"must list at least two layers or parameters, got {members!r}"
            )
            continue
        names = [str(member) for member in members]
        for name in sorted({n for n in names if names.count(n) > 1}):
            problems.add(str(group), f"lists '{name}' twice")
        groups[str(group)] = list(dict.fromkeys(names))
    with problems.under():
        _check_disjoint(groups)
    problems.raise_any()
    return groups


def _check_disjoint(groups: dict[str, list[str]]) -> None:
    """Raise ConfigError if groups refer to each other in a cycle or a member is in two groups."""
    problems = Problems()
    for cycle in _cycles(groups):
        said = f"share cycle: {' -> '.join(cycle)} - a group must list layers, not groups"
        problems.add("", said)
    owner: dict[str, str] = {}
    for group, members in groups.items():
        shared = [m for m in members if m in owner]
        for other in sorted({owner[m] for m in shared}):
            both = [m for m in shared if owner[m] == other]
            if len(both) > 1:
                path = " -> ".join([*both, both[0]])
                said = f"share cycle with '{other}': {path} - keep one of the two groups"
            else:
                said = f"'{both[0]}' is in group '{other}' too - join the two groups"
            problems.add(group, said)
        owner |= dict.fromkeys(members, group)
    problems.raise_any()


def _cycles(groups: dict[str, list[str]]) -> Iterator[list[str]]:
    """Return each cycle of groups that refer to each other, once."""
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


def _check_names(share: Mapping[str, list[str]], layers: object) -> None:
    """Raise ConfigError with the members of groups that begin with no layer's name, of layers some of
    which are wrong.
    """
    if not isinstance(layers, list) or not layers:
        return
    entries = [entry if isinstance(entry, dict) else {} for entry in layers]
    names = [str(entry.get("name", number)) for number, entry in enumerate(entries)]
    problems = Problems()
    for group, members in share.items():
        for member in members:
            if member.partition(".")[0] not in names:
                said = f"'{member}' is no layer and no parameter"
                problems.unknown(group, said, member, names)
    problems.raise_any()


def parse_freeze(value: object) -> list[str]:
    """Return the rules of `model.freeze`. Raises OptionError for what is no list of expressions."""
    return [] if value is None else patterns("", value)


def parse_input(shape: object) -> tuple[int, ...] | None:
    """Return the declared shape of one sample, or None. Raises ConfigError if it is no shape."""
    if shape is None:
        return None
    if not (isinstance(shape, list) and shape and all(map(whole().fits, shape))):
        raise ConfigError.of("", f"must be a list of positive whole numbers, got {shape!r}")
    return tuple(shape)


def parse_model(value: Mapping[str, object], input: tuple[int, ...] | None) -> ModelSpec:
    """Return the model of a resolved config whose `input` is parsed.

    Raises ConfigError with all problems.
    """
    problems = Problems()
    for key in value:
        if key not in KEYS:
            problems.unknown(key, "no such key", key, KEYS)
    with problems.under("layers"):
        layers = parse_layers(value.get("layers"), "model.layers")
        check_count(layers)
    wrong = problems.concern("layers")
    with problems.under("share"):
        share = parse_share(value.get("share"))
        if wrong:
            _check_names(share, value.get("layers"))
    with problems.under("freeze"):
        freeze = parse_freeze(value.get("freeze"))
    problems.raise_any()
    return ModelSpec(input, layers, share, freeze)
