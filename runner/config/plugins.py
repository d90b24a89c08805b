"""Plugins: Python files with a user's own initializers, layers, data, probes and statistics, named
by `--plugin`.

A plugin is code, so a config cannot name one. Only the command line can, and in a launcher's
process the environment set by the command line's process.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from initlab.runner.errors import ConfigError

ENVIRONMENT = "INITLAB_PLUGINS"
"""Absolute paths joined by os.pathsep, for the processes that a launcher starts."""


@dataclass(frozen=True)
class Plugin:
    """A loaded plugin: its file's name (no folder) and the SHA-256 of its bytes in hex.

    `of_runs` says whether runs can depend on it; one with launchers only is no part of them.
    """

    file: str
    sha256: str
    of_runs: bool = True


_LOADED: dict[str, Plugin] = {}


def load(path: str) -> Plugin:
    """Run the file at `path` once, so that what it registers can be chosen.

    Raises ConfigError if it cannot be read or fails.
    """
    place = f"--plugin {path}"
    file = Path(path).resolve()
    if str(file) in _LOADED:
        return _LOADED[str(file)]
    try:
        source = file.read_bytes()
    except OSError as error:
        raise ConfigError.of(
            place, f"cannot be read ({error.strerror}) - give the path of a Python file"
        ) from error
    name = f"initlab_plugin_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigError.of(place, "is no Python file - its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigError.of(
            place, f"failed while it was imported: {type(error).__name__}: {error}"
        ) from error
    digest = hashlib.sha256(source).hexdigest()
    _LOADED[str(file)] = Plugin(file.name, digest, not _only_launches(module))
    os.environ[ENVIRONMENT] = os.pathsep.join(_LOADED)
    return _LOADED[str(file)]


def _only_launches(module: ModuleType) -> bool:
    """Return whether all classes that a plugin defines are launchers, and there is one."""
    launcher = getattr(sys.modules.get("hydra.plugins.launcher"), "Launcher", None)
    own = [one for one in vars(module).values() if isinstance(one, type)]
    own = [one for one in own if one.__module__ == module.__name__]
    return launcher is not None and own != [] and all(issubclass(one, launcher) for one in own)


def load_from_environment() -> None:
    """Load the plugins that the process which started this one had loaded."""
    for path in filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep)):
        load(path)


def loaded() -> list[Plugin]:
    """Return every loaded plugin that runs can depend on, by file name."""
    return [plugin for _, plugin in _of_runs()]


@contextmanager
def only(wanted: Iterable[str]) -> Iterator[None]:
    """Use only these of the loaded plugins, named by their SHA-256, inside a `with`: those that a run
    was made with. The others are no part of its config then.
    """
    digests, before = set(wanted), dict(_LOADED)
    for path, plugin in before.items():
        if plugin.sha256 not in digests:
            del _LOADED[path]
    try:
        yield
    finally:
        _LOADED.update(before)


def paths() -> list[str]:
    """Return the absolute path of every plugin in `loaded`, in its order."""
    return [path for path, _ in _of_runs()]


def _of_runs() -> list[tuple[str, Plugin]]:
    found = [(path, plugin) for path, plugin in _LOADED.items() if plugin.of_runs]
    return sorted(found, key=lambda item: (item[1].file, item[1].sha256))


def failure(error: BaseException) -> str | None:
    """Return the report on an exception that a plugin's code raised, or None for any other.

    Its first line names the file, the hook and the parameter; below are the lines of the traceback
    that lie in the file.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    lines = traceback.extract_tb(error.__traceback__)
    own = [number for number, line in enumerate(lines) if line.filename in _LOADED]
    if not own:
        return None
    hook = frames[own[0]]
    owner = hook.f_locals.get("self")
    name = hook.f_code.co_name if owner is None else f"{type(owner).__name__}.{hook.f_code.co_name}"
    place = parameter_of(error)
    said = f" for parameter '{place}'" if place else ""
    what = "".join(traceback.format_exception_only(error)).splitlines()[0]
    first = f"--plugin {_LOADED[lines[own[0]].filename].file}: {name} failed{said}: {what}"
    return "\n".join([first, *"".join(traceback.format_list([lines[n] for n in own])).splitlines()])


def parameter_of(error: BaseException) -> str | None:
    """Return the path of the parameter that was planned, filled or measured where an exception was
    raised, or None.
    """
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        for name in ("row", "description"):
            path = getattr(frame.f_locals.get(name), "path", None)
            if isinstance(path, str):
                return path.rpartition("/")[2]
    return None
