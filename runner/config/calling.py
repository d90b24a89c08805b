"""What a command's runs have in common for their provenance: its words, and where it was called."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from threading import Thread

from initlab.runner.config import plugins
from initlab.runner.evidence import git
from initlab.runner.evidence.provenance import Calling, ConfigDir, Git

PROGRAM = "initlab"
OURS = {"initlab", "runner"}
"""The packages that `python -m` starts as our program."""
MASK = "***"
SECRET = re.compile(
    r"(?i)([^=]*\b(?:env_set|env_vars)\b[^=]*"
    r"|(?:[^=]*[._])?(?:token|password|passwd|secret|api_?key|credentials?))=.+",
    re.DOTALL,
)
"""A word whose key says that its value is a secret, or a variable of the environment."""
SIGNED_IN = re.compile(r"(\w://)[^/@\s]*@")
"""The user and password in an address."""


class Asking:
    """Finds out where a command was called, beside the work of the command.

    `begin` asks git, in a thread; a call waits for the answer.
    """

    def __init__(self, config_dir: str | None = None) -> None:
        self._config_dir = config_dir
        self._folder = Path.cwd()
        self._command = command_line(sys.argv)
        self._git: Git | None = None
        self._thread: Thread | None = None
        self._answer: Calling | None = None

    def begin(self) -> None:
        """Ask git, unless it was asked before."""
        if self._thread is None:
            self._thread = Thread(target=self._ask, name="initlab-git", daemon=True)
            self._thread.start()

    def _ask(self) -> None:
        self._git = git.state_of(self._folder)

    def __call__(self) -> Calling:
        """Return what is known; the same answer for all runs of the command."""
        if self._answer is None:
            self.begin()
            assert self._thread is not None
            self._thread.join()
            self._answer = Calling(
                self._command,
                str(self._folder),
                self._git,
                None if self._config_dir is None else config_dir_of(Path(self._config_dir)),
                plugins.paths(),
            )
        return self._answer


def command_line(words: list[str]) -> list[str] | None:
    """Return the command line of this process, whose words these are, if initlab is its program."""
    program = Path(words[0]) if words else Path()
    if program.name != PROGRAM and (
        program.name != "__main__.py" or program.parent.name not in OURS
    ):
        return None
    return [PROGRAM, *map(masked, words[1:])]


def masked(word: str) -> str:
    """Return a word of a command line without the secret in it: `***` stands for the value of a key
    that is called like a secret, or sets the environment, and for the user in an address.
    """
    found = SECRET.fullmatch(word)
    if found is not None:
        return f"{word[: found.end(1)]}={MASK}"
    return SIGNED_IN.sub(rf"\1{MASK}@", word)


def config_dir_of(folder: Path) -> ConfigDir:
    """Return the path of a folder of options, and the digest of its option files and their names."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.yaml")):
        name = file.relative_to(folder).as_posix().encode()
        try:
            content = hashlib.sha256(file.read_bytes()).digest()
        except OSError:
            content = b""
        digest.update(len(name).to_bytes(8, "big") + name + content)
    return ConfigDir(os.path.abspath(folder), digest.hexdigest())
