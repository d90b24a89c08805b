"""The types behind `conf/`: every group's options come from the classes that implement them.

    group      options come from                 stored as
    init       engine.init's registry            schema/init/<kind>
    data       runner.data's registry            schema/data/<kind>
    probe      runner.probes' registry           schema/probe/<kind>
    stats      runner.stats' registry            schema/stats/<kind>
    measure    runner.measures' registry         schema/measure/<kind>
    tracker    runner.trackers' registry         schema/tracker/<kind>
    model      `Model` below                     schema/model
    device     `DeviceOptions` below             schema/device
    snapshot   engine.formats' registry          schema/snapshot/<kind>
    (root)     `Config` below                    schema/config

A class's dataclass fields are its options; `kind`, the name it is chosen by, is added here, so that
the classes know nothing of config. Hydra checks names and simple types while composing;
`runner.plan` checks all the rest, by the types of the fields.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Optional

from hydra.core.config_store import ConfigNode, ConfigStore
from omegaconf import MISSING, OmegaConf

from initlab.engine import formats, streams
from initlab.engine.init.base import KINDS
from initlab.engine.options import IN_CONFIG, Rule, Told, choice, options_of, positive, whole
from initlab.engine.registry import Registry
from initlab.runner import data, layers, measures, probes, stats, trackers
from initlab.runner.config.hydra_internals import store_option

SIMPLE_TYPES = (bool, int, float, str)
SECTIONS = ("parameters", "layers", "gradients", "training", "figures", "measures", "diagnosis")
"""What a run prints, in this order; `runner.terminal.measured` has a function for each."""
SEMANTICS = ("initlab", "mxnet", "torch")
"""The libraries whose layers' own initializers a config can name; the first is the default."""
LATER = {"semantics": SEMANTICS[0]}
"""Keys that runs of earlier versions lack, and what these runs are."""
PRINTED = ("show", "fold", "diagnose", "tags", "note", "timeout")
"""Keys that say what is told about a run, or how long it may take, and nothing about its values.
Runs of earlier versions lack them.
"""
DTYPES = ("float32", "float16", "float64", "bfloat16")
component = Rule(
    "be one path component",
    lambda value: (
        isinstance(value, str) and value not in ("", ".", "..") and not set(value) & set("/\\\0")
    ),
)
threads = whole().or_null(", or null for all processors")
timeout = positive.or_null(" of seconds, or null")
tags = Rule(
    "be a list of texts, like [baseline,wide]",
    lambda value: (
        isinstance(value, list)
        and all(isinstance(tag, str) and tag.strip() == tag != "" for tag in value)
    ),
)
note = Rule("be a text, or null", lambda value: value is None or isinstance(value, str))
variables = Rule("be a mapping of names to values", lambda value: isinstance(value, dict))
controls = Rule(
    'be a list of words like "init=normal"',
    lambda value: (
        value is None
        or (isinstance(value, list) and all(isinstance(w, str) and w.strip() for w in value))
    ),
)


@dataclass
class Model:
    """A network: the shape of one sample, a list of layers, share groups, and rules for the paths of
    parameters that are not trained.
    """

    input: Optional[list[int]] = None
    layers: list[Any] = field(default_factory=list)
    share: Any = None
    freeze: Any = None


@dataclass
class DeviceOptions:
    """The device of values and probe: `cpu` or `gpu`, and its index."""

    kind: Annotated[str, choice("cpu gpu")]
    """Host memory and NumPy (cpu), or a GPU and CuPy (gpu)."""
    index: Annotated[int, whole(0)]
    """Which of several GPUs."""


class NoSnapshot:
    """No file is written; the manifest still has the digests of the first values."""


@dataclass
class SweepOptions:
    """The axes of a sweep (see `runner.sweep.space`), and how it treats failures.

    `on_error` is continue or stop; `retries` is how often a failed run is repeated.
    """

    grid: dict[str, Any]
    """Example: initlab -m '+sweep.grid.seed="range(0,3)"' dry_run=true"""
    cases: list[Any]
    """Example: initlab -m 'sweep.cases=[{init: normal, init.sigma: 0.1}, {init: he}]' dry_run=true"""
    exclude: list[Any]
    """Example: initlab -m init=normal,he seed=0,1 'sweep.exclude=[{init: he, seed: 1}]' dry_run=true"""
    union: list[Any]
    """Example: initlab -m 'sweep.union=[{grid: {seed: [0, 1]}}, {grid: {init: [he]}}]' dry_run=true"""
    on_error: Annotated[str, choice("continue stop")]
    """Example: initlab -m seed=0,1 sweep.on_error=stop dry_run=true"""
    retries: Annotated[Any, whole(0)]
    """Example: initlab -m seed=0,1 sweep.retries=2 dry_run=true"""


