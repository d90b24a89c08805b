"""Values as words of the command line, which Hydra's grammar reads back as the same values."""

from __future__ import annotations

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from initlab.runner.config.grammar import quoted
from initlab.runner.config.hydra_internals import parse_word


def word_of(key: str, value: object) -> str:
    """Return the word that sets `key` to exactly this value, quoted if Hydra would misread it."""
    return f"{key}={_text(value)}"


def _text(value: object) -> str:
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int() | float():
            return repr(value)
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case dict():
            # Hydra's grammar has no quoted keys.
            return "{" + ",".join(f"{key}:{_text(item)}" for key, item in value.items()) + "}"
    text = str(value)
    found = parsed(f"key=[{text}]")  # text that needs no quotes in a list needs none alone
    return (
        text
        if found is not None and not found.is_sweep_override() and found.value() == [text]
        else quoted(text)
    )


def parsed(word: str) -> Override | None:
    """Return a word as parsed, or None if it is none."""
    try:
        return parse_word(word)
    except HydraException:
        return None
