"""The JSON Schemas of the files of a config: the root, and the option files of each group."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from initlab.engine.registry import Registry
from initlab.runner.claims.claim import KEYS as CLAIM
from initlab.runner.claims.claim import NEEDED, RELATIONS
from initlab.runner.config import schema
from initlab.runner.config.objective import DISTANCES
from initlab.runner.config.option_files import ROOT
from initlab.runner.config.permitted import LAUNCHERS
from initlab.runner.errors import ConfigError
from initlab.runner.files import storage_errors, write_text
from initlab.runner.reference.entry import of_class
from initlab.runner.reference.groups import LAUNCHER, Group, groups
from initlab.runner.reference.schemas import (
    DRAFT,
    LAYER_LIST,
    REFERENCE,
    definitions,
    described,
    group_definitions,
    kind_schema,
    opened,
    option_schema,
)
from initlab.runner.reference.values import Schema, schema_of
from initlab.runner.theory.forms import ARGUMENTS, FORMS

ANY: Schema = {}
SEVERAL_VALUES: Schema = {"type": "object", "description": "key of a run: its value, or a list."}


def file_schemas(folders: Iterable[Path] = ()) -> dict[str, Schema]:
    """Return {group, or config for the root and for experiments and sweeps: JSON Schema}.

    `folders` are the user's own, whose options are suggested.
    """
    known = groups()
    chosen = (*schema.GROUPS, "model", "device")
    names = {group: sorted(known[group].entries(folders)) for group in chosen}
    shared = definitions()
    found: dict[str, Schema] = {}
    parts: dict[str, Schema] = {}
    for group in schema.GROUPS:
        parts |= group_definitions(group, schema.kinds(group))
        beside = {"defaults": ANY}
        defined = {**shared, **group_definitions(group, schema.kinds(group), beside)}
        body = {**group_part(group, beside), "title": known[group].title}
        found[group] = document(body, defined, defaults_of(group, names))
    for group, body in (("model", model()), ("device", device()), (LAUNCHER, launcher())):
        found[group] = document(body, shared, defaults_of(group, names))
    found[ROOT] = document(root(known), {**shared, **parts}, defaults_of("", names))
    return found


def document(body: Schema, defined: Mapping[str, Schema], defaults: Schema) -> Schema:
    """Return a whole schema: the keys of a file, its list of defaults, and the definitions used."""
    properties = {"defaults": defaults, **_mapping(body.get("properties"))}
    whole: Schema = {"$schema": DRAFT, **body, "properties": properties}
    whole["$defs"] = _used(whole, defined)
    return whole


def _used(body: Schema, defined: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the definitions that a schema refers to, directly or not."""
    found: dict[str, Schema] = {}
    left = [body]
    while left:
        for name in _references(left.pop()):
            if name not in found:
                found[name] = defined[name]
                left.append(defined[name])
    return dict(sorted(found.items()))


def _references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {str(node["$ref"]).removeprefix("#/$defs/")} if "$ref" in node else set()
        return own.union(*(_references(part) for part in node.values()))
    return set().union(*(_references(part) for part in node)) if isinstance(node, list) else set()


def _mapping(value: object) -> dict[str, Schema]:
    return dict(value) if isinstance(value, dict) else {}