@dataclass
class Config:
    """The root of the config. Defaults are in `conf/config.yaml`, whose defaults list fills the
    groups.
    """

    seed: Annotated[Any, whole(0, 2**64 - 1, " from 0 to 2^64-1")]
    """Example: initlab seed=7"""
    stream: Annotated[str, choice(streams.VERSIONS)]
    """Example: initlab stream=torch-2.13 semantics=torch seed=0"""
    semantics: Annotated[str, choice(SEMANTICS)]
    """Example: initlab semantics=torch"""
    name: Annotated[str, component]
    """Example: initlab name=first_try"""
    tags: Annotated[Any, tags]
    """Example: initlab tags=[baseline,wide]"""
    note: Annotated[Any, note]
    """Example: initlab 'note=with the new init'"""
    dtype: Annotated[str, choice(DTYPES)]
    """Example: initlab dtype=float16"""
    init_mode: Annotated[str, choice("deferred eager streamed")]
    """Example: initlab init_mode=streamed model=eager_mlp"""
    threads: Annotated[Any, threads]
    """Example: initlab threads=1"""
    timeout: Annotated[Any, timeout]
    """Example: initlab timeout=600"""
    shard: Annotated[Any, Told("i/n like 2/8, or null", {"type": ["string", "null"]})]
    """Example: initlab shard=1/4 init_mode=streamed model=eager_mlp probe=none"""
    task: Annotated[str, choice("run plan diagnose advise")]
    """Example: initlab task=plan init=he"""
    resume: bool
    """Example: initlab -m seed=0,1 resume=true"""
    dry_run: bool
    """Example: initlab -m init=normal,he dry_run=true"""
    diagnose: bool
    """Example: initlab diagnose=false"""
    report: Annotated[str, choice("none sweep all")]
    """Example: initlab report=all"""
    show: list[Annotated[str, choice(SECTIONS)]]
    """Example: initlab show=[parameters,diagnosis]"""
    fold: bool
    """Example: initlab fold=false model=deep_mlp"""
    objective: Annotated[Any, Told("{figure: …, target: …, distance: …}, or null")]
    """Example: initlab 'objective={figure: "layers[-1].rms", target: 1, distance: ratio}'"""
    sweep: SweepOptions
    vars: Annotated[dict[str, Any], variables]
    """Example: initlab +vars.width=64"""
    expect: Annotated[Any, Told("a list of claims")]
    """Example: initlab -m experiment=he_forward dry_run=true"""
    control: Annotated[Any, controls]
    """Example: initlab 'control=["init=normal"]'"""
    model: Any
    init: Any
    device: Any
    data: Any
    probe: Any
    snapshot: Any
    tracker: Any
    stats: dict[str, Any] = field(default_factory=dict)
    measure: dict[str, Any] = field(default_factory=dict)


def _config_type(hint: Any) -> Any:
    """Return the type for OmegaConf: simple types and their Optional; everything else is unchecked."""
    inner = [t for t in typing.get_args(hint) if t is not type(None)]
    if len(inner) == 1 and type(None) in typing.get_args(hint):
        return Optional[inner[0]] if inner[0] in SIMPLE_TYPES else Any
    return hint if hint in SIMPLE_TYPES else Any


def _default(option: dataclasses.Field[Any]) -> Any:
    if IN_CONFIG in option.metadata:
        return option.metadata[IN_CONFIG]
    if option.default is not dataclasses.MISSING:
        return option.default
    if option.default_factory is not dataclasses.MISSING:
        return field(default_factory=option.default_factory)
    return MISSING


@lru_cache(1024)
def schema_of(kind: str, cls: type) -> type:
    """Return the schema of `cls`: a dataclass of its options and `kind`."""
    hints = typing.get_type_hints(cls)
    fields = [
        (name, _config_type(hints[name]), _default(option))
        for name, option in options_of(cls).items()
    ]
    return dataclasses.make_dataclass(cls.__name__, [*fields, ("kind", str, kind)], kw_only=True)


@lru_cache(1024)
def types_of(cls: type) -> dict[str, Any]:
    """Return {key: type} of a schema: a simple type, of which null is another value, or Any."""
    hints = typing.get_type_hints(cls)
    simple = {Optional[one]: one for one in SIMPLE_TYPES} | {one: one for one in SIMPLE_TYPES}
    return {field.name: simple.get(hints[field.name], Any) for field in dataclasses.fields(cls)}


def kinds(group: str) -> Registry[Any]:
    """Return {kind: class} of everything a config can choose in `group`."""
    if group == "init":
        return KINDS
    if group == "snapshot":
        found: Registry[Any] = Registry("snapshot")
        for name, chosen in formats.for_runs().items():
            found.add(name, type(chosen))
        found.add("none", NoSnapshot)
        return found
    registries: dict[str, Registry[Any]] = {
        "data": data.REGISTRY,
        "probe": probes.REGISTRY,
        "stats": stats.REGISTRY,
        "measure": measures.REGISTRY,
        "tracker": trackers.REGISTRY,
    }
    return registries[group]


