"""The groups of what a config can name, each with its entries: kinds of the registries, option files of
`conf/` and of the user's folder, keys, and commands.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from initlab.engine.laws.base import REGISTRY as LAWS
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.engine.optimizer import REGISTRY as OPTIMIZERS
from initlab.engine.optimizer import Optimizer
from initlab.engine.registry import Registry
from initlab.runner import layers
from initlab.runner.command import REGISTRY as COMMANDS
from initlab.runner.config import schema
from initlab.runner.config.option_files import ROOT, check_overlay, conf_dir
from initlab.runner.config.option_reader import read as read_options
from initlab.runner.probes.train import Train, taken
from initlab.runner.reference.comments import comments, header
from initlab.runner.reference.entry import (
    Entry,
    Option,
    as_yaml,
    of_class,
    of_function,
    options,
    read,
)
from initlab.runner.symptoms import REGISTRY as SYMPTOMS
from initlab.runner.theory.forms import ARGUMENTS, FORMS

Entries = dict[str, Entry]
LAUNCHER = "launcher"


@dataclass(frozen=True)
class Group:
    """A group: its name, what it is a list of, how one of it is chosen, and what makes its entries."""

    name: str
    title: str
    about: str
    chosen: str
    made: Callable[[tuple[Path, ...]], Entries]
    default: tuple[str, ...] = ()

    @property
    def singular(self) -> str:
        """What one of it is called."""
        return self.title.lower().removesuffix("s")

    def entries(self, folders: Iterable[Path] = ()) -> Entries:
        """Return {name: entry}, sorted; `folders` are the user's own, beside `conf/`."""
        found = self.made((conf_dir(), *folders))
        return found if self.name == "keys" else dict(sorted(found.items()))


def kinds_of(group: str, registry: Registry[Any], _: tuple[Path, ...]) -> Entries:
    """Return the entries of a registry of classes."""
    return {kind: of_class(group, kind, cls) for kind, cls in registry.entries().items()}


def forms(_: tuple[Path, ...]) -> Entries:
    """Return the closed forms."""
    known = FORMS.entries().items()
    return {name: of_function("forms", name, form, ARGUMENTS) for name, form in known}


def activations(_: tuple[Path, ...]) -> Entries:
    """Return the activation functions by name."""
    example = "input: [8]\nlayers:\n  - {{kind: dense, units: 16, activation: {}}}"
    return {
        name: replace(
            read(f.__doc__), group="activations", name=name, example=example.format(name), cls=f
        )
        for name, f in ACTIVATIONS.items()
    }


def optimizers(_: tuple[Path, ...]) -> Entries:
    """Return the optimizers, with the options that the probe `train` passes on and their defaults."""
    told = {option.name: option for option in options(Train, {})}
    found = {}
    for name, cls in OPTIMIZERS.entries().items():
        defaults = {
            parameter: as_yaml(given.default)
            for base in (Optimizer, cls)
            for parameter, given in inspect.signature(base.__init__).parameters.items()
            if given.default is not given.empty
        }
        chosen = [
            replace(told[key], default=defaults[key]) for key in taken(cls) if key in defaults
        ]
        words = f"initlab probe=train probe.optimizer={name} data=digits model.input=[64]"
        entry = of_class("optimizers", name, cls)
        found[name] = replace(entry, options=tuple(chosen), example=words)
    return found


def symptoms(_: tuple[Path, ...]) -> Entries:
    """Return what a diagnosis looks for."""
    return {
        name: Entry("symptoms", name, (cls.title, cls.why), source=cls.source, cls=cls)
        for name, cls in SYMPTOMS.entries().items()
    }


def commands(_: tuple[Path, ...]) -> Entries:
    """Return the commands."""
    found = {}
    for name, cls in COMMANDS.entries().items():
        said = of_class("commands", name, cls)
        found[name] = replace(said, options=(), text=(cls.summary, *said.text))
    return found


def keys(_: tuple[Path, ...]) -> Entries:
    """Return the plain keys of a config in the order of the root config, then those of `sweep`."""
    text = (conf_dir() / f"{ROOT}.yaml").read_text(encoding="utf-8")
    meanings = comments(text)
    content = read_options(conf_dir() / f"{ROOT}.yaml", ROOT).content
    found = {}
    for cls, before in ((schema.Config, ""), (schema.SweepOptions, "sweep.")):
        given = content["sweep"] if before else content
        defaults = {name: as_yaml(value) for name, value in given.items()}
        for option in sorted(
            all_options(cls, defaults), key=lambda one: list(defaults).index(one.name)
        ):
            key = before + option.name
            about = option.about.removeprefix("Example:").strip()
            found[key] = Entry(
                "keys",
                key,
                (meanings.get(key, ""),),
                example=about,
                options=(replace(option, name=key, about=""),),
            )
    return found | OF_MODELS


