"""One spelling for what a config can write in several ways within its lists, so that it is one run.

    {kind: dense, units: 3, use_bias: true}      {kind: dense, units: 3}            no default of a layer
    {kind: dense, units: 3, name: "0"}           {kind: dense, units: 3}            no name that it has anyway
    {kind: dense, units: 3, trainable: true}     {kind: dense, units: 3}            as any layer
    {kind: dropout, rate: 0}                     {kind: dropout, rate: 0.0}         a fraction is one
    weight_initializer: he                       weight_initializer: {kind: he}     a name is a mapping
    bias_initializer: zeros                      bias_initializer: {kind: zero}     of a config's own name
    rules: [{match: .*, init: he}]               rules: [{match: .*, init: {kind: he}}]
    init: {kind: icnr, init: {kind: he}}         init: {kind: icnr, init: he}       but here it is a name

The right column is the spelling of the shipped options, whose runs keep their ids. Two ways stay,
since shipped options have both: an option that is null or not there, and an initializer within a list
that states its defaults or not. They are two runs with equal values. What is invalid stays as it is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from initlab.engine.init.base import KINDS, by_name
from initlab.engine.options import options_of
from initlab.engine.registry import snake_case
from initlab.runner.config import schema
from initlab.runner.json_values import JSON
from initlab.runner.layers import REGISTRY

UNSET = object()


def layers(listed: JSON) -> JSON:
    """Return a list of layers in the one spelling."""
    if not isinstance(listed, list):
        return listed
    return [_layer(entry, str(number)) for number, entry in enumerate(listed)]


def initializer(options: JSON) -> JSON:
    """Return an initializer's options in the one spelling of those that hold other initializers."""
    if not isinstance(options, dict):
        return options
    made: dict[str, JSON] = {}
    for name, value in options.items():
        if name in ("init", "default_init"):
            value = _within(value)
            name_only = isinstance(value, dict) and value.keys() == {"kind"}
            made[name] = value["kind"] if isinstance(value, dict) and name_only else value
        elif name == "rules" and isinstance(value, list):
            made[name] = [_rule(rule) for rule in value]
        else:
            made[name] = value
    return made


def _within(value: JSON) -> JSON:
    """Return an initializer in a layer's option or in a rule: a mapping."""
    if isinstance(value, str) and _kind(value) in KINDS:
        return {"kind": _kind(value)}
    if isinstance(value, dict) and isinstance(value.get("kind"), str):
        value = {**value, "kind": _kind(str(value["kind"]))}
    return initializer(value)


@lru_cache(1024)
def _kind(name: str) -> str:
    """Return the name in a config of an initializer, of which `zeros` is MXNet's."""
    try:
        cls = by_name(name)
    except KeyError:
        return name
    own = snake_case(cls.__name__)
    return own if own in KINDS and KINDS.get(own) is cls else name


def _rule(rule: JSON) -> JSON:
    if not isinstance(rule, dict):
        return rule
    made = {name: _within(value) if name == "init" else value for name, value in rule.items()}
    return {name: v for name, v in made.items() if not (name == "optional" and v is False)}


def _layer(entry: JSON, name: str) -> JSON:
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(kind, str) or kind not in REGISTRY:
        return entry
    cls: Any = REGISTRY.get(kind)
    types, defaults, nested = _options(cls)
    made: dict[str, JSON] = {}
    for key, value in entry.items():
        if key == "name" and type(value) is int:
            value = str(value)
        if (key == "name" and value == name) or (key == "trainable" and value in (None, True)):
            continue
        if key in nested:
            value = layers(value)
        elif key.endswith("_initializer"):
            value = _within(value)
        elif types.get(key) is float and type(value) is int:
            value = float(value)
        default = defaults.get(key, UNSET)
        if value is None or type(value) is not type(default) or value != default:
            made[key] = value
    return made


@lru_cache(1024)
def _options(cls: Any) -> tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]:
    """Return the simple types and the defaults of a layer's options, and those that hold layers."""
    types = schema.types_of(schema.schema_of(cls.kind, cls))
    return types, {name: option.default for name, option in options_of(cls).items()}, cls.nested
