"""The only module that uses parts of Hydra which are undocumented, or which Hydra 1.3 and 1.4 name
differently.

used                                          for
hydra._internal.callbacks.Callbacks           a context without callbacks for job runner, launcher, sweeper
hydra._internal.utils.get_args_parser         the command line's flags
ConfigLoaderImpl._apply_overrides_to_config   setting words in a composed config without reading files again
ConfigLoaderImpl.repository: group_exists,     deciding whether a word chooses an option
  load_config,                                  the package that an option's file names
  initialize_sources and sources                adding the user's folder of options, and reading all of ours
FileConfigSource                                how an option's name becomes a file's
get_yaml_loader of omegaconf                  the YAML that OmegaConf reads
Override._value                               copying a parsed word with another number
GlobalHydra.hydra, ConfigStore.repo, Plugins'  saving and restoring the state of Hydra
  two mappings, BaseContainer._resolvers
DictConfig._content                           removing a key from a config with typed keys

`tests/runner/config/test_hydra_internals.py` tests everything we rely on.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from threading import RLock
from typing import Any, NoReturn

import hydra
import yaml
from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.utils import get_args_parser
from hydra.conf import HydraConf
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime, configure_log
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.basecontainer import BaseContainer
from omegaconf.errors import OmegaConfBaseException
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

try:
    from omegaconf._yaml import get_yaml_loader  # 2.4.1
except ImportError:
    from omegaconf._utils import get_yaml_loader

from initlab.engine.registry import nearest
from initlab.runner.config import grammar
from initlab.runner.errors import ConfigError

FileSource = FileConfigSource
"""Hydra's source of options in a folder."""
GUARDED = "execution_whitelist" in inspect.signature(hydra.main).parameters
"""Whether this Hydra (1.4) requires a list of what a config may call."""
VERSION: dict[str, Any] = {} if GUARDED else {"version_base": "1.3"}
"""Arguments of `hydra.main` and `initialize_config_dir` with which 1.3 behaves like 1.4."""
COMPOSITION_ERRORS = (
    HydraException,
    OmegaConfBaseException,
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
    OSError,
    AssertionError,
)
"""Exceptions of Hydra for words it cannot compose; the last six are bugs of Hydra, for words like
`init=null`.
"""
WHOLE_NUMBER = re.compile(r"([A-Za-z_][\w.]*=)(0|[1-9]\d{0,17})")


def allowing(targets: Collection[str]) -> dict[str, Any]:
    """Return the arguments that allow a config to name these classes, for functions of Hydra that
    ask.
    """
    return {"execution_whitelist": sorted(targets)} if GUARDED else {}


def store_option(group: str, name: str, node: Any, **given: Any) -> None:
    """Store `node` as the option `group=name` of Hydra, replacing an older one.

    `given` are `package` and `provider`.
    """
    store = ConfigStore.instance().store
    replace: dict[str, Any] = (
        {"replace": True} if "replace" in inspect.signature(store).parameters else {}
    )
    store(group=group, name=name, node=node, **given, **replace)


def register_resolver(name: str, resolver: Callable[..., Any]) -> None:
    """Register `${name:}` with OmegaConf, replacing an older resolver of that name."""
    new = "replace" in inspect.signature(OmegaConf.register_resolver).parameters
    register: Callable[..., None] = (
        OmegaConf.register_resolver if new else OmegaConf.register_new_resolver
    )  # 2.3 has an older function of the first name, 2.4 warns of the second
    register(name, resolver, replace=True)


def remove_resolver(name: str) -> None:
    """Make `${name:}` unknown to OmegaConf."""
    if OmegaConf.has_resolver(name):
        OmegaConf.clear_resolver(name)


ROOT_KEYS = frozenset(
    (
        *("seed", "stream", "name", "dtype", "init_mode", "threads", "shard", "task", "resume"),
        *("dry_run", "report", "objective", "sweep", "vars", "expect", "control", "model", "init"),
        *("device", "data", "probe", "snapshot", "tracker", "stats", "measure", "experiment"),
        *("show", "fold", "diagnose", "semantics", "tags", "note", "timeout"),
    )
)
"""The first parts of keys, which people write with dashes."""
REFUSED_FLAGS = ("config-path", "config-name", "experimental-rerun")
"""Options of Hydra's that `launch` refuses."""
ANSWERS = {
    "json": "a run's folder has plan.json and stats.json; in Python, initlab.declare(…).plan"
}
"""What is said of options that other programs have."""
BORROWED = RLock()
"""Held by the thread that uses Hydra in `borrowing_hydra`."""
OWNERS = ("hydra", "hydra_plugins")
"""Packages whose plugins every process sees: Hydra's own, and those that are installed."""


