"""Packages whose parts are imported when they are first asked for: `import initlab.engine` is quick.
And what a module says when it lacks a name.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Iterable, Mapping


def no_attribute(
    package: str, name: str, known: Iterable[str], elsewhere: Mapping[str, str] | None = None
) -> AttributeError:
    """Return the error for a name that a module lacks, with what it may mean.

    That is what `elsewhere` has for the name in lower case, as other libraries use it, or the nearest
    known name.
    """
    said = f"module {package!r} has no attribute {name!r}"
    if name.startswith("_"):
        return AttributeError(said)
    known_by = {n.lower(): n for n in sorted(known, reverse=True) if not n.startswith("_")}
    close = difflib.get_close_matches(name.lower(), list(known_by), n=1, cutoff=0.6)
    meant = (elsewhere or {}).get(name.lower().replace("_", ""))
    if meant is None and close:
        meant = known_by[close[0]]
    return AttributeError(said if meant is None else f"{said} - did you mean {meant}?")


def suggesting(
    package: str, elsewhere: Mapping[str, str] | None = None, modules: Iterable[str] = ()
) -> Callable[[str], object]:
    """Return the `__getattr__` of a module: it raises AttributeError with what the name may mean.

    `modules` are submodules that are imported when they are asked for.
    """
    submodules = frozenset(modules)

    def get(name: str) -> object:
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        module = vars(sys.modules[package])
        raise no_attribute(package, name, module.get("__all__", module), elsewhere)

    return get


def lazily(
    package: str,
    modules: Iterable[str],
    names: Mapping[str, str],
    elsewhere: Mapping[str, str] | None = None,
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package (PEP 562).

    `modules` are its submodules that are attributes; `names` maps the other public names to the
    modules that define them. The `__getattr__` raises AttributeError for any other name, like an
    ordinary module, with what `no_attribute` says of it.
    """
    submodules, defined = frozenset(modules), dict(names)

    def get(name: str) -> object:
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        if name not in defined:
            raise no_attribute(package, name, {*submodules, *defined}, elsewhere)
        value = getattr(importlib.import_module(defined[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def names_of() -> list[str]:
        return sorted({*vars(sys.modules[package]), *submodules, *defined})

    return get, names_of
