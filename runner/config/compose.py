"""From command line words to a composed config, or to everything that is wrong with them.

Hydra stops at the first mistake; here a failing word is noted, taken out, and composition tried
again, so that all are said at once. Before anything of the config is used, the whole composed tree
is searched for `_target_` and its like, `hydra` included.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import YAMLError

import initlab
from initlab.engine.registry import advice
from initlab.runner.config import code_search, plugins, schema
from initlab.runner.config.hydra_internals import (
    VERSION,
    hydra_loader,
    parse_word,
    register_resolver,
)
from initlab.runner.config.identity import OUTPUTS, Declaration, declaration_of
from initlab.runner.errors import ConfigError, Problem, Problems

ROOT = "config"
Composed: TypeAlias = DictConfig
"""A composed config with its `hydra` node."""
HINT = re.compile(r"\. Did you mean: .*")
"""What OmegaConf 2.4 adds to a key that is not there; our own advice says it."""
RUN_DIR = "${run_dir:}"
"""What `conf/config.yaml` says of a single run's folder."""
COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, ValueError, TypeError, AssertionError)
"""What Hydra fails with on words it did not expect; the last three are slips of its own on
`init=null` and the like.
"""

NO_KEY = (ConfigKeyError, ConfigAttributeError)
"""What OmegaConf raises for a key that is not there."""

LAUNCHER_EXTRAS = {
    "joblib": "joblib",
    "submitit_local": "slurm",
    "submitit_slurm": "slurm",
    "ray": "ray",
}
"""Launcher -> the extra that installs it."""


def conf_dir() -> Path:
    """The folder `conf` of the package."""
    folder = Path(initlab.__file__).parent.absolute() / "conf"
    if not (folder / f"{ROOT}.yaml").is_file():
        raise ConfigError.of(
            "", f"the folder {folder} of configs is missing - install initlab again"
        )
    return folder


def shipped_options() -> dict[str, set[str]]:
    """Group -> the names of the options that `conf/` holds, which are looked up once."""
    return _options_in(conf_dir())


@cache
def _options_in(folder: Path) -> dict[str, set[str]]:
    return {
        group.name: {file.stem for file in group.glob("*.yaml")}
        for group in folder.iterdir()
        if group.is_dir()
    }


def prepare() -> None:
    """Make schemas, plugins' options and the resolvers of `conf/config.yaml` known to Hydra."""
    schema.register(shipped_options())
    for name, resolver in (
        ("run_dir", _run_dir),
        ("sweep_dir", _sweep_dir),
        ("sweep_subdir", _sweep_subdir),
    ):
        register_resolver(name, resolver)


def _declared(_root_: DictConfig) -> Declaration:
    plugins.load_from_environment()  # in a launcher's process this is the first that is run of ours
    return declaration_of(_root_)


def _sweep_subdir(_root_: DictConfig) -> str:
    return "." if _root_.task == "plan" else _declared(_root_).run_id


def _run_dir(_root_: DictConfig) -> str:
    return "." if _root_.task == "plan" else str(_declared(_root_).folder)


def _sweep_dir(_root_: DictConfig) -> str:
    return "." if _root_.task == "plan" else str(Path(OUTPUTS) / str(_root_.name))


def settle_folder(config: DictConfig, declaration: Declaration) -> Path:
    """The folder of a single run, written into `hydra.run.dir`, so that nothing works it out
    again.
    """
    if OmegaConf.to_container(config.hydra.run, resolve=False)["dir"] == RUN_DIR:  # type: ignore[index, call-overload]
        config.hydra.run.dir = "." if config.task == "plan" else str(declaration.folder)
    return Path(str(config.hydra.run.dir))


def check_overlay(folder: Path) -> None:
    """A folder of the user's own options: ConfigError unless it is one; a warning for each that
    ours hides.
    """
    if not folder.is_dir():
        raise ConfigError.of(
            f"--config-dir {folder}",
            "is no folder - give one that holds groups, like my_conf/init/wide.yaml",
        )
    for file in sorted(folder.rglob("*.yaml")):
        option = file.relative_to(folder)
        if (conf_dir() / option).exists():
            said = f"is ignored: initlab has a {option.with_suffix('')} of its own - give it another name"
            print(f"warning: {file} {said}", file=sys.stderr)


def compose(words: list[str], config_dir: str | None = None) -> DictConfig:
    """The composed config with its `hydra` node. ConfigError with every problem found in the words
    or in the tree.
    """
    searchpath = start(words, config_dir)
    given = Words(words)
    config = given.compose(lambda some: compose_once([*searchpath, *some]))
    with given.problems.under():
        check_code(config)
    if given.problems:
        raise ComposedWithProblems(given.problems.found, config)
    return config


