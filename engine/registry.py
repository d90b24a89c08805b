"""Names for classes, and what to say when a name is wrong.

`Registry` serves every open set (initializers, laws, formats, and the runner's layers, probes,
statistics). The functions at the end are MXNet's `mxnet.registry` face over the same object.
"""

from __future__ import annotations

import difflib
import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from initlab.engine.synonyms import meant
from initlab.engine.warning import warn

T = TypeVar("T")
CLASS = re.compile(r"^class (\w+)", re.MULTILINE)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` stands for, or is closest to; None if none is close."""
    known = list(known)
    other = meant(str(name), known)
    if other is not None:
        return other
    lowered = {k.lower(): k for k in known}
    found = difflib.get_close_matches(str(name).lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def advice(name: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'? Known: a, b, x` for the end of a message."""
    names = sorted(known)
    close = nearest(name, names)
    listed = "Known: " + (", ".join(names) if names else "none") + "."
    return f"did you mean '{close}'? {listed}" if close else listed


E = TypeVar("E", bound=Exception)


def advised(error: E, name: str, known: Iterable[str]) -> E:
    """Return the error with a note that has the nearest known name, if one is close.

    The text of the error stays MXNet's; a traceback prints the note below it.
    """
    close = nearest(name, known)
    if close is not None:
        error.add_note(f"did you mean '{close}'?")
    return error


def snake_case(class_name: str) -> str:
    """`MSRAPrelu` -> `msra_prelu`, `TruncatedNormal` -> `truncated_normal`, `Conv2D` -> `conv2d`."""
    words = re.sub(r"([a-z0-9])([A-Z][a-z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", class_name)
    return words.lower()


class Registry(Generic[T]):
    """Classes (or objects) of one kind by name. Names are lower case; a class goes in under its
    snake-case name.

    Where a `package` is given, its modules register the built-in entries, and are imported when a
    name is asked for that is not known yet: first the module of that name, then those whose text has
    a class that goes in under it, then the others.
    """

    def __init__(self, kind: str, package: str = "") -> None:
        self.kind = kind
        self._package = package
        self._all_imported = not package
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Register `entry` under `name`; a second entry of that name takes its place, but a built-in
        one never takes the place of a plugin's, which may have been there first.
        """
        name = name.lower()
        if name not in self._entries or not self._built_in(entry):
            self._entries[name] = entry
        return entry

    def get(self, name: str) -> T:
        """Return the entry called `name`. Raises KeyError with the nearest name and the known ones."""
        if name not in self:
            raise KeyError(f"no {self.kind} '{name}' - {advice(name, self)}")
        return self._entries[name.lower()]

    def __contains__(self, name: str) -> bool:
        name = name.lower()
        if name not in self._entries and not self._all_imported:
            modules = self.modules()
            for module in [name] if name in modules else self._modules_with(name, modules):
                importlib.import_module(f"{self._package}.{module}")
            if name not in self._entries:
                self.entries()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.entries()))

    def entries(self) -> dict[str, T]:
        """Return a copy of {name: entry} with all entries."""
        for module in () if self._all_imported else self.modules():
            importlib.import_module(f"{self._package}.{module}")
        self._all_imported = True
        return dict(self._entries)

    def imported(self, but: Container[str] = ()) -> dict[str, T]:
        """Import the package's modules, except those named in `but`, and return a copy of {name:
        entry} of all registered entries.
        """
        for module in () if self._all_imported else self.modules():
            if module not in but:
                importlib.import_module(f"{self._package}.{module}")
        return dict(self._entries)

    def modules(self) -> list[str]:
        """Return the names of the package's modules."""
        return modules_of(importlib.import_module(self._package).__path__) if self._package else []

    def _modules_with(self, name: str, modules: Iterable[str]) -> list[str]:
        """Return the modules whose text has a class of that name in snake case. Reading a text takes
        a fiftieth of importing what it defines.
        """
        folder = Path(importlib.import_module(self._package).__path__[0])
        texts = {module: folder / f"{module}.py" for module in modules}
        return [
            module
            for module, file in texts.items()
            if file.is_file()
            and any(
                snake_case(cls).rstrip("_") == name
                for cls in CLASS.findall(file.read_text(encoding="utf-8"))
            )
        ]

    def remove(self, name: str) -> None:
        """Take `name` out (for tests and for a plugin that is unloaded)."""
        del self._entries[name.lower()]

    def _built_in(self, entry: T) -> bool:
        package = getattr(entry, "__module__", "").rpartition(".")[0]
        return bool(self._package) and package == self._package


