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
from dataclasses import dataclass
from pathlib import Path

from initlab.runner.errors import ConfigError

ENVIRONMENT = "INITLAB_PLUGINS"
"""Absolute paths joined by os.pathsep, for the processes that a launcher starts."""


@dataclass(frozen=True)
class Plugin:
    """A loaded plugin: its file's name (no folder) and the SHA-256 of its bytes in hex."""

    file: str
    sha256: str


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
    _LOADED[str(file)] = Plugin(file.name, hashlib.sha256(source).hexdigest())
    os.environ[ENVIRONMENT] = os.pathsep.join(_LOADED)
    return _LOADED[str(file)]


def load_from_environment() -> None:
    """Load the plugins that the process which started this one had loaded."""
    for path in filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep)):
        load(path)


def loaded() -> list[Plugin]:
    """Return every loaded plugin, by file name."""
    return sorted(_LOADED.values(), key=lambda plugin: (plugin.file, plugin.sha256))
