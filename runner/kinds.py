"""An open set of dataclasses that a config chooses from by `kind`: layers, data, probes, measures,
statistics and trackers are such sets.
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
    """Base of what a config chooses by `kind`: the fields of a subclass are its options, checked by
    their types when it is made (see `engine.options`).

    A subclass that defines `__post_init__`, to check what options need of one another, calls this
    one first. It raises `OptionError` for what cannot be.
    """

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_options(self)


def registrar(registry: Registry[C], base: type) -> Callable[[C], C]:
    """The decorator that puts a dataclass derived from `base` into `registry` under its snake-case
    name, its `kind`.

    A class may end in an underscore where its name would be a Python keyword: `None_` is `none`.
    """

    def register(cls: C) -> C:
        if not (isinstance(cls, type) and issubclass(cls, base) and dataclasses.is_dataclass(cls)):
            raise TypeError(
                f"{cls!r} is no dataclass derived from {base.__module__}.{base.__qualname__}"
            )
        cls.kind = snake_case(cls.__name__).rstrip("_")  # type: ignore[attr-defined]
        return registry.add(cls.kind, cls)  # type: ignore[attr-defined]

    return register
