"""Composition of a config from command line words, with all problems reported at once.

Hydra stops at the first mistake. Here a failing word is recorded and removed, and composition is
repeated, so that all mistakes are found. Before any value is used, `permissions` judges the whole
composed tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from initlab.engine.registry import advice
from initlab.runner.config import permissions, permitted, plugins, schema
from initlab.runner.config.hydra_internals import (
    VERSION,
    add_folder,
    hydra_loader,
    parse_word,
    register_resolver,
    remove_resolver,
    store_option,
)
from initlab.runner.config.identity import OUTPUTS, Declaration, declaration_of
from initlab.runner.config.limits import check_limits
from initlab.runner.config.option_files import ROOT, check_overlay, conf_dir, shipped_options
from initlab.runner.errors import ConfigError, Problem, Problems
from initlab.runner.json_values import JSON

Composed: TypeAlias = DictConfig
"""A composed config with its `hydra` node."""
HINT = re.compile(r"\. Did you mean: .*")
"""The advice that OmegaConf 2.4 adds for an unknown key; ours replaces it."""
RUN_DIR = "${run_dir:}"
"""The value in `conf/config.yaml` for a single run's folder."""
COMPOSITION_ERRORS = (
    HydraException,
    OmegaConfBaseException,
    YAMLError,
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

NO_KEY = (ConfigKeyError, ConfigAttributeError)
"""Exceptions of OmegaConf for an unknown key."""

LAUNCHER_EXTRAS = {
    "joblib": "joblib",
    "submitit_local": "slurm",
    "submitit_slurm": "slurm",
    "ray": "ray",
}
"""Launcher -> the extra that installs it."""


def register_with_hydra() -> None:
    """Register schemas, plugins' options and the resolvers of `conf/config.yaml` with Hydra."""
    schema.register(shipped_options())
    for name, resolver in (
        ("run_dir", _run_dir),
        ("sweep_dir", _sweep_dir),
        ("sweep_subdir", _sweep_subdir),
    ):
        register_resolver(name, resolver)
    remove_resolver("oc.create")
    for group, node in {**permitted.LOGGING, **permitted.HELP}.items():
        store_option(f"hydra/{group}", "plain", node, provider="initlab")


def _declared(_root_: DictConfig) -> Declaration:
    plugins.load_from_environment()  # our first code in a launcher's process
    return declaration_of(_root_)


def _sweep_subdir(_root_: DictConfig) -> str:
    return "." if _root_.task == "plan" else _declared(_root_).run_id


def _run_dir(_root_: DictConfig) -> str:
    return "." if _root_.task == "plan" else str(_declared(_root_).folder)


def _sweep_dir(_root_: DictConfig) -> str:
    return "." if _root_.task == "plan" else str(Path(OUTPUTS) / str(_root_.name))


def set_run_dir(config: DictConfig, declaration: Declaration) -> Path:
    """Write the folder of a single run into `hydra.run.dir`, so that it is computed once; return
    it.
    """
    if OmegaConf.to_container(config.hydra.run, resolve=False)["dir"] == RUN_DIR:  # type: ignore[index, call-overload]
        config.hydra.run.dir = "." if config.task == "plan" else str(declaration.folder)
    return Path(str(config.hydra.run.dir))


def compose(words: list[str], config_dir: str | None = None) -> DictConfig:
    """Return the composed config with its `hydra` node.

    Raises ConfigError with every problem in the words or in the tree.
    """
    start(words, config_dir)
    given = Words(words)
    config = given.compose(compose_once)
    with given.problems.under():
        check_permitted(config, given.sound)
    if given.problems:
        raise ComposedWithProblems(given.problems.found, config)
    return config


def start(words: list[str], config_dir: str | None) -> None:
    """Initialize Hydra for composing, with the user's folder of options if one is given."""
    if any(_key_of(word) == "hydra.searchpath" for word in words):
        said = "is refused: it can name a package to import - give --config-dir FOLDER"
        raise ConfigError.of("hydra.searchpath", said)
    if config_dir is not None:
        check_overlay(Path(config_dir))
    register_with_hydra()
    GlobalHydra.instance().clear()
    initialize_config_dir(config_dir=str(conf_dir()), job_name="runner", **VERSION)
    if config_dir is not None:
        add_folder(Path(config_dir).resolve())


Config = TypeVar("Config")
"""A composed config, in whatever form."""


class Words:
    """Words of the command line: the valid ones as `sound`, and the `problems` of the others.

    A valid word follows Hydra's override grammar and chooses an option by its name.
    """

    def __init__(self, words: list[str]) -> None:
        self.problems = Problems()
        self.sound: list[str] = []
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
    """Return the problem with a valid word that chooses an invalid file.

    One of the file's own choices may name an unknown option.
    """
    if isinstance(error, (MissingConfigException, YAMLError)):
        return replace(problem, message=f"{problem.message.rstrip('.')} (in {word})")
    return _unexplained(error, word)


def _unexplained(error: Exception, word: str) -> Problem:
    """Return the problem with a word on which Hydra fails in some other way.

    For example, the file that it chooses has a key that does not exist.
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
    """Raised if the words could be composed only without the wrong ones.

    `config` is the config of the others, so that it can be checked too.
    """

    def __init__(self, problems: list[Problem], config: DictConfig) -> None:
        super().__init__(problems)
        self.config = config


def compose_once(words: list[str]) -> DictConfig:
    """Return the config of the words, after `start`. Raises the errors of Hydra."""
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
    """Raise ConfigError unless a word follows Hydra's override grammar.

    A word that chooses an option of a group must name the option.
    """
    check_limits(word)
    try:
        override = parse_word(word)
    except (HydraException, RecursionError) as error:
        raise ConfigError.of(word, _how_to_write(word, error)) from None
    group = override.key_or_group
    if group not in shipped_options() or override.is_delete() or override.is_sweep_override():
        return
    value = override.value()
    for name in value if isinstance(value, list) else [value]:
        if not isinstance(name, str) or "${" in name:
            said = f"must be the name of an option, got {name!r}"
            raise ConfigError.unknown(group, said, "", options_of(group))


def _how_to_write(word: str, error: Exception) -> str:
    """Return what is wrong with a word that Hydra's override grammar refuses, and what to write."""
    key, is_override, value = word.partition("=")
    quoted = f"'{key}=\"{value}\"'"
    if isinstance(error.__cause__, (ValueError, TypeError, AssertionError)):  # of a function
        said = str(error.__cause__) or "it cannot be evaluated"
        return f"{said} - if it is meant as text, put it in quotes: {quoted}"
    said = "is no override"
    if not is_override:
        return (
            f"{said} - write key=value (in quotes where the shell would change it), or +key=value to "
            "add a key"
        )
    if "[" in key:
        dots = re.sub(r"\[(\d+)\]", r".\1", key)
        return f"{said} - write places in a list with dots: {dots}={value}"
    for opening, closing in ("()", "[]", "{}"):
        opened, closed = value.count(opening), value.count(closing)
        if opened != closed:
            return f"{said} - it has {opened} '{opening}' and {closed} '{closing}'"
    return (
        f"{said} - put a value with special characters in quotes, and all in quotes for the shell: "
        f"{quoted}"
    )


def _key_of(word: str) -> str:
    return word.lstrip("+~").split("=", 1)[0].split("@", 1)[0]


def explain(error: Exception, words: list[str]) -> tuple[Problem, str | None]:
    """Return the problem that an error of Hydra or OmegaConf means, and the word that caused it, if
    any.
    """
    if isinstance(error, MissingConfigException):
        return _explain_missing(error, words)
    if isinstance(error, YAMLError):
        return _explain_yaml(error), None
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
        text += (
            " - give -m to sweep over it (in Python, declare each run), or quotes to take it as one "
            "value"
        )
    return Problem(key, text), culprit


def _explain_yaml(error: YAMLError) -> Problem:
    """Return the problem of a file that is not YAML: its line and column, and the text there."""
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    if mark is None:
        return Problem(str(getattr(error, "name", "")), " ".join(str(error).split()))
    with open(mark.name, encoding="utf-8") as file:
        line = "".join(islice(file, mark.line, mark.line + 1)).strip()
    said = ", ".join(filter(None, (getattr(error, "context", ""), getattr(error, "problem", ""))))
    place = f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}"
    return Problem(place, f"is not YAML: {said}" + (f": {line!r}" if line else ""))


