"""Values as words of the command line, which Hydra's grammar reads back as the same values."""

from __future__ import annotations

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from initlab.runner.config.grammar import literal, quoted
from initlab.runner.config.hydra_internals import parse_word


def word_of(key: str, value: object) -> str:
    """Return the word that sets `key` to exactly this value, quoted if Hydra would misread it."""
    return f"{key}={literal(value, _bare)}"


def _bare(text: str) -> str:
    """Return a text, quoted if Hydra would misread it."""
    found = parsed(f"key=[{text}]")  # text that needs no quotes in a list needs none alone
    kept = found is not None and not found.is_sweep_override() and found.value() == [text]
    return text if kept else quoted(text)


def parsed(word: str) -> Override | None:
    """Return a word as parsed, or None if it is none."""
    try:
        return parse_word(word)
    except HydraException:
        return None
