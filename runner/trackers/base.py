"""A tracker: a dataclass that shows a finished run to a program for comparing runs.

It works from what the run left on disk, after the manifest: it can neither change a run nor make a
finished one unfinished. The library it needs is imported in its own module only, when there is
something to show.
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
    """Base of all trackers. The same run tracked twice must be there once."""

    packages: ClassVar[tuple[str, ...]] = ()
    """What must be importable; `pip install 'initlab[<kind>]'` brings it."""

    @classmethod
    def check_installed(cls) -> None:
        """ConfigError where the library is not installed. Imports nothing."""
        if not all(map(_importable, cls.packages)):
            said = f"{cls.kind} is not installed - pip install 'initlab[{cls.kind}]'"
            raise ConfigError.of("", said)

    def track(self, evidence: Evidence) -> None:
        """Show a finished run."""
        raise NotImplementedError(f"tracker '{self.kind}' defines no track")


def _importable(package: str) -> bool:
    """Whether `package` is installed; a folder of that name in the working directory is not it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None


register = registrar(REGISTRY, Tracker)
"""Makes a dataclass derived from `Tracker` a tracker under its snake-case name."""