def start(words: list[str], config_dir: str | None) -> list[str]:
    """Make Hydra ready to compose; gives the word that adds the user's folder of options, if there
    is one.
    """
    if config_dir is not None:
        check_overlay(Path(config_dir))
        if any(_key_of(word) == "hydra.searchpath" for word in words):
            raise ConfigError.of(
                "hydra.searchpath", "cannot be given beside --config-dir - give one of the two"
            )
    prepare()
    GlobalHydra.instance().clear()
    initialize_config_dir(config_dir=str(conf_dir()), job_name="runner", **VERSION)
    return [] if config_dir is None else [f"hydra.searchpath=[file://{Path(config_dir).resolve()}]"]


Config = TypeVar("Config")
"""A composed config, in whatever form."""


class Words:
    """Words of the command line: those that are `sound`, and the `problems` of the others. All of
    these follow Hydra's override grammar and choose an option by its name.
    """

    def __init__(self, words: list[str]) -> None:
        self.problems = Problems()
        self.sound: list[str] = []
        for word in words:
            with self.problems.under():
                check_word(word)
                self.sound.append(word)

    def compose(self, load: Callable[[list[str]], Config]) -> Config:
        """The config that the sound words make, by `load`. A word that it cannot be composed with is
        sound no longer. ConfigError where it cannot be composed without any.
        """
        while True:
            try:
                return load(self.sound)
            except COMPOSITION_ERRORS as error:
                problem, culprit = explain(error, self.sound)
                if culprit is None:
                    culprit = next((word for word in self.sound if _fails_alone(word, load)), None)
                    problem = problem if culprit is None else _within(culprit, error, problem)
                self.problems.found.append(problem)
                if culprit is None:
                    raise ConfigError(self.problems.found) from error
                self.sound.remove(culprit)


def _fails_alone(word: str, load: Callable[[list[str]], Config]) -> bool:
    try:
        load([word])
    except COMPOSITION_ERRORS:
        return True
    return False


def _within(word: str, error: Exception, problem: Problem) -> Problem:
    """The problem with a word that is sound itself, but chooses a file that is not: one of the
    file's own choices may be of no option.
    """
    if isinstance(error, MissingConfigException):
        return replace(problem, message=f"{problem.message.rstrip('.')} (in {word})")
    return _unexplained(error, word)


def _unexplained(error: Exception, word: str) -> Problem:
    """The problem with a word that Hydra fails on in a way of its own, as when the file that it
    chooses has a key too many.
    """
    inner: BaseException | None = error
    while inner is not None:
        key, parent = getattr(inner, "key", None), getattr(inner, "parent_node", None)
        if key is not None and isinstance(parent, DictConfig) and isinstance(inner, NO_KEY):
            place = str(getattr(inner, "full_key", "") or key)
            known = [str(k) for k in parent if k != "hydra"]
            said = f"no such key - {advice(str(key), known)} (in {word})"
            return Problem(place, said, unknown=True)
        inner = inner.__cause__ or inner.__context__
    noise = ("full_key", "object_type", "provider=")
    lines = [
        line.strip()
        for line in str(error).splitlines()
        if line.strip() and not line.strip().startswith(noise)
    ]
    said = f" ({lines[-1]})" if lines else ""
    return Problem(_key_of(word) or word, f"cannot be composed from '{word}'{said}")


class ComposedWithProblems(ConfigError):
    """Words that could be composed once the wrong ones were left out; `config` is the rest, so that
    it can be checked too.
    """

    def __init__(self, problems: list[Problem], config: DictConfig) -> None:
        super().__init__(problems)
        self.config = config


def compose_once(words: list[str]) -> DictConfig:
    """The config that the words make, by the Hydra that `start` made ready; fails as Hydra does."""
    hydra = GlobalHydra.instance().hydra
    assert hydra is not None
    return hydra.compose_config(
        config_name=ROOT,
        overrides=words,
        run_mode=RunMode.RUN,
        from_shell=False,
        with_log_configuration=False,
    )


def check_word(word: str) -> None:
    """ConfigError unless a word follows Hydra's override grammar, and where it chooses an option of a
    group, does so by a name.
    """
    try:
        override = parse_word(word)
    except HydraException:
        said = (
            "is no override - write key=value (in quotes where the shell would change it), or "
            "+key=value to add a key"
        )
        raise ConfigError.of(word, said) from None
    group = override.key_or_group
    if group not in shipped_options() or override.is_delete() or override.is_sweep_override():
        return
    value = override.value()
    for name in value if isinstance(value, list) else [value]:
        if not isinstance(name, str) or "${" in name:
            said = f"must be the name of an option, got {name!r}"
            raise ConfigError.unknown(group, said, "", _options(group))


