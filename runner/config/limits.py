"""Limits of words of the command line, which Hydra's parser would pass with a traceback."""

from __future__ import annotations

import re

from initlab.runner.errors import ConfigError
from initlab.runner.excerpt import shortened

MOST_BRACKETS = 100
"""Brackets, or values of a file, that may be within one another. Hydra and OmegaConf call themselves for
each.
"""
MOST_DIGITS = 4000
"""Digits of a number; Python reads 4300."""
SHOWN = 60
"""Characters of a long word that a message shows."""
QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
NUMBER = re.compile(rf"\d{{{MOST_DIGITS + 1},}}")


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
