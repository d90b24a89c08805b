"""What an option may be, in words and in JSON Schema, from its type."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Annotated

from initlab.engine.init import Initializer
from initlab.engine.laws import Law
from initlab.engine.options import Choice, Rule, Told

WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    dict: "a mapping",
    list: "a list",
}
TYPES: dict[object, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    dict: "object",
    list: "array",
}
ANY_INITIALIZER = "an initializer: its name, or {kind: …, and its options}"
ANY_LAW = "a law: {kind: …, and its options}"
Schema = dict[str, object]
INITIALIZER: Schema = {"$ref": "#/$defs/initializer"}


def optional(hint: object) -> tuple[object, bool]:
    """Return (the type without None, whether None is allowed)."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(parts) < len(typing.get_args(hint)):
            return typing.Union[tuple(parts)], True
    return hint, False


def checks_in(hint: object) -> tuple[object, list[object]]:
    """Return (the plain type, its checks) of an annotated type."""
    if typing.get_origin(hint) is Annotated:
        plain, *checks = typing.get_args(hint)
        return plain, checks
    return hint, []


def in_words(hint: object) -> str:
    """Return what values a type allows, like `a whole number of at least 1, or null`."""
    inner, null = optional(hint)
    said = _in_words(inner)
    return f"{said}, or null" if null and said else said


def _in_words(hint: object) -> str:
    plain, checks = checks_in(hint)
    for check in checks:
        if isinstance(check, Told):
            return check.wanted
        if isinstance(check, Choice):
            return _one_of(sorted(check.names))
    rules = [check.wanted for check in checks if isinstance(check, Rule)]
    if rules:
        said = ", ".join(rule.removeprefix("be ") for rule in rules[-1:])
        return f"a number that must {said}" if said.startswith("lie ") else said
    if plain is Initializer:
        return ANY_INITIALIZER
    if plain is Law:
        return ANY_LAW
    origin, parts = typing.get_origin(plain), typing.get_args(plain)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(in_words, parts))
    if origin in (list, tuple) and parts:
        inner = _in_words(parts[0])
        return f"a list, each of it {inner}" if inner else "a list"
    return WORDS.get(origin or plain, "")


def _one_of(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def schema_of(hint: object) -> Schema:
    """Return the JSON Schema of a type. Every value that its checks allow is valid."""
    inner, null = optional(hint)
    found = _schema_of(inner)
    return {"anyOf": [found, {"type": "null"}]} if null and found else found


def _schema_of(hint: object) -> Schema:
    plain, checks = checks_in(hint)
    for check in checks:
        if isinstance(check, Choice):
            return {"enum": sorted(check.names)}
        if isinstance(check, (Rule, Told)) and check.schema is not None:
            return dict(check.schema)
    if plain is Initializer:
        return INITIALIZER
    origin, parts = typing.get_origin(plain), typing.get_args(plain)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": list(map(schema_of, parts))}
    if origin is list:
        inner = schema_of(parts[0]) if parts else {}
        return {"type": "array", "items": inner} if inner else {"type": "array"}
    named = TYPES.get(origin or plain)
    return {} if named is None else {"type": named}


def merged(*schemas: Mapping[str, object]) -> Schema:
    """Return the schema of values that one of the schemas allows; equal ones count once."""
    found: list[Mapping[str, object]] = []
    for one in schemas:
        if one not in found:
            found.append(one)
    return dict(found[0]) if len(found) == 1 else {"anyOf": found}
