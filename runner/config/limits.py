"""Limits of words of the command line, which Hydra's parser would pass with a traceback, and of
YAML, whose aliases OmegaConf copies.
"""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import yaml

from initlab.runner.errors import ConfigError
from initlab.runner.excerpt import shortened

MOST_BRACKETS = 100
"""Brackets that may be within one another. Hydra's parser and OmegaConf call themselves for each."""
MOST_DIGITS = 4000
"""Digits of a number; Python reads 4300."""
MOST_VALUES = 100_000
"""Values of a YAML file."""
ALIAS = re.compile(rb"\*\w")
SHOWN = 60
"""Characters of a long word that a message shows."""
QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
NUMBER = re.compile(rf"\d{{{MOST_DIGITS + 1},}}")


def check_aliases(file: Path) -> None:
    """Raise ConfigError if a file of YAML, each alias replaced by what it stands for, has more than
    `MOST_VALUES` values. A file that cannot be read, or is no YAML, is left to whoever uses it.
    """
    try:
        text = file.read_bytes()
        if ALIAS.search(text) is None:
            return
        document = yaml.compose(text, Loader=yaml.SafeLoader)
        count = 0 if document is None else _size(document, {})
    except (OSError, ValueError, yaml.YAMLError):
        return
    except RecursionError:
        said = "is nested too deep, or an alias stands for something that holds it"
        raise ConfigError.of(str(file), said) from None
    if count > MOST_VALUES:
        said = f"has {count:,} values with its aliases, more than {MOST_VALUES:,}"
        raise ConfigError.of(str(file), f"{said} - use fewer aliases within one another")


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return the number of values in a node; `known` has those of nodes seen before."""
    if id(node) not in known:
        inner = node.value if isinstance(node, yaml.CollectionNode) else ()
        parts = chain.from_iterable(inner) if isinstance(node, yaml.MappingNode) else inner
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def check_limits(word: str) -> None:
    """Raise ConfigError, with the column, for a word that is nested too deep or has too long a
    number. Text in quotes has no limits.
    """
    plain = QUOTED.sub(lambda quoted: " " * len(quoted[0]), word)
    long = NUMBER.search(plain)
    if long is not None:
        said = f"has a number of more than {MOST_DIGITS} digits, which is the limit"
        raise ConfigError.of(shortened(word, SHOWN), f"column {long.start() + 1}: {said}")
    depth = 0
    for column, character in enumerate(plain, 1):
        depth += (character in "[{(") - (character in "]})")
        if depth > MOST_BRACKETS:
            said = f"has more than {MOST_BRACKETS} brackets within one another, which is the limit"
            raise ConfigError.of(shortened(word, SHOWN), f"column {column}: {said}")
