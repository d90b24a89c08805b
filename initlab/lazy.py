"""Packages whose parts are imported when they are first asked for: `import initlab.engine` is quick."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping


def lazily(
    package: str, modules: Iterable[str], names: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package (PEP 562).

    `modules` are its submodules that are attributes; `names` maps the other public names to the
    modules that define them. The `__getattr__` raises AttributeError for any other name, like an
    ordinary module.
    """
    submodules, defined = frozenset(modules), dict(names)

    def get(name: str) -> object:
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        if name not in defined:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(defined[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def names_of() -> list[str]:
        return sorted({*vars(sys.modules[package]), *submodules, *defined})

    return get, names_of
