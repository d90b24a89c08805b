"""Words of a command line, put together from several lists."""

from __future__ import annotations


def last_of_each(*words: str) -> list[str]:
    """Return the words without those whose key a later one sets again, which a run refuses."""
    last = {word.partition("=")[0]: word for word in words}
    return [word for word in words if last[word.partition("=")[0]] == word]
