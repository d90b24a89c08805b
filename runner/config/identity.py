"""The identity of a run: its canonical config, and the id and folder that follow from it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.engine import streams
from initlab.engine.init.base import KINDS
from initlab.engine.options import LATER, options_of
from initlab.runner.config import schema, spelling
from initlab.runner.config.input_files import input_files
from initlab.runner.config.label import chosen_in, label_of
from initlab.runner.config.modes import without_mode
from initlab.runner.config.plugins import Plugin, loaded
from initlab.runner.data import REGISTRY
from initlab.runner.errors import ConfigError
from initlab.runner.evidence.run_ids import folder_in
from initlab.runner.files import in_json
from initlab.runner.json_values import JSON

IDENTIFYING = (
    "model",
    "init",
    "seed",
    "dtype",
    "init_mode",
    "device",
    "data",
    "probe",
    "stats",
    "snapshot",
)
"""The keys that determine the content of a run's folder; its name, task and launcher do not.
"""
OUTPUTS = "outputs"
MISSING = "missing"


@dataclass(frozen=True)
class Declaration:
    """What a run declares: its resolved config, and what identifies it. Each is computed once.

    `choices` are the chosen options by group, and `words` those about the task; both are for the label
    of the run's id only. Without them it is the kind of the initializer.
    """

    resolved: dict[str, JSON]
    choices: Mapping[str, str] = field(default_factory=dict)
    words: Sequence[str] = ()

    @cached_property
    def canonical(self) -> dict[str, JSON]:
        """The part of the config that identifies the run; it exists for an invalid config too."""
        return canonical_of(self.resolved)

    @cached_property
    def run_id(self) -> str:
        """The id that names the run's folder."""
        return run_id(self.canonical, label_of(self.resolved, self.choices, self.words))

    @property
    def folder(self) -> Path:
        """The run's folder, relative to the working directory: the one that is there, if it has another
        label, else the one that its id names.
        """
        return run_folder(str(self.resolved["name"]), self.run_id)


def declaration_of(config: DictConfig, hydra: DictConfig | None = None) -> Declaration:
    """Return what a composed config declares. `hydra` is its node of that name, if the config has
    none. Raises ConfigError if an interpolation fails.
    """
    node = config.get("hydra") if hydra is None else hydra
    resolved = completed(resolve(config))
    if node is None:
        return Declaration(resolved)
    return Declaration(resolved, chosen_in(node), tuple(typed_words(node)))


def typed_words(hydra: DictConfig) -> list[str]:
    """Return the words about the task as they were typed, from the `hydra` node of a composed config.

    An interpolation in a word is not resolved.
    """
    words = OmegaConf.to_container(hydra.overrides.task, resolve=False)
    return [str(word) for word in cast(list[object], words)]


def canonical_config(
    config: Mapping[str, JSON],
    stream: str,
    plugins: list[Plugin],
    files: dict[str, str],
    as_written: bool = False,
) -> dict[str, JSON]:
    """Return the part of a resolved config that identifies the run, as JSON types.

    It includes the stream's version and the SHA-256 of plugins and input files. NaN and infinities
    are texts, as in a manifest, whose config must give the same id. Lists have the one `spelling`,
    or, as in manifests of earlier versions, the one that was `as_written`.
    """
    canonical = {key: config.get(key) for key in IDENTIFYING}
    canonical["init"] = _without_later_defaults(canonical["init"])
    canonical["probe"] = without_mode(config)
    if not as_written:
        canonical["init"] = spelling.initializer(canonical["init"])
        model = canonical["model"]
        if isinstance(model, dict) and "layers" in model:
            canonical["model"] = {**model, "layers": spelling.layers(model["layers"])}
    model = canonical["model"]
    if isinstance(model, dict) and not model.get("freeze"):
        canonical["model"] = {name: value for name, value in model.items() if name != "freeze"}
    canonical["stream"] = stream
    if config.get("semantics", schema.SEMANTICS[0]) != schema.SEMANTICS[0]:
        canonical["semantics"] = config["semantics"]
    if config.get("shard") is not None:
        canonical["shard"] = config["shard"]
    for key in ("measure", "vars"):
        if config.get(key):
            canonical[key] = config[key]
    if plugins:
        canonical["plugins"] = [[plugin.file, plugin.sha256] for plugin in plugins]
    if files:
        canonical["files"] = files
    return cast(dict[str, JSON], in_json(canonical))


def _without_later_defaults(chosen: JSON) -> JSON:
    """Return an initializer's options without those that were added later and have their default, so
    that runs keep their ids.
    """
    kind = chosen.get("kind") if isinstance(chosen, dict) else None
    if not isinstance(chosen, dict) or not isinstance(kind, str) or kind not in KINDS:
        return chosen
    later = {n: o.default for n, o in options_of(KINDS.get(kind)).items() if LATER in o.metadata}
    return {n: v for n, v in chosen.items() if n not in later or v != later[n]}