def all_options(cls: type, defaults: dict[str, str]) -> list[Option]:
    """Return the options of the root config that are plain keys: those that have a default."""
    plain = defaults.keys() - {"sweep", "hydra", "defaults"}
    return [option for option in options(cls, defaults) if option.name in plain]


def _of_model(key: str, text: str, values: str, default: str | None, example: str) -> Entry:
    option = Option(key, values, default)
    return Entry("keys", key, (text,), example=f"initlab {example}", options=(option,))


OF_MODELS: Entries = {
    one.name: one
    for one in (
        _of_model(
            "model.input",
            "The shape of one sample, without the axis of the batch.",
            "a list of whole numbers",
            None,
            "model=mlp model.input=[64] data=digits",
        ),
        _of_model(
            "model.layers",
            "The layers in order, each with its kind and options; `initlab help layers` lists the kinds.",
            "a list of layers",
            None,
            "'model.layers+={kind: dense, units: 3}'",
        ),
        _of_model(
            "model.share",
            "Parameters that are one array: a name for each list of paths. The first in the order of the "
            "network is drawn, and the others are it.",
            "null, or names with lists of paths",
            "null",
            "model=mlp 'model.layers=[{kind: dense, units: 20}, {kind: dense, units: 20}]' "
            "'+model.share.weights=[0.weight,1.weight]'",
        ),
        _of_model(
            "model.freeze",
            "Parameters that no gradient changes: regular expressions for their whole paths. Their first "
            "values are drawn as always.",
            "a list of regular expressions",
            "null",
            "model=mlp 'model.freeze=[\"0[.].*\"]'",
        ),
        _of_model(
            "model.layers.0.trainable",
            "Of any layer: false freezes its parameters, and those of the layers in it.",
            "null, true or false",
            "null",
            "model=mlp +model.layers.0.trainable=false",
        ),
    )
}
"""The keys of every model."""


@dataclass(frozen=True)
class File:
    """An option file: its name, the kind it chooses ('' if that is not known), the keys that it sets
    besides, and what its first comment says.
    """

    name: str
    kind: str
    sets: dict[str, Any]
    says: Entry


def files_of(group: str, folders: Iterable[Path]) -> dict[str, File]:
    """Return the option files of a group."""
    found = {}
    for folder in folders:
        for file in sorted((folder / group).glob("*.yaml")):
            content = read_options(file, f"{group}/{file.stem}").content
            sets = {key: value for key, value in content.items() if key not in ("defaults", "kind")}
            says = read("\n\n".join(header(file.read_text(encoding="utf-8-sig"))))
            found[file.stem] = File(file.stem, kind_of(group, content), sets, says)
    return found


def kind_of(group: str, content: dict[str, Any]) -> str:
    """Return the kind that an option file chooses, by `kind` or by its list of defaults."""
    kind = content.get("kind")
    if isinstance(kind, str) and "$" not in kind:
        return kind
    named = (
        re.fullmatch(rf"/schema/{group}/(\w+)@_here_", str(one))
        for one in content.get("defaults", ())
    )
    return next((match[1] for match in named if match), "")


def chosen_by_kind(group: str, folders: tuple[Path, ...]) -> Entries:
    """Return the kinds of a group of `conf/`, with the defaults of their files, and the files that
    choose a kind under another name.
    """
    files, found = files_of(group, folders), {}
    classes = schema.kinds(group).entries()
    for kind, cls in classes.items():
        own = files.get(kind)
        sets = {} if own is None or own.kind != kind else own.sets
        said = of_class(group, kind, cls, {key: as_yaml(value) for key, value in sets.items()})
        others = [file for file in files.values() if file.kind == kind and file.name != kind]
        notes = [f"{group}={file.name}: {' '.join(file.says.text)}" for file in others]
        found[kind] = replace(said, notes=tuple(notes), example=said.example or usual(group, kind))
    for name, file in files.items():
        if name not in found:
            cls = classes.get(file.kind)
            given = {key: as_yaml(value) for key, value in file.sets.items()}
            about = () if cls is None else (f"It is the kind {file.kind} with other defaults.",)
            base = found[file.kind] if cls is not None else Entry(group, name)
            found[name] = Entry(
                group,
                name,
                (*file.says.text, *about),
                file.says.formula or base.formula,
                file.says.source or base.source,
                file.says.example or usual(group, name),
                () if cls is None else options(cls, given),
            )
    return found


