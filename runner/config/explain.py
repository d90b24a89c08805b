"""What a refusal of Hydra, OmegaConf or YAML means: the place, what was found, what to write."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from initlab.engine.registry import advice
from initlab.runner.config.hydra_internals import hydra_loader
from initlab.runner.errors import Problem

HINT = re.compile(r"\. Did you mean: .*")
"""The advice that OmegaConf 2.4 adds for an unknown key; ours replaces it."""
NO_KEY = (ConfigKeyError, ConfigAttributeError)
"""Exceptions of OmegaConf for an unknown key."""

LAUNCHER_EXTRAS = {
    "joblib": "joblib",
    "submitit_local": "slurm",
    "submitit_slurm": "slurm",
    "ray": "ray",
}
"""Launcher -> the extra that installs it."""


def how_to_write(word: str, error: Exception) -> str:
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


def key_of(word: str) -> str:
    """Return the key or group of a word, without its package."""
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
        (w for w in words if key and key in (key_of(w), key_of(w).replace("/", "."))), None
    )
    said = HINT.sub("", str(error))
    culprit = culprit or next((w for w in words if w in said or f"'{key_of(w)}'" in said), None)
    if culprit is not None and not key:
        key = key_of(culprit)
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
            key_of(culprit),
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
    whole = next((w for w in words if f"{key_of(w)}/{w.partition('=')[2]}" == wanted), None)
    if group == "hydra/launcher" and option in LAUNCHER_EXTRAS:  # chosen by a word or by a preset
        chosen = next((word for word in words if key_of(word) == group), whole)
        return Problem(
            group, f"'{option}' is not installed - pip install 'initlab[{LAUNCHER_EXTRAS[option]}]'"
        ), chosen
    if group == "hydra/sweeper" and option == "optuna":
        return Problem(group, "'optuna' is not installed - pip install 'initlab[optuna]'"), whole
    if whole is not None:  # the option's name contains a slash
        group, option = key_of(whole), whole.partition("=")[2]
        return Problem.of_name(group, f"no option '{option}'", option, options_of(group)), whole
    options = [str(o) for o in error.options or []] or sorted(options_of(group))
    culprit = next(
        (w for w in words if key_of(w) == group and re.search(rf"\b{re.escape(option)}\b", w)),
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


def within(word: str, error: Exception, problem: Problem) -> Problem:
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
    return Problem(key_of(word) or word, f"cannot be composed from '{word}'{said}")