@contextmanager
def borrowing_hydra() -> Iterator[None]:
    """Use Hydra inside a `with` as in a fresh process, and restore its state afterwards.

    A process that uses Hydra itself is then not affected, and what it told Hydra has no effect
    inside: stored options, resolvers, plugins that are not installed, the name of the job. Hydra's
    state is global, so one thread borrows it at a time; a thread of the caller's must not use Hydra
    meanwhile.
    """
    with BORROWED:
        hydra, store, plugins = GlobalHydra.instance(), ConfigStore.instance(), Plugins.instance()
        job = JobRuntime.instance()
        before = (
            hydra.hydra,
            store.repo,
            plugins.plugin_type_to_subclass_list,
            plugins.class_name_to_class,
            BaseContainer._resolvers,
            job.conf,
        )
        store.repo = _provided(store.repo)
        store_option("hydra", "config", HydraConf, provider="hydra")
        plugins.plugin_type_to_subclass_list = defaultdict(
            list,
            {kind: list(filter(_is_installed, classes)) for kind, classes in before[2].items()},
        )
        plugins.class_name_to_class = {
            name: cls for name, cls in before[3].items() if _is_installed(cls)
        }
        BaseContainer._resolvers = dict(before[4])
        job.conf = copy.deepcopy(job.conf)
        try:
            yield
        finally:
            (
                hydra.hydra,
                store.repo,
                plugins.plugin_type_to_subclass_list,
                plugins.class_name_to_class,
                BaseContainer._resolvers,
                job.conf,
            ) = before


def _provided(group: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the ConfigStore that Hydra and installed plugins stored, which name
    their provider.
    """
    kept = {
        name: _provided(entry) if isinstance(entry, dict) else entry
        for name, entry in group.items()
    }
    return {name: entry for name, entry in kept.items() if getattr(entry, "provider", entry)}


def _is_installed(plugin: type) -> bool:
    return plugin.__module__.partition(".")[0] in OWNERS


def arguments_parser() -> ArgumentParser:
    """Return the parser of Hydra's command line."""
    return get_args_parser()


def parse_arguments(words: list[str]) -> tuple[Namespace, list[str]]:
    """Parse Hydra's command line; options and overrides may be mixed in any order.

    Returns the arguments, and the words with all overrides first, as Hydra itself wants them.
    Raises ConfigError for a wrong option.
    """
    parser = arguments_parser()

    def refuse(message: str) -> NoReturn:
        place, _, said = message.removeprefix("argument ").rpartition(": ")
        raise ConfigError.of(place, f"{said} - initlab --help lists all options")

    parser.error = refuse  # type: ignore[method-assign]
    arguments, unknown = parser.parse_known_intermixed_args(words)
    for word in unknown:
        raise _unknown_flag(word, parser)
    options = list(words)
    for override in arguments.overrides:
        options.remove(override)
    return arguments, [*arguments.overrides, *options]


def _unknown_flag(word: str, parser: ArgumentParser) -> ConfigError:
    """Return the error of a word with dashes that is no option: what may be meant."""
    name, is_key, value = word.lstrip("-").partition("=")
    key = name.replace("-", "_")
    write = f"{key}={value if is_key else '…'}"
    if key.partition(".")[0] in ROOT_KEYS:
        return ConfigError.of(word, f"is no option - a key is written without dashes: {write}")
    if key in ANSWERS:
        return ConfigError.of(word, f"is no option - {ANSWERS[key]}")
    flags = [flag for action in parser._actions for flag in action.option_strings]
    long = {flag.lstrip("-"): flag for flag in flags if flag.startswith("--")} | {
        "plugin": "--plugin"
    }
    shown = [flag for flag in long if flag not in REFUSED_FLAGS]
    near = nearest(name, shown)
    said = f"did you mean '{long[near]}'? " if near else ""
    listed = ", ".join(sorted(long[flag] for flag in shown))
    hint = "" if near else f"; a key is written without dashes: {write}"
    return ConfigError.of(word, f"is no option - {said}Known: {listed}{hint}")


def hydra_loader() -> ConfigLoader:
    """Return the config loader of the initialized Hydra."""
    return GlobalHydra.instance().config_loader()


def add_folder(folder: Path) -> None:
    """Add a folder of options to the initialized Hydra, as its own `--config-dir` does."""
    loader = hydra_loader()
    assert isinstance(loader, ConfigLoaderImpl)
    path = loader.get_search_path()
    path.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema"))
    loader.repository.initialize_sources(path)


def read_files_with(source: type[FileConfigSource]) -> None:
    """Let the initialized Hydra read the options in folders by a class of ours."""
    loader = hydra_loader()
    assert isinstance(loader, ConfigLoaderImpl) and isinstance(loader.repository, ConfigRepository)
    loader.repository.sources = [
        source(one.provider, one.path) if one.scheme() == FileConfigSource.scheme() else one
        for one in loader.repository.sources
    ]


@cache
def yaml_loader() -> Any:
    """Return the class by which OmegaConf reads YAML."""
    return get_yaml_loader()


@cache
def quick_yaml_loader() -> Any:
    """Return the same with libyaml's parser, ten times as fast, where PyYAML has it. It is for files
    that are known to be sound: the other one says better what is wrong, and how deep nesting may be.
    """
    slow = yaml_loader()
    parser = getattr(getattr(yaml, "cyaml", None), "CParser", None)
    if parser is None or issubclass(slow, parser):
        return slow

    def begin(self: Any, text: str) -> None:
        parser.__init__(self, text)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)

    return type("QuickLoader", (parser, slow), {"__init__": begin})


