"""JSON Schemas (draft 7) of kinds: the options of one kind, and a mapping that is chosen by `kind`.

An editor with the YAML language server completes, explains and checks a file by them. Whatever the
runner accepts is valid, with three exceptions that an editor may well underline: a number in quotes
for a number, another word for true or false, and a kind in capitals. An interpolation may stand for
any value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from initlab.engine.init.base import KINDS
from initlab.engine.init.base import REGISTRY as NAMES
from initlab.engine.options import truth
from initlab.engine.registry import Registry
from initlab.runner.layers import REGISTRY as LAYERS
from initlab.runner.plan.model import HOLDING
from initlab.runner.reference.entry import Entry, Option, of_class
from initlab.runner.reference.values import Schema, schema_of

DRAFT = "http://json-schema.org/draft-07/schema#"
INTERPOLATION = r"\$\{|^\?\?\?$"
"""What a text has that stands for a value: `${vars.width}`, or `???` for one that is given later."""
REFERENCE: Schema = {"$ref": "#/$defs/interpolation"}
INITIALIZER: Schema = {"$ref": "#/$defs/initializer"}
INNER: Schema = {"$ref": "#/$defs/inner"}
LAYER_LIST: Schema = {"$ref": "#/$defs/layers"}
SCALARS = {"integer", "number", "boolean", "null"}
OF_ANY_LAYER: dict[str, Schema] = {
    "name": {
        "type": ["string", "integer"],
        "description": "The layer's name in paths; without one it is its number in the list.",
    },
    "trainable": {
        "type": ["boolean", "null", "string"],
        "pattern": INTERPOLATION,
        "description": "false: its parameters are not trained.",
    },
}


def opened(schema: Schema) -> Schema:
    """Return the schema that allows an interpolation too, and a number for a text, as OmegaConf does."""
    choices = schema.get("anyOf")
    if isinstance(choices, list) and all("$ref" not in one for one in choices):
        simple = [one for one in choices if one.get("type") != "null"]
        if len(simple) == 1 and isinstance(simple[0].get("type"), str):
            return opened({**simple[0], "type": [simple[0]["type"], "null"]})
        return {"anyOf": [*choices, REFERENCE]}
    kind = schema.get("type")
    types = [kind] if isinstance(kind, str) else list(kind) if isinstance(kind, list) else []
    if not schema or (types and "string" in types and "number" in types):
        return schema
    if types and set(types) <= SCALARS:
        return {**schema, "type": [*types, "string"], "pattern": INTERPOLATION}
    if "string" in types:
        return {**schema, "type": [*types, "number"]}
    if "array" in types and isinstance(schema.get("items"), dict):
        schema = {**schema, "items": opened(dict(schema["items"]))}  # type: ignore[call-overload]
    return {"anyOf": [schema, REFERENCE]}


def option_schema(option: Option, nested: Sequence[str] = ()) -> Schema:
    """Return the schema of an option; `nested` are the names of those that hold layers."""
    if option.name in nested:
        schema: Schema = {"anyOf": [LAYER_LIST, {"type": "null"}, REFERENCE]}
    elif option.name in HOLDING:
        schema = {"anyOf": [INITIALIZER, {"type": "null"}, REFERENCE]}
    elif option.name == "rules":
        schema = {"anyOf": [{"$ref": "#/$defs/rules"}, REFERENCE]}
    else:
        schema = opened(schema_of(option.hint))
    values = option.values + ("; must be given" if option.required else "")
    return described(
        schema, f"{option.about} ({values})" if values else option.about, option.values
    )


def described(schema: Schema, text: str, values: str = "") -> Schema:
    """Return the schema with what an editor shows of it; `values` are the words for its values."""
    found: Schema = {**schema, "description": text}
    if "`" in text:
        found["markdownDescription"] = text
    if "pattern" in schema and values:
        found["patternErrorMessage"] = f"must be {values}, or an interpolation like ${{vars.x}}"
    return found


def told(entry: Entry) -> str:
    """Return what an editor shows of a kind."""
    parts = [*entry.text]
    parts += [f"Formula: {entry.formula}"] if entry.formula else []
    parts += [f"Source: {entry.source}"] if entry.source else []
    return "\n\n".join(parts)


def kind_schema(entry: Entry, whole: bool, beside: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of a mapping of this kind. Options that must be given are required if it is
    `whole`; `beside` are keys that it may have besides.
    """
    nested: Sequence[str] = getattr(entry.cls, "nested", ())
    kind = described({}, told(entry))
    properties = {
        "kind": kind,
        **{one.name: option_schema(one, nested) for one in entry.options},
        **(beside or {}),
    }
    made: Schema = {"title": entry.name, "properties": properties, "additionalProperties": False}
    needed = [option.name for option in entry.options if option.required]
    return made | ({"required": needed} if whole and needed else {})


