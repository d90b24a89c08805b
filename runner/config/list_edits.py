"""Words that edit a list, like `tags=append(a)`, as plain words that set it, like `tags=[…,a]`.

Hydra 1.3 knows no such words. The list is that of the config that the other words compose: the words
that choose options, and the values of the words before the edit. What is recorded is the plain word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from initlab.runner.config import grammar, schema
from initlab.runner.config.effect import chooses
from initlab.runner.config.explain import key_of
from initlab.runner.config.grammar import ListEdit
from initlab.runner.config.hydra_internals import COMPOSITION_ERRORS, options_chosen
from initlab.runner.config.wording import parsed, word_of
from initlab.runner.errors import ConfigError, Problems

Load = Callable[[list[str]], DictConfig]
"""Words -> the config that they compose, with its `hydra` node."""


def with_functions(words: Sequence[str]) -> list[str]:
    """Return the words with `key=append(…)` in place of `key+=…`. A word that is none stays."""
    made = []
    for word in words:
        try:
            made.append(grammar.with_functions(word))
        except (HydraException, RecursionError):
            made.append(word)
    return made


def edit_of(word: str) -> ListEdit | None:
    """Return the edit that a word is, or None."""
    override = parsed(word) if "(" in word else None
    value = None if override is None or override.is_sweep_override() else override.value()
    return value if isinstance(value, ListEdit) else None


def plain(words: Sequence[str], load: Load, problems: Problems) -> list[str]:
    """Return the words with each edit replaced by the word that sets the list after it.

    A word before it that set the same list is left out. An edit that is impossible is left out and
    recorded in `problems`.
    """
    made: list[str] = []
    for number, word in enumerate(words):
        edit = edit_of(word)
        if edit is None:
            made.append(word)
            continue
        key = key_of(word)
        with problems.under(key):
            if word[0] in "+~":
                raise ConfigError.of(
                    "", f"no '{word[0]}' before an edit of a list - write {key}={edit}"
                )
            later = [one for one in words[number + 1 :] if edit_of(one) is None]
            before = _list_at(key, [*made, *filter(_is_choice, later)], load)
            try:
                after = edit.applied(before)
            except ValueError as error:
                raise ConfigError.of("", f"{edit.name}: {error}") from None
            same = [one for one in made if key_of(one) == key]
            added = "+" * max((len(one) - len(one.lstrip("+")) for one in same), default=0)
            made = [one for one in made if one not in same]
            made.append(word_of(added + key, after))
    return made


def _is_choice(word: str) -> bool:
    override = parsed(word)
    return override is not None and chooses(override)


def _list_at(key: str, words: list[str], load: Load) -> list[object]:
    """Return the list at a key of the config that these words compose; null is an empty one.

    Raises ConfigError if there is another value. A key that does not exist has an empty list, so that
    the plain word is refused for its key; so have all if the words cannot be composed.
    """
    try:
        config = load(words)
    except COMPOSITION_ERRORS:
        return []
    if key in schema.SEVERAL:
        return list(options_chosen(key, words))
    try:
        found = OmegaConf.select(config, key, throw_on_missing=False)
    except COMPOSITION_ERRORS:
        return []
    if found is None:
        return []
    if not OmegaConf.is_list(found):
        raise ConfigError.of("", f"is no list, so that nothing can be added to it - write {key}=…")
    listed = OmegaConf.to_container(found, resolve=False)
    assert isinstance(listed, list)
    return listed
