"""The names `engine` and `runner` of a checkout, which stand for `initlab.engine` and
`initlab.runner`.

`import engine.nd` gives the module `initlab.engine.nd` itself, so that no class exists twice.
`python -m runner.verify …` runs the command `initlab verify …`.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType


class Doorway(importlib.abc.InspectLoader, importlib.abc.MetaPathFinder):
    """Finds `NAME.anything` as `initlab.NAME.anything`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module below NAME. `NAME.__main__` is left to Python."""
        if not fullname.startswith(f"{self.name}.") or fullname.endswith(".__main__"):
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the module behind the name. Raises ModuleNotFoundError if there is none."""
        module = importlib.import_module(f"initlab.{spec.name}")
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module, which ran before, its own spec back."""
        module.__spec__ = self._spec

    def get_code(self, fullname: str) -> CodeType:
        """Return the code that `python -m NAME.command` runs."""
        command = fullname.removeprefix(f"{self.name}.")
        return compile(
            f"from initlab.runner.cli import main\nmain({command!r})", f"<{fullname}>", "exec"
        )

    def get_source(self, fullname: str) -> None:
        """There is none."""


def open_doorway(name: str) -> None:
    """Let the top-level name of a checkout stand for the package within `initlab`."""
    if not any(isinstance(finder, Doorway) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, Doorway(name))
    sys.modules[name] = importlib.import_module(f"initlab.{name}")
