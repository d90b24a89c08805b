"""The state of the git repository in which a command was called.

git reads only: no lock is taken, no hook, pager, external diff or file system monitor is started.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from initlab.runner.evidence.provenance import Git

SECONDS = 2.0
"""How long git may take to compare the files with the commit."""
READING = ("git", "-c", "core.fsmonitor=false", "--no-pager")
COMMIT = (*READING, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
DIFF = (
    *(*READING, "diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"),
    *("--binary", "--full-index", "--diff-algorithm=myers", "-U3", "--inter-hunk-context=0"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=dirty"),
)
"""The difference of all tracked files from the commit, whatever the settings of the user's git."""
OF_ANOTHER = frozenset(
    (
        "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX",
    )
)  # fmt: skip
"""Variables by which a hook, or a user, names a repository that need not be that of the folder."""


def state_of(folder: Path, seconds: float = SECONDS) -> Git | None:
    """Return the state of the repository that a folder lies in.

    None if there is no git, no repository, or no commit. Files that git does not track make nothing
    dirty.
    """
    commit = _said(COMMIT, folder, seconds)
    if not commit:
        return None
    diff = _said(DIFF, folder, seconds)
    if diff is None:
        return Git(commit.decode().strip(), None, None)
    digest = hashlib.sha256(diff).hexdigest() if diff else None
    return Git(commit.decode().strip(), bool(diff), digest)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OF_ANOTHER}


def _said(words: tuple[str, ...], folder: Path, seconds: float) -> bytes | None:
    """Return what a command prints; None if it fails or takes longer."""
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**_environment(), "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