def canonical_bytes(canonical: Mapping[str, JSON]) -> bytes:
    """Return the canonical text of a config: JSON with sorted keys and no spaces."""
    return json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def run_id(canonical: Mapping[str, JSON], label: str | None = None) -> str:
    """Return a label, the seed and 16 hex digits of the SHA-256: `normal-seed0-6f2c…`.

    By default the label is the kind of the initializer, as in ids of earlier versions.
    """
    initializer = canonical.get("init")
    kind = initializer.get("kind") if isinstance(initializer, dict) else None
    seed = re.sub(r"[^A-Za-z0-9_]+", "_", f"seed{canonical.get('seed')}")[:24]
    first = re.sub(r"[^A-Za-z0-9_]+", "_", str(kind))[:24] if label is None else label
    digest = hashlib.sha256(canonical_bytes(canonical)).hexdigest()[:16]
    return f"{first}-{seed}-{digest}"


def run_folder(name: str, identifier: str) -> Path:
    """Return the folder of a run, relative to the working directory. If there is one with the digits of
    its id, but another label, it is that one.
    """
    return folder_in(Path(OUTPUTS) / name, identifier)


def file_digest(path: str) -> str:
    """Return the SHA-256 of a file in hex, or `MISSING` if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return MISSING
    return digest.hexdigest()


def resolve(config: DictConfig) -> dict[str, JSON]:
    """Return the config as plain mappings and lists, without `hydra`.

    Raises ConfigError if an interpolation fails.
    """
    try:
        return {str(key): _plain(config, str(key)) for key in config if key != "hydra"}
    except OmegaConfBaseException as error:
        raise ConfigError.of(str(error.full_key or ""), str(error).splitlines()[0]) from error


def _plain(config: DictConfig, key: str) -> JSON:
    value = "???" if OmegaConf.is_missing(config, key) else config[key]
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    _check_keys(plain, key)
    return cast(JSON, plain)


def _check_keys(value: object, place: str) -> None:
    """Raise ConfigError for a key that is no text, which JSON cannot have."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ConfigError.of(place, f"the names of keys must be texts, got {key!r}")
            _check_keys(item, f"{place}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_keys(item, f"{place}[{number}]")


def completed(resolved: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return a resolved config in which every chosen option has all its keys, with the types of its
    class, like an option file that begins with `/schema/GROUP/KIND@_here_`.

    A config that leaves a default out is then the same run as one that states it. What is invalid
    stays as it is.
    """
    made = dict(resolved)
    for group in (*schema.GROUPS, "model"):
        several = made.get(group) if group in schema.SEVERAL else None
        if isinstance(several, dict):
            made[group] = {name: _completed(group, node) for name, node in several.items()}
        elif group not in schema.SEVERAL:
            made[group] = _completed(group, made.get(group))
    model = made.get("model")
    if isinstance(model, dict):
        empty = [name for name in ("share", "freeze") if model.get(name) in ({}, [])]
        made["model"] = {**model, **dict.fromkeys(empty)}
    return made


def _completed(group: str, options: JSON) -> JSON:
    if not isinstance(options, dict):
        return options
    cls: type = schema.Model
    if group != "model":
        kind = options.get("kind")
        if not isinstance(kind, str) or kind not in schema.kinds(group):
            return options
        cls = schema.schema_of(kind, schema.kinds(group).get(kind))
    types = schema.types_of(cls)
    odd = [
        name
        for name, value in options.items()
        if value is not None and types.get(name, Any) is not Any and type(value) is not types[name]
    ]
    if not odd and not types.keys() - options.keys():
        return options
    try:
        whole = OmegaConf.merge(OmegaConf.structured(cls), options)
    except OmegaConfBaseException:
        return options
    plain = cast(dict[str, JSON], OmegaConf.to_container(whole))
    return {name: value for name, value in plain.items() if value != "???" or name in options}


def canonical_of(resolved: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the canonical config of a resolved one, valid or not, in this process."""
    files = {place: file_digest(file) for place, file in input_files(resolved).items()}
    chosen = resolved.get("data")
    kind = chosen.get("kind") if isinstance(chosen, dict) else None
    fingerprint = (
        REGISTRY.get(kind).fingerprint() if isinstance(kind, str) and kind in REGISTRY else None
    )
    if fingerprint is not None:
        files["data"] = fingerprint
    return canonical_config(resolved, str(resolved.get("stream", streams.VERSION)), loaded(), files)
