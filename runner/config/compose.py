"""Composition of a config from command line words, with all problems reported at once.

Hydra stops at the first mistake. Here a failing word is recorded and removed, and composition is
repeated, so that all mistakes are found. Before any value is used, `permissions` judges the whole
composed tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

import hydra
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from initlab.runner.config import list_edits, permissions, permitted, plugins, schema
from initlab.runner.config.effect import Effects
from initlab.runner.config.explain import explain, how_to_write, key_of, options_of, within
from initlab.runner.config.hydra_internals import (
    COMPOSITION_ERRORS,
    VERSION,
    add_folder,
    parse_word,
    read_files_with,
    register_resolver,
    remove_resolver,
    store_option,
)
from initlab.runner.config.identity import OUTPUTS, Declaration, declaration_of
from initlab.runner.config.limits import check_limits
from initlab.runner.config.option_files import ROOT, check_overlay, conf_dir, shipped_options
from initlab.runner.config.option_reader import OptionFiles
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.evidence.run_ids import folder_in
from initlab.runner.files import check_local
from initlab.runner.json_values import JSON

Composed: TypeAlias = DictConfig
"""A composed config with its `hydra` node."""
HYDRAS = [Path(hydra.__file__).parent / "conf"]
"""The folder of Hydra's own options, which come first."""
RUN_DIR = "${run_dir:}"
"""The value in `conf/config.yaml` for a single run's folder."""
DEFAULT_KIND = "${default_init:${semantics}}"
"""The kind of initializer in `conf/init/default.yaml`."""


def register_with_hydra() -> None:
    """Register schemas, plugins' options and the resolvers of `conf/config.yaml` with Hydra."""
    schema.register(shipped_options())
    for name, resolver in (
        ("run_dir", _run_dir),
        ("sweep_dir", _sweep_dir),
        ("sweep_subdir", _sweep_subdir),
        ("default_init", _default_init),
    ):
        register_resolver(name, resolver)
    remove_resolver("oc.create")
    for group, node in {**permitted.LOGGING, **permitted.HELP}.items():
        store_option(f"hydra/{group}", "plain", node, provider="initlab")


def _declared(_root_: DictConfig) -> Declaration:
    plugins.load_from_environment()  # our first code in a launcher's process
    return declaration_of(_root_)


def _sweep_subdir(_root_: DictConfig) -> str:
    if _root_.task != "run":
        return "."
    return folder_in(Path(str(_root_.hydra.sweep.dir)), _declared(_root_).run_id).name


def _run_dir(_root_: DictConfig) -> str:
    return "." if _root_.task != "run" else str(_declared(_root_).folder)


def _default_init(semantics: object) -> str:
    """Return the kind of initializer that `init=default` is: torch's layers have initializers of their
    own for all parameters, Gluon's leave their weights to U(-scale, scale).
    """
    return "default" if semantics == "torch" else "uniform"


def _sweep_dir(_root_: DictConfig) -> str:
    return "." if _root_.task != "run" else str(Path(OUTPUTS) / str(_root_.name))


def set_run_dir(config: DictConfig, declaration: Declaration) -> Path:
    """Write the folder of a single run into `hydra.run.dir`, so that it is computed once; return
    it.
    """
    if OmegaConf.to_container(config.hydra.run, resolve=False)["dir"] == RUN_DIR:  # type: ignore[index, call-overload]
        config.hydra.run.dir = "." if config.task != "run" else str(declaration.folder)
    check_local("hydra.run.dir", str(config.hydra.run.dir))
    return Path(str(config.hydra.run.dir))


def compose(words: list[str], config_dir: str | None = None) -> DictConfig:
    """Return the composed config with its `hydra` node.

    Raises ConfigError with every problem in the words or in the tree.
    """
    start(words, config_dir)
    edits = Problems()
    given = Words(list_edits.plain(list_edits.with_functions(words), compose_once, edits))
    given.problems.found += edits.found
    config = given.compose(compose_once)
    with given.problems.under():
        check_permitted(config, given.sound)
    with given.problems.under():
        chosen = config.hydra.runtime.choices
        Effects(compose_once).check(given.sound, given.sound, chosen, lambda: config)
    if given.problems:
        raise ComposedWithProblems(given.problems.found, config, given)
    return config


def check_single(config: DictConfig) -> None:
    """Raise ConfigError with each word for Hydra that has no effect on a single run."""
    problems = Problems()
    if config.hydra.mode == RunMode.MULTIRUN:
        problems.add("hydra.mode", "MULTIRUN is for sweeps - in Python, declare each run")
    for word in map(str, config.hydra.overrides.hydra):
        key = word.lstrip("+~").partition("=")[0]
        if key.replace("/", ".").startswith(("hydra.launcher", "hydra.sweeper", "hydra.sweep.")):
            problems.add(key, "is for a sweep, and this is a single run - add -m, or leave it out")
    problems.raise_any()


def start(words: list[str], config_dir: str | None) -> None:
    """Initialize Hydra for composing, with the user's folder of options if one is given."""
    if any(key_of(word) == "hydra.searchpath" for word in words):
        said = "is refused: it can name a package to import - give --config-dir FOLDER"
        raise ConfigError.of("hydra.searchpath", said)
    if config_dir is not None:
        check_overlay(config_dir, HYDRAS)
    register_with_hydra()
    GlobalHydra.instance().clear()
    initialize_config_dir(config_dir=str(conf_dir()), job_name="runner", **VERSION)
    if config_dir is not None:
        add_folder(Path(config_dir).resolve())
    read_files_with(OptionFiles)


