"""What a refusal of Hydra or OmegaConf means: the place, what was found, what to write."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import fields, replace
from fnmatch import fnmatchcase

from hydra.core.object_type import ObjectType
from hydra.errors import MissingConfigException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from initlab.runner.config import permitted, schema
from initlab.runner.config.homes import names_below, no_key, options_of_layer
from initlab.runner.config.hydra_internals import hydra_loader, package_of
from initlab.runner.config.option_reader import FileError
from initlab.runner.errors import Problem, typed
from initlab.runner.excerpt import counted

HINT = re.compile(r"\. Did you mean: .*")
"""The advice that OmegaConf 2.4 adds for an unknown key; ours replaces it."""
IN_FILE = re.compile(r"In '([^']+)': ")
"""How Hydra's messages begin that are about the file of an option."""
DOUBLE = re.compile(r"Multiple values for (\S+)\. To override a value use 'override (\S+): (\S+)'")
NOISE = ("full_key", "object_type", "reference_type", "provider=")
"""Lines of OmegaConf's messages that repeat what was said."""
NO_KEY = (ConfigKeyError, ConfigAttributeError)
"""Exceptions of OmegaConf for an unknown key."""

EDITS_OF_A_SWEEP = re.compile(r"=(append|prepend)\(.*\),\1\(")
"""Several edits of one list in a word, as `tags+=a,b` becomes."""
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
    text = (
        value if len(value) < 2 or value[0] != value[-1] or value[0] not in "\"'" else value[1:-1]
    )
    inner = text.replace('\\"', '"').replace('"', '\\"')
    quoted = shlex.quote(f'{key}="{inner}"')
    if isinstance(error.__cause__, (ValueError, TypeError, AssertionError)):  # of a function
        said = str(error.__cause__) or "it cannot be evaluated"
        return f"{said} - if it is meant as text, put it in quotes: {quoted}"
    said = "is no override"
    if not is_override and os.path.exists(word):
        return f"{said}: it is a file or folder - this command takes words like key=value"
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
    if isinstance(error, FileError):
        return error.problem, _culprit(words, "", error.option, "")
    said = HINT.sub("", str(error))
    file = IN_FILE.match(said)
    inner = _inner(error)
    place = str(getattr(inner, "full_key", None) or "")
    culprit = _culprit(words, place, "" if file is None else file[1], said)
    if not place and culprit is not None:
        place = key_of(culprit)
    double = DOUBLE.search(said)
    if double is not None and culprit is None:
        added = (word for word in words if word.startswith("+") and key_of(word) == double[1])
        culprit = next(added, None)
    problem = None if hasattr(inner, "full_key") else _of_defaults(said, culprit)
    problem = problem or _of_key(inner, place, culprit)
    if file is not None:
        return _in_file(problem, file[1], words), culprit
    return problem, culprit


def _inner(error: BaseException) -> BaseException:
    """Return the first error in the chain of causes that names a key of the config, or the error."""
    found: BaseException | None = error
    while found is not None:
        if getattr(found, "key", None) is not None and getattr(found, "full_key", None):
            return found
        found = found.__cause__ or found.__context__
    return error


def _culprit(words: list[str], place: str, file: str, said: str) -> str | None:
    """Return the word that an error is about: the one that chooses the file, or sets the place."""
    group, _, option = file.rpartition("/")
    for word in words if file else ():
        if key_of(word) == group and re.search(rf"\b{re.escape(option)}\b", word.partition("=")[2]):
            return word
    dotted = typed(place)
    for word in words if place and not file else ():
        if dotted in (key_of(word), key_of(word).replace("/", ".")):
            return word
    named = (w for w in words if w.lstrip("+~") in said or f"'{key_of(w)}'" in said)
    return next(named, None)


def _in_file(problem: Problem, file: str, words: list[str]) -> Problem:
    """Return the problem of a composition with the option file that has it."""
    group, _, option = file.rpartition("/")
    if "Cannot merge" in problem.message:
        said = "a list and a mapping stand for one key: a list is written with [ ] or with a - before each"
        return Problem(f"{group}={option}", f"{said} part")
    if package_of(group, option) is None and problem.place.rpartition(".")[2] == group:
        said = f"the keys of this file go below '{group}', which has no such keys"
        first = "# @package _global_"
        return Problem(
            f"{group}={option}", f"{said} - write '{first}' as the first line of the file"
        )
    if problem.place == f"{group}={option}":
        return problem
    chosen = problem.place.partition(".")[0]
    beside = [word for word in words if key_of(word) == chosen != group]
    place = ", ".join([f"{group}={option}", *(f"beside {word}" for word in beside[:1])])
    return replace(problem, message=f"{problem.message} (in {place})")


def _of_defaults(said: str, culprit: str | None) -> Problem | None:
    """Return the problem with a choice of options that cannot be made, or None."""
    file = IN_FILE.match(said)
    here = culprit if culprit is not None else "" if file is None else file[1].replace("/", "=")
    double = DOUBLE.search(said)
    if double is not None and file is None and culprit is not None and culprit.startswith("+"):
        write = culprit.lstrip("+")
        return Problem(double[1], f"an option of it is chosen already - write {write}, without +")
    if double is not None:
        said = f"chooses {double[1]} a second time - write 'override /{double[1]}: {double[3]}'"
        return Problem(here, said)
    lost = re.search(r"Could not override '([^']+)'", said)
    if lost is None:
        return None
    group = lost[1].partition("@")[0]
    if file is not None and group.startswith(f"{file[1].rpartition('/')[0]}/"):
        name = group.rpartition("/")[2]
        return Problem(
            here, f"cannot override '{name}' - write 'override /{name}: …', with a slash"
        )
    known = [
        one for one in hydra_loader().get_group_options("", ObjectType.GROUP) if one != "schema"
    ]
    return Problem.of_name(here or group, f"cannot override '{lost[1]}'", group, known)