def group_part(group: str, beside: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of a group's keys: those of the kind that `kind` or the list of defaults
    names, or without one those of any kind; `beside` are other keys.
    """
    registry: Registry[type] = schema.kinds(group)
    conditions, parts = [], []
    for kind in registry:
        named = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        const = {"contains": {"const": f"/schema/{group}/{kind}@_here_"}}
        listed = {"properties": {"defaults": const}, "required": ["defaults"]}
        condition = {"anyOf": [named, listed]}
        conditions.append(condition)
        parts.append({"if": condition, "then": {"$ref": f"#/$defs/{group}.{kind}.part"}})
    other: Schema = {"properties": {**dict.fromkeys(_all_keys(registry), ANY), **(beside or {})}}
    other["additionalProperties"] = False
    parts.append({"if": {"anyOf": conditions}, "else": other})
    kind = {"anyOf": [{"enum": sorted(registry)}, REFERENCE]}
    return {"type": "object", "properties": {"kind": kind}, "allOf": parts}


def _all_keys(registry: Registry[type]) -> list[str]:
    entries = (of_class("", kind, cls) for kind, cls in registry.entries().items())
    return ["kind", *sorted({o.name for entry in entries for o in entry.options})]


def model() -> Schema:
    """Return the schema of a network."""
    sizes = {"type": "array", "minItems": 1, "items": opened({"type": "integer", "minimum": 1})}
    path: Schema = {"type": ["string", "integer"]}
    tied: Schema = {"type": "array", "minItems": 2, "items": path}
    patterns = {"type": "array", "items": {"type": "string"}}
    null: Schema = {"type": "null"}
    properties: dict[str, Schema] = {
        "input": {
            "anyOf": [sizes, null, REFERENCE],
            "description": "The shape of one sample; null: what the data gives.",
        },
        "layers": {"anyOf": [LAYER_LIST, REFERENCE], "description": "The layers, in order."},
        "share": {
            "anyOf": [{"type": "object", "additionalProperties": tied}, null, REFERENCE],
            "description": "Name of a tie: the paths of layers or parameters that are one.",
        },
        "freeze": {
            "anyOf": [patterns, null, REFERENCE],
            "description": "Regular expressions for whole paths of parameters that are not trained.",
        },
    }
    return {
        "title": "Network",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def device() -> Schema:
    """Return the schema of a device."""
    made = kind_schema(of_class("device", "device", schema.DeviceOptions), whole=False)
    options = of_class("device", "device", schema.DeviceOptions).options
    properties = {option.name: option_schema(option) for option in options}
    return {**made, "title": "Device", "type": "object", "properties": properties}


def launcher() -> Schema:
    """Return the schema of a file of hydra/launcher: what a file may set of the permitted launchers."""
    properties: dict[str, Any] = {}
    for _, keys in LAUNCHERS.values():
        for key in keys.split():
            *above, last = key.split(".")
            here = properties
            for name in above:
                inner = {"type": "object", "properties": {}, "additionalProperties": False}
                here = here.setdefault(name, inner)["properties"]
            here[last] = ANY
    return {
        "title": "Launcher",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def root(known: Mapping[str, Group]) -> Schema:
    """Return the schema of the root config, of which experiments and sweeps hold a part."""
    properties: dict[str, Schema] = {"hydra": {"type": "object"}}
    keys = known["keys"].entries()
    for name, entry in keys.items():
        if "." not in name:
            [option] = entry.options
            said = f"{' '.join(entry.text)} ({option.values or 'any value'})"
            properties[name] = described(opened(schema_of(option.hint)), said, option.values)
    about = {name.partition(".")[2]: " ".join(entry.text) for name, entry in keys.items()}
    properties["objective"] |= {"anyOf": [objective(), {"type": "null"}, REFERENCE]}
    properties["expect"] |= {"anyOf": [claims(), {"type": "null"}, REFERENCE]}
    properties["sweep"] = {"type": "object", **block(about, whole=True)}
    for group in schema.GROUPS:
        part = group_part(group)
        if group in schema.SEVERAL:
            part = {"type": "object", "additionalProperties": part}
        properties[group] = {**part, "description": known[group].about}
    properties["model"] = {**model(), "description": known["model"].about}
    properties["device"] = {**device(), "description": known["device"].about}
    return {
        "title": "InitLab's config",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def block(about: Mapping[str, str], whole: bool) -> Schema:
    """Return the keys of a sweep, or of a block of its union."""
    mappings = {"type": "array", "items": SEVERAL_VALUES}
    found: dict[str, Schema] = {
        "grid": {**SEVERAL_VALUES},
        "cases": {"anyOf": [mappings, REFERENCE]},
        "exclude": {"anyOf": [mappings, REFERENCE]},
    }
    if whole:
        found["union"] = {"type": "array", "items": {"type": "object", **block(about, whole=False)}}
        for option in of_class("sweep", "sweep", schema.SweepOptions).options:
            if option.name not in found:
                found[option.name] = opened(schema_of(option.hint))
    described = {key: {**one, "description": about.get(key, "")} for key, one in found.items()}
    return {"properties": described, "additionalProperties": False}


def objective() -> Schema:
    """Return the schema of an objective."""
    null: Schema = {"type": "null"}
    properties: dict[str, Schema] = {
        "figure": {"type": "string"},
        "target": opened({"type": ["number", "null"]}),
        "distance": {"anyOf": [{"enum": list(DISTANCES)}, null, REFERENCE]},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["figure"],
        "additionalProperties": False,
    }


def claims() -> Schema:
    """Return the schema of a list of claims."""
    number = opened({"type": "number"})
    value: Schema = {"anyOf": [number, form()]}
    properties: dict[str, Schema] = dict.fromkeys(CLAIM, ANY)
    properties |= {
        "id": {"type": "string", "description": "Its name, unique in the experiment."},
        "cite": {"type": ["string", "number"], "description": "The source: paper, equation."},
        "quantity": {"type": ["string", "number"], "description": "An expression over results."},
        "predicted": {**value, "description": "A number, or a closed form."},
        "relation": {"enum": list(RELATIONS)},
        "error": {"anyOf": [{"enum": ["runs", "elements"]}, *value["anyOf"]]},  # type: ignore[misc]
        "z": number,
        "floor": number,
        "within": number,
        "where": {"type": "object", "description": "The runs of the claim, by their keys."},
        "note": {"type": ["string", "number"]},
    }
    claim: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(NEEDED),
        "additionalProperties": False,
    }
    return {"type": "array", "items": claim}


def form() -> Schema:
    """Return the schema of a closed form with its arguments."""
    arguments: dict[str, Schema] = {}
    conditions = []
    for name, function in FORMS.entries().items():
        own = inspect.signature(function).parameters
        condition = {"properties": {"form": {"const": name}}, "required": ["form"]}
        allowed = {"propertyNames": {"enum": ["form", *own]}}
        needed = [one for one, given in own.items() if given.default is given.empty]
        conditions.append({"if": condition, "then": {**allowed, "required": needed}})
        for argument in own:
            described: Schema = {"type": ["number", "string"]}
            arguments[argument] = {**described, "description": ARGUMENTS.get(argument, "")}
    names: Schema = {"enum": sorted(FORMS)}
    return {
        "type": "object",
        "properties": {"form": names, **arguments},
        "required": ["form"],
        "allOf": conditions,
    }


def defaults_of(group: str, names: Mapping[str, list[str]]) -> Schema:
    """Return the schema of a file's list of defaults, with what can be written suggested: the kinds and
    options of a group, or in the root config those of each group. `names` are the options.
    """
    text: Schema = {"type": "string"}
    chosen = {
        f"override /{name}": {"anyOf": [{"enum": known}, {"type": ["string", "array", "null"]}]}
        for name, known in names.items()
    }
    entry: Schema = {"type": "object", "minProperties": 1, "maxProperties": 1}
    if group in schema.GROUPS:
        own = [f"/schema/{group}/{kind}@_here_" for kind in schema.kinds(group)]
    else:
        own = [f"/schema/{group}@_here_"] if group in names else []
    words = {"enum": ["_self_", *own, *names.get(group, [])]}
    items = {"anyOf": [words, text, entry if group else {**entry, "properties": chosen}]}
    said = "The options that this file builds on; _self_ is the place of its own keys."
    return {"type": "array", "items": items, "description": said}


def write(folder: Path, found: Mapping[str, Schema]) -> list[Path]:
    """Write the schemas into a folder, which is made if it is missing; return the files.

    Raises ConfigError if it cannot be made, StorageError if it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"cannot be made ({error.strerror}) - give another folder"
        raise ConfigError.of(str(folder), said) from error
    files = {folder / f"{name}.json": body for name, body in sorted(found.items())}
    with storage_errors(folder):
        for file, body in files.items():
            write_text(file, json.dumps(body, indent=1, ensure_ascii=False) + "\n", durable=False)
    return list(files)
