"""Open sets of dataclasses that a config chooses from by `kind`: layers, data, probes, measures,
statistics and trackers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from initlab.engine.options import check_options
from initlab.engine.registry import Registry, snake_case

C = TypeVar("C", bound=type)


@dataclass
class Kind:
    """Base class of what a config chooses by `kind`.

    The fields of a subclass are its options, checked by their types (see `engine.options`). A
    subclass that defines `__post_init__`, to check how options depend on each other, must call this
    one first. Raises `OptionError` for an invalid option.
    """

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_options(self)


def registrar(registry: Registry[C], base: type) -> Callable[[C], C]:
    """Return a decorator that registers a dataclass derived from `base` under its `kind`.

    The kind is the snake-case name of the class. If that is a Python keyword, the class name ends
    in an underscore: `None_` is `none`.
    """

    def register(cls: C) -> C:
        if not (isinstance(cls, type) and issubclass(cls, base) and dataclasses.is_dataclass(cls)):
            raise TypeError(
                f"{cls!r} is no dataclass derived from {base.__module__}.{base.__qualname__}"
            )
        cls.kind = snake_case(cls.__name__).rstrip("_")  # type: ignore[attr-defined]
        return registry.add(cls.kind, cls)  # type: ignore[attr-defined]

    return register