def hydra_context(targets: Collection[str]) -> HydraContext:
    """Return the context for Hydra's job runner, launchers and sweepers: the loader, and no
    callbacks.

    `targets` are the classes that a config may name.
    """
    return HydraContext(config_loader=hydra_loader(), callbacks=Callbacks(), **allowing(targets))


def configure_logging(config: DictConfig, targets: Collection[str]) -> None:
    """Set up logging as `hydra.hydra_logging` says; `targets` are the classes that it may name."""
    configure_log(config.hydra.hydra_logging, config.hydra.verbose, **allowing(targets))


def apply_words(overrides: Sequence[Override], config: DictConfig) -> None:
    """Set words that choose no option in a composed config, in place, as Hydra does when it
    composes.

    Raises the errors of Hydra.
    """
    ConfigLoaderImpl._apply_overrides_to_config(list(overrides), config)


def without_hydra(config: DictConfig) -> DictConfig:
    """Return a copy of a composed config without the node `hydra`; all keys keep their types, which
    `OmegaConf.masked_copy` drops.
    """
    made = copy.deepcopy(config)
    content = made.__dict__["_content"]
    content.pop("hydra", None)
    return made


def package_of(group: str, option: str) -> str | None:
    """Return the package that the file of an option names in its header, or None."""
    loader = hydra_loader()
    assert isinstance(loader, ConfigLoaderImpl)
    found = loader.repository.load_config(f"{group}/{option}")
    return None if found is None else found.header.get("package")


def options_chosen(group: str, words: Sequence[str]) -> list[str]:
    """Return the names of the options of a group that a config of these words has, in order.

    Raises the errors of Hydra.
    """
    loader = hydra_loader()
    found = loader.compute_defaults_list("config", list(words), RunMode.RUN)
    paths = (str(one.config_path) for one in found.defaults)
    return [path.removeprefix(f"{group}/") for path in paths if path.startswith(f"{group}/")]


def group_exists(key: str) -> bool:
    """Return whether `key` is a config group of the initialized Hydra."""
    loader = hydra_loader()
    assert isinstance(loader, ConfigLoaderImpl)
    return loader.repository.group_exists(key)


@lru_cache(4096)
def parse_word(word: str) -> Override:
    """Return a command line word as `grammar` parses it. The caller must not change the result.

    Words that differ only in a whole number, like seeds, are parsed once. Raises HydraException if
    it is no word.
    """
    number = WHOLE_NUMBER.fullmatch(word)
    if number is None or number[2] == "0":
        return grammar.parse(word)
    like = parse_word(f"{number[1]}0")
    return dataclasses.replace(like, _value=int(number[2]), input_line=word)


def assigned(words: Sequence[str]) -> dict[str, tuple[str, object]]:
    """Return {key: (word, value)} of the words that set one value, the last word of each key.

    Raises ConfigError that names a text that is no word.
    """
    found: dict[str, tuple[str, object]] = {}
    for word in words:
        try:
            parsed = parse_word(word)
        except (HydraException, RecursionError) as error:
            raise ConfigError.of(word, "is no word of a command line") from error
        if not parsed.is_delete() and not parsed.is_sweep_override() and parsed.package is None:
            found[parsed.key_or_group] = word, parsed.value()
    return found
