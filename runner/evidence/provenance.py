"""The provenance of a run: who called for it, where and when. It is no part of what a run computes.

command      the words of the command line as typed, secrets masked; null for a run from Python
folder       the working directory
git          commit of that folder's repository, whether tracked files differ from it, and the
             SHA-256 of that difference; null without git, a repository or a commit
config_dir   path and SHA-256 of the folder of options; null without one
plugins      paths of the plugins, in the order of the manifest's `plugins`
begun, ended UTC, like 2026-11-27T13:21:53.250Z
host, platform
"""

from __future__ import annotations

import platform
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from initlab.runner.evidence.sound import is_digest, is_text, is_truth, list_of, or_none

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Git:
    """The state of a repository: its commit in hex, and whether tracked files differ from it.

    `diff_sha256` is the SHA-256, in hex, of the difference; None if there is none. Both are None
    where git took too long to say.
    """

    commit: str
    dirty: bool | None
    diff_sha256: str | None


@dataclass(frozen=True)
class ConfigDir:
    """A folder of options: its absolute path, and the SHA-256, in hex, of its option files."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Calling:
    """What a command's runs have in common: its words, and where it was called."""

    command: list[str] | None
    folder: str
    git: Git | None
    config_dir: ConfigDir | None
    plugins: list[str]


@dataclass(frozen=True)
class Provenance(Calling):
    """The provenance of a run, as its manifest has it."""

    begun: str
    ended: str
    host: str
    platform: str

    @classmethod
    def of(cls, calling: Calling, begun: datetime, ended: datetime) -> Provenance:
        """Return the provenance of a run that this process made."""
        host, system = _machine()
        return cls(
            **vars(calling),
            begun=utc_text(begun),
            ended=utc_text(ended),
            host=host,
            platform=system,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the content of the manifest; `from_json` restores the provenance."""
        return vars(self) | {
            "git": None if self.git is None else vars(self.git),
            "config_dir": None if self.config_dir is None else vars(self.config_dir),
        }

    @classmethod
    def from_json(cls, content: Any) -> Provenance:
        """Return the provenance from a manifest, whose content `is_provenance`."""
        git, options = content["git"], content["config_dir"]
        made = {
            "git": None if git is None else Git(**git),
            "config_dir": None if options is None else ConfigDir(**options),
        }
        return cls(**content | made)


@cache
def _machine() -> tuple[str, str]:
    return socket.gethostname(), platform.platform()


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def utc_text(time: datetime) -> str:
    """Return a time in UTC as text, to the millisecond; texts sort like times."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_git(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == Git.__dataclass_fields__.keys()
        and isinstance(value["commit"], str)
        and COMMIT.fullmatch(value["commit"]) is not None
        and or_none(is_truth)(value["dirty"])
        and is_digest(value["diff_sha256"]) is (value["dirty"] is True)
        and (value["diff_sha256"] is None or value["dirty"] is True)
    )


def _is_config_dir(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == ConfigDir.__dataclass_fields__.keys()
        and is_text(value["path"])
        and is_digest(value["sha256"])
    )


SOUND = {
    "command": or_none(list_of(is_text)),
    "folder": is_text,
    "git": or_none(_is_git),
    "config_dir": or_none(_is_config_dir),
    "plugins": list_of(is_text),
    "begun": _is_time,
    "ended": _is_time,
    "host": is_text,
    "platform": is_text,
}


def is_provenance(value: object) -> bool:
    """Return whether this is the provenance of a run, as a manifest has it."""
    return (
        isinstance(value, dict)
        and value.keys() == SOUND.keys()
        and all(sound(value[name]) for name, sound in SOUND.items())
    )