def _key_of(word: str) -> str:
    return word.lstrip("+~").split("=", 1)[0].split("@", 1)[0]


def explain(error: Exception, words: list[str]) -> tuple[Problem, str | None]:
    """What one of Hydra's or OmegaConf's errors means, and the word that caused it, if one did."""
    if isinstance(error, MissingConfigException):
        return _explain_missing(error, words)
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    key = str(getattr(cause, "full_key", None) or "")
    text = HINT.sub("", str(cause).splitlines()[0]) if str(cause) else type(cause).__name__
    culprit = next(
        (w for w in words if key and key in (_key_of(w), _key_of(w).replace("/", "."))), None
    )
    said = HINT.sub("", str(error))
    culprit = culprit or next((w for w in words if w in said or f"'{_key_of(w)}'" in said), None)
    if culprit is not None and not key:
        key = _key_of(culprit)
    if isinstance(cause, NO_KEY):
        parent = getattr(cause, "parent_node", None)
        name = str(getattr(cause, "key", "") or key.rsplit(".", 1)[-1])
        known = [str(k) for k in parent] if isinstance(parent, DictConfig) else []
        known = [k for k in known if k != "hydra"]
        return Problem.of_name(key or name, "no such key", name, known), culprit
    if (
        isinstance(error, ConfigCompositionException)
        and "Could not override" in str(error)
        and culprit is not None
    ):
        return Problem(
            _key_of(culprit),
            str(error).splitlines()[0].replace("Could not override", "cannot override"),
        ), culprit
    if "requires --multirun" in text or text.startswith("Ambiguous value"):
        text += " - give -m to sweep over it, or quotes to take it as one value"
    return Problem(key, text), culprit


def _explain_missing(error: MissingConfigException, words: list[str]) -> tuple[Problem, str | None]:
    """An option of a group that does not exist."""
    wanted = str(error.missing_cfg_file or "")
    group, _, option = wanted.rpartition("/")
    whole = next((w for w in words if f"{_key_of(w)}/{w.partition('=')[2]}" == wanted), None)
    if group == "hydra/launcher" and option in LAUNCHER_EXTRAS:  # chosen itself, or by a preset
        chosen = next((word for word in words if _key_of(word) == group), whole)
        return Problem(
            group, f"'{option}' is not installed - pip install 'initlab[{LAUNCHER_EXTRAS[option]}]'"
        ), chosen
    if group == "hydra/sweeper" and option == "optuna":
        return Problem(group, "'optuna' is not installed - pip install 'initlab[optuna]'"), whole
    if whole is not None:  # the name had a slash of its own
        group, option = _key_of(whole), whole.partition("=")[2]
        return Problem.of_name(group, f"no option '{option}'", option, _options(group)), whole
    options = [str(o) for o in error.options or []] or sorted(_options(group))
    culprit = next(
        (w for w in words if _key_of(w) == group and re.search(rf"\b{re.escape(option)}\b", w)),
        None,
    )
    if not group:
        return Problem(wanted, str(error).splitlines()[0]), culprit
    return Problem.of_name(group, f"no option '{option}'", option, options), culprit


def _options(group: str) -> set[str]:
    """The options of a group, those of plugins included."""
    if group.startswith("hydra/"):
        return set(hydra_loader().get_group_options(group))
    return shipped_options().get(group, set()) | (
        set(schema.kinds(group)) if group in schema.GROUPS else set()
    )


def check_code(config: DictConfig) -> None:
    """ConfigError with everything in the tree that would make Hydra or logging import or call
    something not on our list.
    """
    code_search.check(unresolved(config))


def unresolved(config: DictConfig) -> dict[str, object]:
    """A composed config as plain mappings and lists in which nothing is resolved."""
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=False))


def read_option(file: Path) -> dict[str, Any]:
    """What a file of `conf/` says, nothing resolved. ValueError where it is no mapping of YAML,
    OSError where it cannot be read.
    """
    try:
        content = OmegaConf.load(file)
    except YAMLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(content, DictConfig):
        raise ValueError(f"{file}: is no mapping")
    return unresolved(content)


def hydra_files(config: DictConfig) -> dict[str, str]:
    """What Hydra would keep in `.hydra/`, as text by file name."""
    task = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return {
        "config.yaml": OmegaConf.to_yaml(task),
        "hydra.yaml": OmegaConf.to_yaml(OmegaConf.masked_copy(config, "hydra")),
        "overrides.yaml": OmegaConf.to_yaml(config.hydra.overrides.task),
    }
