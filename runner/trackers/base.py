"""Base class of trackers: a dataclass that logs a finished run to a program for comparing runs.

It reads what the run left on disk, after the manifest is written, so it can neither change nor undo
a run. Its library is imported only in its own module, when there is something to log.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import ClassVar

from initlab.engine.registry import Registry
from initlab.runner.errors import ConfigError
from initlab.runner.kinds import Kind, registrar
from initlab.runner.trackers.evidence import Evidence

REGISTRY: Registry[type[Tracker]] = Registry("tracker", __package__)


@dataclass
class Tracker(Kind):
    """Base class of trackers. If the same run is tracked twice, it must appear once."""

    packages: ClassVar[tuple[str, ...]] = ()
    """Packages that must be importable; `pip install 'initlab[<kind>]'` installs them."""

    @classmethod
    def check_installed(cls) -> None:
        """Raise ConfigError if the library is not installed. Imports nothing."""
        if not all(map(_importable, cls.packages)):
            said = f"{cls.kind} is not installed - pip install 'initlab[{cls.kind}]'"
            raise ConfigError.of("", said)

    def track(self, evidence: Evidence) -> None:
        """Log a finished run."""
        raise NotImplementedError(f"tracker '{self.kind}' defines no track")


def _importable(package: str) -> bool:
    """Return whether `package` is installed; a folder of that name in the working directory is not
    it.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None


register = registrar(REGISTRY, Tracker)
"""Registers a dataclass derived from `Tracker` under its snake-case name."""
