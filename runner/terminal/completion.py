"""Shell completion: `initlab -sc install=bash` prints a script, which calls `initlab -sc
query=bash`.

The line to complete is in the environment: `COMP_LINE` up to the `COMP_POINT`th character, as bash
sets them. The words before the last are composed without the wrong ones. Nothing is resolved,
instantiated or run, no plugin on the line is loaded, and `hydra`'s own keys are ignored, since they
could name packages to search. Without an answer nothing is printed, since a message would appear in
the middle of the prompt.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from initlab.runner.command import REGISTRY
from initlab.runner.config.compose import ComposedWithProblems, compose, unresolved
from initlab.runner.errors import ConfigError, RunnerError
from initlab.runner.terminal.help import options

FLAGS = (
    "--cfg",
    "--config-dir",
    "--help",
    "--hydra-help",
    "--info",
    "--multirun",
    "--plugin",
    "--resolve",
    "--version",
)
OVERRIDES = ("run", "plan", "diagnose", "advise", "lock", "experiments")
"""Commands that take overrides; the others take files and folders, which the shell completes."""
WITH_VALUE = {
    "--cfg": ("job", "hydra", "all"),
    "-c": ("job", "hydra", "all"),
    "--config-dir": (),
    "-cd": (),
    "--plugin": (),
}
"""Flags that take the next word, and what that may be; nothing here means a file or folder, which
the shell completes itself.
"""

BASH = """\
_NAME_complete()
{
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT}
    local word=${line##*[[:space:]]} kept=
    [[ $COMP_WORDBREAKS == *=* && $word == *=* ]] && kept=${word%"${word##*=}"}
    COMPREPLY=($(COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT "$1" -sc query=bash 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]#"$kept"}")
}
complete -o nospace -o default -F _NAME_complete NAME
"""
ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_NAME_complete()
{
    local -a found
    found=(${(f)"$(COMP_LINE=$LBUFFER COMP_POINT=${#LBUFFER} $words[1] -sc query=zsh 2>/dev/null)"})
    if (( $#found )); then compadd -Q -S '' -- $found; else _files; fi
}
compdef _NAME_complete NAME
"""
FISH = """\
function _NAME_complete
    set -lx COMP_LINE (commandline -cp)
    set -l words (commandline -cpo)
    $words[1] -sc query=fish 2>/dev/null
end
complete -c NAME -a '(_NAME_complete)'
"""
INSTALL = {"bash": BASH, "zsh": ZSH, "fish": FISH}
UNINSTALL = {
    "bash": "complete -r NAME; unset -f _NAME_complete\n",
    "zsh": "compdef -d NAME; unfunction _NAME_complete\n",
    "fish": "complete -e -c NAME; functions -e _NAME_complete\n",
}


def shell_completion(program: str, words: list[str]) -> str:
    """Return what `-sc` with these words prints; `program` is the path that was called.

    Raises ConfigError for anything that is not supported.
    """
    name = Path(program).name
    if name.endswith(".py") or not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise ConfigError.of(
            "-sc",
            'completion needs the console script - install initlab, then: eval "$(initlab -sc install=bash)"',
        )
    what, _, shell = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if what not in ("install", "uninstall", "query") or shell not in INSTALL:
        raise ConfigError.of(
            "-sc",
            f"takes one of install=SHELL, uninstall=SHELL, query=SHELL, where SHELL is {', '.join(INSTALL)}",
        )
    if what == "query":
        line = os.environ.get("COMP_LINE", "")
        point = os.environ.get("COMP_POINT", "")
        return "".join(
            f"{found}\n" for found in answer(line[: int(point)] if point.isdecimal() else line)
        )
    return (INSTALL if what == "install" else UNINSTALL)[shell].replace("NAME", name)


def answer(line: str) -> list[str]:
    """Return the sorted words that the last word of the line could become.

    The line begins with the program's name.
    """
    words = split(line)[1:]
    if not words:
        return []
    before, word = words[:-1], words[-1]
    if before and before[-1] in WITH_VALUE:
        return sorted(value for value in WITH_VALUE[before[-1]] if value.startswith(word))
    if word.startswith("-"):
        return sorted(flag for flag in FLAGS if flag.startswith(word))
    if before[:1] == ["help"]:
        return sorted(name for name in nameable() if name.startswith(word))
    if before and before[0] in REGISTRY:
        before = before[1:]
        if words[1:2] and words[0] not in OVERRIDES:
            return []
    overrides, config_dir = overrides_of(before)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            groups = options(config_dir)
            found = [
                *candidates(word, groups, config_dir, overrides),
                *(REGISTRY if not words[1:] else ()),
            ]
    except RunnerError:
        return []
    return sorted(each for each in set(found) if each.startswith(word))


def nameable() -> set[str]:
    """Return the names that `initlab help` knows: groups, and what is in them."""
    from initlab.runner.reference.groups import groups  # it takes time that other words need not

    known = groups()
    return known.keys() | {name for group in known.values() for name in group.entries()}


def split(line: str) -> list[str]:
    """Return the line's words as a shell splits them.

    The last is the word being written; it is empty after a space.
    """
    for closing in ("", "'", '"'):
        try:
            words = shlex.split(line + closing)
        except ValueError:
            continue
        return [*words, ""] if not line or (line[-1].isspace() and not closing) else words
    return []


def overrides_of(words: list[str]) -> tuple[list[str], str | None]:
    """Return (the overrides, the `--config-dir`), without flags, their values and Hydra's own keys."""
    overrides, config_dir = [], None
    remaining = iter(words)
    for word in remaining:
        if word in WITH_VALUE:
            value = next(remaining, None)
            config_dir = value if word in ("--config-dir", "-cd") else config_dir
        elif word.startswith("--config-dir="):
            config_dir = word.partition("=")[2]
        elif not word.startswith("-") and not word.lstrip("+~").startswith("hydra"):
            overrides.append(word)
    return overrides, config_dir


def candidates(
    word: str, groups: dict[str, list[str]], config_dir: str | None, overrides: list[str]
) -> Iterable[str]:
    """Return completions of the word: groups and their options, keys and their present values."""
    prefix = word[: len(word) - len(word.lstrip("+~"))]
    key, equals, value = word[len(prefix) :].partition("=")
    if equals and key in groups:
        done = value[
            : max(value.rfind(","), value.rfind("[")) + 1
        ]  # init=normal,x  stats=[moments,l
        return [f"{prefix}{key}={done}{name}" for name in groups[key]]
    config = composed(overrides, config_dir)
    if equals:
        return [f"{prefix}{key}={text}" for text in values(at(config, key.split(".")))]
    *parents, _ = key.split(".")
    path = "".join(f"{parent}." for parent in parents)
    node = at(config, parents)
    names = (
        [str(name) for name in node if parents or name != "hydra"] if isinstance(node, dict) else []
    )
    found = [
        f"{prefix}{path}{name}{'.' if isinstance(node[name], dict) and node[name] else '='}"
        for name in names
    ]
    return found + ([] if parents else [f"{prefix}{group}=" for group in groups])


def composed(overrides: list[str], config_dir: str | None) -> object:
    """Return the config of the overrides as plain dicts and lists, unresolved."""
    try:
        return unresolved(compose(overrides, config_dir))
    except ComposedWithProblems as error:
        return unresolved(error.config)


def at(node: object, keys: list[str]) -> Any:
    """Return the value at a path of keys, or None."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def values(value: object) -> list[str]:
    """Return a key's value as written on the command line, or nothing if it would need quotes."""
    if isinstance(value, bool):
        return ["false", "true"]
    return (
        [str(value)]
        if isinstance(value, (int, float, str)) and re.fullmatch(r"[\w.+-]+", str(value))
        else []
    )
