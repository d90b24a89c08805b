"""The names `engine` and `runner` of a checkout, which stand for `initlab.engine` and
`initlab.runner`.

`import engine.nd` gives the module `initlab.engine.nd` itself, so that no class exists twice.
`python -m runner.verify …` runs the command `initlab verify …`.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType

COMMANDS = "runner"
"""The name below which `python -m` finds the commands."""


class Doorway(importlib.abc.InspectLoader, importlib.abc.MetaPathFinder):
    """Finds `NAME.anything` as `initlab.NAME.anything`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module below NAME, or of a command while `python -m` looks for it.

        `NAME.__main__` is left to Python.
        """
        if not fullname.startswith(f"{self.name}.") or fullname.endswith(".__main__"):
            return None
        # Python sets argv[0] to -m until it has found the module. Plugins may add commands, so any
        # name may be one.
        starting = sys.argv[:1] == ["-m"] and self._is_command(fullname)
        if not starting and not _exists(fullname):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=__file__)

    def _is_command(self, fullname: str) -> bool:
        return self.name == COMMANDS and fullname.count(".") == 1

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the module behind the name. Raises ModuleNotFoundError if there is none."""
        if not _exists(spec.name):
            raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name)
        module = importlib.import_module(f"initlab.{spec.name}")
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module, which ran before, its own spec back."""
        module.__spec__ = self._spec

    def get_code(self, fullname: str) -> CodeType:
        """Return the code that `python -m runner.command` runs.

        Raises ImportError, which Python prints in one line, for a module.
        """
        if not self._is_command(fullname):
            said = f"'{fullname}' is no command and cannot be directly executed"
            raise ImportError(f"No module named {fullname}.__main__; {said}", name=fullname)
        command = fullname.removeprefix(f"{self.name}.")
        return compile(
            f"from initlab.__main__ import main\nmain({command!r})", f"<{fullname}>", "exec"
        )

    def get_source(self, fullname: str) -> None:
        """There is none."""


def _exists(fullname: str) -> bool:
    return importlib.util.find_spec(f"initlab.{fullname}") is not None


def open_doorway(name: str) -> None:
    """Let the top-level name of a checkout stand for the package within `initlab`."""
    if not any(isinstance(finder, Doorway) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, Doorway(name))
    sys.modules[name] = importlib.import_module(f"initlab.{name}")