def modules_of(path: Iterable[str]) -> list[str]:
    """Return the names of the modules in a package's folder, given its `__path__`."""
    return [module.name for module in pkgutil.iter_modules(path)]


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import every module of a package's folder, so that each registers what it defines."""
    for module in modules_of(path):
        importlib.import_module(f"{package}.{module}")


_REGISTRIES: dict[type, Registry[type]] = {}


def registry_of(base_class: type, nickname: str) -> Registry[type]:
    """Return the registry of subclasses of `base_class`."""
    return _REGISTRIES.setdefault(base_class, Registry(nickname))


def get_registry(base_class: type) -> dict[str, type]:
    """Name -> class of everything registered for `base_class` (MXNet: `registry.get_registry`)."""
    return registry_of(base_class, base_class.__name__.lower()).entries()


def get_register_func(base_class: type, nickname: str) -> Callable[..., type]:
    """Return a decorator that registers a subclass under its lower-case class name (MXNet:
    `registry.get_register_func`).
    """
    registry = registry_of(base_class, nickname)

    def register(klass: type, name: str | None = None) -> type:
        if not (isinstance(klass, type) and issubclass(klass, base_class)):
            raise AssertionError(f"Can only register subclass of {base_class.__name__}")
        chosen = (name or klass.__name__).lower()
        if chosen in registry and registry.get(chosen) is not klass:
            old = registry.get(chosen)
            warn(
                f"\x1b[91mNew {nickname} {klass.__module__}.{klass.__name__} registered with name {chosen} is"
                f"overriding existing {nickname} {old.__module__}.{old.__name__}\x1b[0m",
                UserWarning,
            )
        registry.add(chosen, klass)
        return klass

    return register


def get_alias_func(base_class: type, nickname: str) -> Callable[..., Callable[[type], type]]:
    """Return a decorator factory that registers a subclass under further names (MXNet:
    `registry.get_alias_func`).
    """
    register = get_register_func(base_class, nickname)

    def alias(*names: str) -> Callable[[type], type]:
        def decorate(klass: type) -> type:
            for name in names:
                register(klass, name)
            return klass

        return decorate

    return alias


def get_create_func(base_class: type[T], nickname: str) -> Callable[..., T]:
    """Return a function that makes an instance from a name, a JSON description or an instance
    (MXNet: `registry.get_create_func`).
    """
    registry = registry_of(base_class, nickname)

    def check_alone(rest: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if rest or kwargs:
            raise AssertionError(
                f"{nickname} is already an instance. Additional arguments are invalid"
            )

    def create(*args: Any, **kwargs: Any) -> T:
        if args:
            name, rest = args[0], args[1:]
        else:
            name, rest = kwargs.pop(nickname), ()
        if isinstance(name, base_class):
            check_alone(rest, kwargs)
            return name
        if isinstance(name, dict):
            return create(**name)
        if not isinstance(name, str):
            raise AssertionError(f"{nickname} must be of string type")
        if name.startswith("["):
            check_alone(rest, kwargs)
            name, kwargs = json.loads(name)
            return create(name, **kwargs)
        if name.startswith("{"):
            check_alone(rest, kwargs)
            return create(**json.loads(name))
        if name.lower() not in registry:
            said = f"{name} is not registered. Please register with {nickname}.register first"
            raise advised(AssertionError(said), name, registry)
        made: T = registry.get(name)(*rest, **kwargs)
        return made

    return create
