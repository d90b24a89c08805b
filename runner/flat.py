"""Flat configs, from dotted keys to plain values, and the difference of two of them.

`{model: {layers: [{units: 4}]}}` is `{"model.layers[0].units": 4}`. An empty mapping or list is a
value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ABSENT = "-"
"""How a value that is not there is shown."""


@dataclass(frozen=True)
class Change:
    """A key with different values in two configs; `a_has` and `b_has` say whether each has the key."""

    key: str
    a: object
    b: object
    a_has: bool = True
    b_has: bool = True

    def texts(self) -> tuple[str, str]:
        """Return both values as readable text."""
        return value_text(self.a) if self.a_has else ABSENT, value_text(
            self.b
        ) if self.b_has else ABSENT

    def __str__(self) -> str:
        return f"{self.key}: {' -> '.join(self.texts())}"


def flatten(
    value: object, key: str = "", is_leaf: Callable[[object], bool] = lambda value: False
) -> dict[str, object]:
    """Return the values by dotted key; `is_leaf` says whether a mapping or list counts as one
    value.
    """
    if is_leaf(value):
        return {key: value}
    if isinstance(value, dict) and value:
        parts = [(f"{key}.{name}" if key else str(name), part) for name, part in value.items()]
    elif isinstance(value, list) and value:
        parts = [(f"{key}[{number}]", part) for number, part in enumerate(value)]
    else:
        return {key: value}
    return {
        inner: leaf for name, part in parts for inner, leaf in flatten(part, name, is_leaf).items()
    }


def is_plain_list(value: object) -> bool:
    """Return whether a value is a list of texts, numbers and the like, such as a shape."""
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value)


def changes(a: dict[str, Any], b: dict[str, Any]) -> list[Change]:
    """Return the differences of two flat mappings, by key. `1`, `1.0` and `true` are different
    values.
    """
    keys = sorted(
        key
        for key in a.keys() | b.keys()
        if not (key in a and key in b and value_text(a[key]) == value_text(b[key]))
    )
    return [Change(key, a.get(key), b.get(key), key in a, key in b) for key in keys]


def value_text(value: Any) -> str:
    """Return the value as JSON; a text has no quotes if it cannot be mistaken for another value."""
    plain = (
        isinstance(value, str)
        and value not in ("", ABSENT, "true", "false", "null")
        and value.strip() == value
    )
    return (
        value
        if plain and not _reads_as_number(value)
        else json.dumps(value, ensure_ascii=False, sort_keys=True)
    )


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
