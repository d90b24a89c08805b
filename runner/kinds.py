"""An open set of dataclasses that a config chooses from by `kind`: layers, data, probes and
statistics are such sets.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from typing import TypeVar

from initlab.engine.registry import Registry, snake_case

C = TypeVar("C", bound=type)


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


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import every module of a package's folder, so that each registers what it defines."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")