def of_runs(path: Sequence[str]) -> tuple[str, ...]:
    """Return the path of the key in the runs' configs that a value at `path` of a config is for: for
    the axes, cases and exclusions of a sweep the swept key. `*` is a place in a list.
    """
    match tuple(path):
        case ("sweep", "union", "*", *rest):
            return of_runs(("sweep", *rest))
        case ("sweep", "grid", key, *rest) | ("sweep", "cases" | "exclude", "*", key, *rest):
            return (*key.lstrip("+~").split("."), *(rest[1:] if rest[:1] == ["*"] else rest))
        case ("hydra", "sweeper", "params", *rest):
            return tuple(".".join(rest).lstrip("+~").split("."))
    return tuple(path)


def takes_text(path: Sequence[str]) -> bool:
    """Return whether the key at `path` is a text in every option that has it, so that OmegaConf makes
    a text of any value.
    """
    match of_runs(path):
        case (key,):
            return types_of(Config).get(key) is str
        case ("model", "layers", *_, "name") | ("model", "share", _, "*"):
            return True
        case ("device", key):
            return types_of(DeviceOptions).get(key) is str
        case (group, key) if group in GROUPS and group not in SEVERAL:
            known = kinds(group)
            # One that is no text decides: modules are imported only if no imported one does.
            having = _types_at(key, known.imported(but=known.modules()))
            if all(one is str for one in having):
                having = _types_at(key, known.imported())
            return bool(having) and all(one is str for one in having)
        case (group, kind, key) if group in SEVERAL and kind in kinds(group):
            return types_of(schema_of(kind, kinds(group).get(kind))).get(key) is str
    return False


def _types_at(key: str, classes: Mapping[str, type]) -> list[Any]:
    """Return the types of the options of these kinds that are called `key`."""
    found = [types_of(schema_of(kind, cls)) for kind, cls in classes.items()]
    return [types[key] for types in found if key in types]


def options_without_file(group: str, shipped: set[str]) -> list[str]:
    """Return the kinds of a group that have no file in `conf/`: those of plugins, and of modules
    that were dropped into a folder. `shipped` are the names of the group's files.
    """
    return sorted(kinds(group).imported(but=shipped).keys() - shipped)


GROUPS = ("init", "data", "probe", "stats", "measure", "tracker", "snapshot")
"""The groups whose options are classes of an open set."""
SEVERAL = ("stats", "measure")
"""The groups of which a run takes several options."""


def register(shipped: dict[str, set[str]] | None = None) -> None:
    """Store all schemas with Hydra.

    A kind without a file in `conf/<group>`, like that of a plugin, becomes an option by itself.
    `shipped` has the names of the files in `conf/` by group.
    """
    store_option(group="schema", name="config", node=Config, package="_global_")
    store_option(group="schema", name="model", node=Model)
    store_option(group="schema", name="device", node=DeviceOptions)
    for name, cls in _whole_models().items():
        given = {
            key: "???" if _default(o) is MISSING else _plain(o)
            for key, o in options_of(cls).items()
        }
        sample = None if cls.sample is None else list(cls.sample)
        store_option(
            group="model", name=name, node=Model(sample, [{"kind": name, "name": name, **given}])
        )
    for group in GROUPS:
        classes = kinds(group)
        schemas = Schemas(group)
        ConfigStore.instance().repo["schema"][group] = schemas
        for kind in [] if shipped is None else options_without_file(group, shipped[group]):
            # Make it now, since a launcher's process cannot import a plugin's class.
            schemas[f"{kind}.yaml"]
            package = f"{group}.{kind}" if group in SEVERAL else None
            node = schema_of(kind, classes.get(kind))
            store_option(group=group, name=kind, node=node, package=package)


def _whole_models() -> dict[str, type[layers.Layer]]:
    """Return {kind: class} of the layers of plugins that are whole models. No module is imported."""
    known = layers.REGISTRY.imported(but=layers.REGISTRY.modules())
    return {kind: cls for kind, cls in known.items() if cls.model}


def _plain(option: dataclasses.Field[Any]) -> Any:
    """Return an option's default."""
    made = option.default_factory
    return option.default if made is dataclasses.MISSING else made()


class Schemas(dict[str, Any]):
    """A group of Hydra's ConfigStore that creates schemas on demand.

    A run needs few of them, and each costs a millisecond.
    """

    def __init__(self, group: str) -> None:
        super().__init__()
        self._group = group

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or _kind_of(name) in kinds(self._group)

    def keys(self) -> Any:
        """Return all names; Hydra lists them."""
        return {f"{kind}.yaml" for kind in kinds(self._group)}

    def __getitem__(self, name: str) -> ConfigNode:
        if not super().__contains__(name):
            kind = _kind_of(name)
            node = OmegaConf.structured(schema_of(kind, kinds(self._group).get(kind)))
            group = f"schema/{self._group}"
            self[name] = ConfigNode(name=name, node=node, group=group, package=None, provider=None)
        made: ConfigNode = super().__getitem__(name)
        return made


def _kind_of(name: object) -> str:
    return str(name).removesuffix(".yaml")