def _explain_missing(error: MissingConfigException, words: list[str]) -> tuple[Problem, str | None]:
    """Return the problem with an option that does not exist in its group."""
    wanted = str(error.missing_cfg_file or "")
    group, _, option = wanted.rpartition("/")
    whole = next((w for w in words if f"{_key_of(w)}/{w.partition('=')[2]}" == wanted), None)
    if group == "hydra/launcher" and option in LAUNCHER_EXTRAS:  # chosen by a word or by a preset
        chosen = next((word for word in words if _key_of(word) == group), whole)
        return Problem(
            group, f"'{option}' is not installed - pip install 'initlab[{LAUNCHER_EXTRAS[option]}]'"
        ), chosen
    if group == "hydra/sweeper" and option == "optuna":
        return Problem(group, "'optuna' is not installed - pip install 'initlab[optuna]'"), whole
    if whole is not None:  # the option's name contains a slash
        group, option = _key_of(whole), whole.partition("=")[2]
        return Problem.of_name(group, f"no option '{option}'", option, options_of(group)), whole
    options = [str(o) for o in error.options or []] or sorted(options_of(group))
    culprit = next(
        (w for w in words if _key_of(w) == group and re.search(rf"\b{re.escape(option)}\b", w)),
        None,
    )
    if not group:
        return Problem(wanted, str(error).splitlines()[0]), culprit
    return Problem.of_name(group, f"no option '{option}'", option, options), culprit


def options_of(group: str) -> set[str]:
    """Return the options of a group: ours, those of plugins, and the user's own. It is empty if
    there is no such group.
    """
    return set(hydra_loader().get_group_options(group))


def check_permitted(config: DictConfig, words: Iterable[str]) -> None:
    """Raise ConfigError with everything in a config, composed with these words, that is not
    permitted.
    """
    permissions.check(config, permissions.Typed.of(words))


def unresolved(config: DictConfig) -> dict[str, JSON]:
    """Return a composed config as plain mappings and lists, with interpolations unresolved."""
    return cast(dict[str, JSON], OmegaConf.to_container(config, resolve=False))


def read_option(file: Path) -> dict[str, JSON]:
    """Return the content of a file of `conf/`, unresolved.

    Raises ValueError if it is no YAML mapping, and OSError if it cannot be read.
    """
    try:
        content = OmegaConf.load(file)
    except YAMLError as error:
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