def chosen_by_file(group: str, folders: tuple[Path, ...]) -> Entries:
    """Return the option files of a group whose options are no classes."""
    files = files_of("hydra/launcher" if group == LAUNCHER else group, folders)
    known = options(schema.DeviceOptions, {"index": "0"}) if group == "device" else ()
    return {
        name: replace(
            file.says,
            group=group,
            name=name,
            example=file.says.example or usual(group, name),
            options=known,
        )
        for name, file in files.items()
    }


def models(folders: tuple[Path, ...]) -> Entries:
    """Return the networks: option files, and layer kinds of plugins that are whole models."""
    found = chosen_by_file("model", folders)
    for kind, cls in layers.REGISTRY.entries().items():
        if cls.model:
            found[kind] = replace(of_class("model", kind, cls), example=usual("model", kind))
    return found


def usual(group: str, name: str) -> str:
    """Return the words that choose an option of a group."""
    match group:
        case "stats" | "measure":
            return f"initlab {group}=[{name}]"
        case "experiment" | "sweep":
            return f"initlab -m {group}={name} dry_run=true"
        case "launcher":
            return f"initlab -m seed=0,1 hydra/launcher={name}"
    return f"initlab {group}={name}"


def overlay(config_dir: str | None) -> tuple[Path, ...]:
    """Return the user's folder of options. Raises ConfigError if it is none."""
    if config_dir is None:
        return ()
    check_overlay(config_dir)
    return (Path(config_dir),)


def groups() -> dict[str, Group]:
    """Return {name: group} in the order in which they are listed."""
    said = comments((conf_dir() / f"{ROOT}.yaml").read_text(encoding="utf-8"))
    chosen = defaults()

    def of_conf(name: str, title: str, how: str = "") -> Group:
        made = chosen_by_kind if name in schema.GROUPS else chosen_by_file
        made = partial(made, name) if name != "model" else models
        return Group(name, title, said[name], how or f"{name}=NAME", made, chosen.get(name, ()))

    layer_kinds = partial(kinds_of, "layers", layers.REGISTRY)
    made_of = "what a network is made of, in order; any layer may have a name, and trainable: false"
    by_kind = "model.layers: [{kind: NAME}]"
    activated = "what a layer's output goes through"
    by_name = "activation: NAME"
    stepping = "how the probe train and the measurement output_change step"
    launchers = partial(chosen_by_file, LAUNCHER)
    laws = partial(kinds_of, "laws", LAWS)
    drawn = "what is drawn, in a declaration for initlab audit --against"
    found = [
        of_conf("model", "Networks"),
        Group("layers", "Layers", made_of, by_kind, layer_kinds),
        Group("activations", "Activations", activated, by_name, activations),
        of_conf("init", "Initializers"),
        of_conf("device", "Devices"),
        of_conf("data", "Data"),
        of_conf("probe", "Probes"),
        Group("optimizers", "Optimizers", stepping, "probe.optimizer=NAME", optimizers),
        of_conf("snapshot", "Snapshots"),
        of_conf("stats", "Statistics", "stats=[NAME, NAME]"),
        of_conf("measure", "Measurements", "measure=[NAME, NAME]"),
        of_conf("tracker", "Trackers"),
        of_conf("experiment", "Experiments", "-m experiment=NAME"),
        of_conf("sweep", "Sweeps", "-m sweep=NAME"),
        Group(LAUNCHER, "Launchers", "who runs a sweep", "-m hydra/launcher=NAME", launchers),
        Group("keys", "Keys", "the plain keys of a config", "NAME=VALUE", keys),
        Group("forms", "Closed forms", "what a claim predicts", "predicted: {form: NAME}", forms),
        Group("laws", "Laws", drawn, "law: {kind: NAME}", laws),
        Group("symptoms", "Symptoms", "what initlab diagnose looks for", "", symptoms),
        Group("commands", "Commands", "what initlab does", "initlab NAME", commands),
    ]
    return {group.name: group for group in found}


def defaults() -> dict[str, tuple[str, ...]]:
    """Return {group: the options that the root config chooses}."""
    content = read_options(conf_dir() / f"{ROOT}.yaml", ROOT).content
    found = {}
    for entry in content["defaults"]:
        for group, chosen in entry.items() if isinstance(entry, dict) else ():
            found[group] = tuple(chosen) if isinstance(chosen, list) else (str(chosen),)
    return found