def _of_key(inner: BaseException, place: str, culprit: str | None) -> Problem:
    """Return the problem with the key that an error of OmegaConf names, or with the word."""
    value = "" if culprit is None else culprit.partition("=")[2]
    text = HINT.sub("", str(inner).splitlines()[0]) if str(inner) else type(inner).__name__
    parent, name = getattr(inner, "parent_node", None), str(getattr(inner, "key", "") or "")
    if isinstance(inner, NO_KEY):
        known = [str(k) for k in parent if k != "hydra"] if isinstance(parent, DictConfig) else []
        name = name or place.rpartition(".")[2]
        return _missing_key(place or name, name, known, parent, value)
    if isinstance(parent, ListConfig) and "list index out of range" in text:
        count = len(parent)
        said = (
            f"there is no such place: the list has {counted(count, 'part')}, from 0 to {count - 1}"
        )
        return Problem(place, said)
    if "is not an int" in text and text.startswith("Index"):
        said = f"{text.split()[1]} is no place in a list - write its number, from 0"
        return Problem(place, said)
    if text.startswith("invalid literal for int()"):
        said = f"{text.rpartition(': ')[2]} is no place in a list - write its number, from 0"
        return Problem(place, said)
    if "is not a ListConfig" in text:
        said = "must be a list"
        if culprit is None or key_of(culprit) != typed(place):
            return Problem(place, f"{said} - write {name}: […]")
        return Problem(place, f"{said}, got {value} - write {typed(place)}=[{value}]")
    if text.startswith("Cannot assign") and "Dict[" in text:
        return Problem(place, f"must be a mapping of keys to values, got {value}")
    if "requires --multirun" in text or text.startswith("Ambiguous value"):
        return Problem(place, _several_values(place, value, culprit))
    if "Could not delete" in text and culprit is not None:
        return _not_there(culprit)
    if culprit is not None and EDITS_OF_A_SWEEP.search(culprit):
        key = key_of(culprit)
        return Problem(key, f"is edited twice by one word - write one list: '{key}+=[a,b]'")
    if culprit is not None and not getattr(inner, "full_key", None):
        return Problem(
            place or culprit, f"cannot be composed from '{culprit}' ({_last_line(inner)})"
        )
    return Problem(place, text)


def _several_values(place: str, value: str, culprit: str | None) -> str:
    """Return what to write instead of several values of a key without -m."""
    said = (
        f"'{culprit}' has several values - give -m for a run of each (in Python, declare each run)"
    )
    if "(" in value:
        return said
    if place in (*schema.SEVERAL, "control", "model.input"):
        return f"{said}, or write '{place}=[{value}]' for a run with all of them"
    if schema.takes_text(place.split(".")):
        return f"{said}, or write '{place}=\"{value}\"' if it is one text"
    return said


def _not_there(word: str) -> Problem:
    """Return the problem with a word that removes what is not there, like `~inti`."""
    key, has_value, value = word.lstrip("~").partition("=")
    if has_value:
        return Problem(key, f"is not '{value}', so that '{word}' cannot remove it - write ~{key}")
    said = f"is not there, so that '{word}' cannot remove it"
    parent, _, name = key.rpartition(".")
    if parent and not names_below(parent):
        return Problem(key, f"{said} - leave it out")
    known = names_below(parent) if parent else [field.name for field in fields(schema.Config)]
    return Problem.of_name(key, said, name, known)


def _missing_key(place: str, name: str, known: list[str], parent: object, value: str) -> Problem:
    """Return the problem with a key that does not exist; keys that `+` adds say so."""
    addable = isinstance(parent, DictConfig) and OmegaConf.get_type(parent) is dict
    if not addable or not place.rpartition(".")[0]:
        return no_key(place, name, known)
    kind = str(parent.get("kind")) if isinstance(parent, DictConfig) else ""
    options = options_of_layer(kind)
    if options and name not in options:
        return Problem.of_name(place, f"{kind} takes no such option", name, options)
    if place.startswith("hydra.") and not any(fnmatchcase(place, key) for key in permitted.TYPED):
        said = "cannot be set: a config cannot name code to run"
        return Problem(
            place, said if ".callbacks" in place else "cannot be set: InitLab does not use it"
        )
    write = f"+{typed(place)}={value or '…'}"
    if options:
        return Problem(place, f"is not set here yet - write {write} to set it")
    problem = no_key(place, name, known)
    return replace(problem, message=f"{problem.message.rstrip('.')} - write {write} to add it")


def _last_line(error: BaseException) -> str:
    """Return the last line of an error that says something."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((x for x in reversed(lines) if x and not x.startswith(NOISE)), type(error).__name__)


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


def within(word: str, problem: Problem) -> Problem:
    """Return a problem with the word that chooses the file which has it."""
    if word in problem.message or not problem.place:
        return replace(problem, place=problem.place or key_of(word) or word)
    return replace(problem, message=f"{problem.message.rstrip('.')} (in {word})")