Config = TypeVar("Config")
"""A composed config, in whatever form."""


class Words:
    """Words of the command line: the valid ones as `sound`, the `problems` of the others, and as
    `lost` the groups whose option one of those others chose.

    A valid word follows Hydra's override grammar and chooses an option by its name.
    """

    def __init__(self, words: list[str]) -> None:
        self.problems = Problems()
        self.sound: list[str] = []
        self.lost: list[str] = []
        for word in words:
            with self.problems.under():
                check_word(word)
                self.sound.append(word)

    def compose(self, load: Callable[[list[str]], Config]) -> Config:
        """Return the config that `load` composes from the valid words.

        A word that breaks composition is removed from `sound`. Raises ConfigError if no removal
        helps.
        """
        while True:
            try:
                return load(self.sound)
            except COMPOSITION_ERRORS as error:
                problem, culprit = explain(error, self.sound)
                if culprit is None:
                    culprit = next((word for word in self.sound if _fails_alone(word, load)), None)
                    problem = problem if culprit is None else within(culprit, problem)
                if culprit is None or key_of(culprit).partition(".")[0] not in self.lost:
                    self.problems.found.append(problem)  # else it is judged by the default's keys
                if culprit is None:
                    raise ConfigError(self.problems.found) from error
                self.sound.remove(culprit)
                if key_of(culprit) in shipped_options():
                    self.lost.append(key_of(culprit))


def _fails_alone(word: str, load: Callable[[list[str]], Config]) -> bool:
    try:
        load([word])
    except COMPOSITION_ERRORS:
        return True
    return False


class ComposedWithProblems(ConfigError):
    """Raised if the words could be composed only without the wrong ones.

    `config` is the config of the others, so that it can be checked too. Where a wrong word chose an
    option, the group's default is in its place; `in_place_of` are configs with another option there.
    What all of them have wrong does not come from the default.
    """

    def __init__(self, problems: list[Problem], config: DictConfig, given: Words) -> None:
        super().__init__(problems)
        self.config = config
        self._given = given

    def in_place_of(self) -> Iterator[DictConfig]:
        """Yield the config with another option for each group whose option could not be read."""
        for group in self._given.lost:
            default = self.config.hydra.runtime.choices.get(group)
            other = next(
                (
                    name
                    for name in sorted(shipped_options()[group], reverse=True)
                    if name != default
                ),
                None,
            )
            with suppress(*COMPOSITION_ERRORS):
                yield compose_once([*self._given.sound, f"{group}={other}"])


def compose_once(words: list[str]) -> DictConfig:
    """Return the config of the words, after `start`. Raises the errors of Hydra."""
    current = GlobalHydra.instance().hydra
    assert current is not None
    return current.compose_config(
        config_name=ROOT,
        overrides=words,
        run_mode=RunMode.RUN,
        from_shell=False,
        with_log_configuration=False,
    )


def check_word(word: str) -> None:
    """Raise ConfigError unless a word follows Hydra's override grammar.

    A word that chooses an option of a group must name the option.
    """
    check_limits(word)
    try:
        override = parse_word(word)
    except (HydraException, RecursionError) as error:
        raise ConfigError.of(word, how_to_write(word, error)) from None
    group = override.key_or_group
    if not group:
        raise ConfigError.of(word, "has no key - write key=value")
    if group not in shipped_options() or override.is_delete() or override.is_sweep_override():
        return
    value = override.value()
    for name in value if isinstance(value, list) else [value]:
        if not isinstance(name, str) or "${" in name:
            said = f"must be the name of an option, got {name!r}"
            raise ConfigError.unknown(group, said, "", options_of(group))


def check_permitted(config: DictConfig, words: Iterable[str]) -> None:
    """Raise ConfigError with everything in a config, composed with these words, that is not
    permitted.
    """
    permissions.check(config, permissions.Typed.of(words))


def unresolved(config: DictConfig) -> dict[str, JSON]:
    """Return a composed config as plain mappings and lists, with interpolations unresolved."""
    return cast(dict[str, JSON], OmegaConf.to_container(config, resolve=False))


def read_option(file: Path) -> dict[str, JSON]:
    """Return the content of an option file, or of another config in YAML, unresolved.

    Raises ValueError if it is no YAML mapping, and OSError if it cannot be read.
    """
    try:
        content = OmegaConf.load(file)
    except (YAMLError, OmegaConfBaseException) as error:
        raise ValueError(str(error)) from error
    if not isinstance(content, DictConfig):
        raise ValueError(f"{file}: is no mapping")
    return unresolved(content)


def hydra_files(config: DictConfig) -> dict[str, str]:
    """Return the files that Hydra writes to `.hydra/`, as text by file name."""
    task = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return {
        "config.yaml": OmegaConf.to_yaml(task),
        "hydra.yaml": OmegaConf.to_yaml(OmegaConf.masked_copy(config, "hydra")),
        "overrides.yaml": OmegaConf.to_yaml(config.hydra.overrides.task),
    }