def by_kind(
    named: Mapping[str, str], kinds: Iterable[str], whole: bool = True, needed: bool = True
) -> Schema:
    """Return the schema of a mapping that is chosen by `kind`. `named` is {kind: name of its
    definition}, of which `kinds` are suggested.
    """
    usual = sorted(kinds)
    others = sorted(named.keys() - set(usual))
    kind: Schema = {
        "anyOf": [{"enum": usual}, *([unsuggested(others)] if others else []), REFERENCE]
    }
    made: Schema = {
        "type": "object",
        "properties": {"kind": kind},
        "allOf": [chosen(kind, definition) for kind, definition in sorted(named.items())],
    }
    return made | ({"required": ["kind"]} if needed else {})


def unsuggested(names: Sequence[str]) -> Schema:
    """Return the schema of names that an editor accepts but does not suggest."""
    return {"type": "string", "pattern": f"^({'|'.join(names)})$"}


def chosen(kind: str, definition: str) -> Schema:
    """Return the schema that asks for a definition where `kind` has this value."""
    condition = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"if": condition, "then": {"$ref": f"#/$defs/{definition}"}}


def definitions() -> dict[str, Schema]:
    """Return {name: schema} of what any file may hold: initializers, rules and layers."""
    found: dict[str, Schema] = {"interpolation": {"type": "string", "pattern": INTERPOLATION}}
    named = {}
    for kind, cls in {**NAMES.entries(), **KINDS.entries()}.items():
        named[kind] = f"init.{kind}"
        found[f"init.{kind}"] = kind_schema(of_class("init", kind, cls), whole=True)
    usual = sorted(KINDS)
    others = unsuggested(sorted(named.keys() - set(usual)))
    found["initializer"] = {"anyOf": [{"enum": usual}, others, by_kind(named, usual)]}
    found["rules"] = rules()
    kinds = LAYERS.entries()
    for kind, cls in kinds.items():
        entry = of_class("layers", kind, cls)
        found[f"layers.{kind}"] = kind_schema(entry, whole=True, beside=OF_ANY_LAYER)
    found["layer"] = by_kind({kind: f"layers.{kind}" for kind in kinds}, kinds)
    found["layers"] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/layer"}}
    return found


def rules() -> Schema:
    """Return the schema of the rules of `mixed`."""
    properties: dict[str, Schema] = {
        "match": {"type": "string", "description": "A regular expression for whole paths."},
        "init": {**INITIALIZER, "description": "What fills the parameters that fit."},
        "optional": {**dict(truth.schema or {}), "description": "Whether it may fit nothing."},
    }
    rule: Schema = {
        "type": "object",
        "properties": properties,
        "required": ["match", "init"],
        "additionalProperties": False,
    }
    return {"type": "array", "minItems": 1, "items": rule}


def group_definitions(
    group: str, registry: Registry[type], beside: Mapping[str, Schema] | None = None
) -> dict[str, Schema]:
    """Return {name: schema} of a group's kinds, of which a file or a root config may hold a part;
    `beside` are other keys.
    """
    return {
        f"{group}.{kind}.part": kind_schema(of_class(group, kind, cls), False, beside)
        for kind, cls in registry.entries().items()
    }
