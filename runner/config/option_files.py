"""The files of `conf/`: the root config and the options of each group, and the user's own folder
beside them. Nothing of Hydra or of the engine is needed to list them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import initlab
from initlab.runner.errors import ConfigError, Problems

ROOT = "config"


def conf_dir() -> Path:
    """Return the folder `conf` of the package. Raises ConfigError if it is missing."""
    folder = Path(initlab.__file__).parent.absolute() / "conf"
    if not (folder / f"{ROOT}.yaml").is_file():
        raise ConfigError.of(
            "", f"the folder {folder} of configs is missing - install initlab again"
        )
    return folder


def shipped_options() -> dict[str, set[str]]:
    """Return {group: names of the options in `conf/`}, which are looked up once."""
    return _options_in(conf_dir())


@cache
def _options_in(folder: Path) -> dict[str, set[str]]:
    return {
        group.name: {file.stem for file in group.glob("*.yaml")}
        for group in folder.iterdir()
        if group.is_dir()
    }


def check_overlay(given: str | Path, before: Sequence[Path] = ()) -> None:
    """Check the folder with the user's own options. Those of the folders `before` come before them,
    as ours do.

    Raises ConfigError unless it is a folder with files of options, and for each file that an option
    of ours would hide; a copy of ours is allowed.
    """
    folder, place = Path(given), f"--config-dir {given}"
    if "://" in str(given):
        said = (
            "is no folder: options are read from folders only, never from a package or an address"
        )
        raise ConfigError.of(place, said)
    if not folder.is_dir():
        said = "is no folder - give one that holds groups, like my_conf/init/wide.yaml"
        raise ConfigError.of(place, said)
    files = sorted(folder.rglob("*.yaml"))
    if not any(file.parent != folder for file in files):
        said = "has no option - give a folder that holds groups, like my_conf/init/wide.yaml"
        if files and folder.resolve().name in shipped_options():
            said = f"is a group itself, not a folder of groups - give {folder.parent}"
        elif any(folder.rglob("*.yml")):
            said = "has files that end in .yml, which are not read - rename them to .yaml"
        raise ConfigError.of(place, said)
    problems = Problems()
    for file in files:
        option = file.relative_to(folder)
        if option.parts[0] == "schema":
            problems.add(
                str(file), "is in the group schema, which is initlab's - give another group"
            )
        elif len(option.parts) == 1 and option.stem == ROOT:
            said = "is not read: there is one root config - give its keys as words, or in an experiment"
            problems.add(str(file), said)
        elif any(_hides(ours / option, file) for ours in (conf_dir(), *before)):
            group, name = option.parent.as_posix(), option.stem
            said = f"is hidden by {group}={name} of initlab itself - give it another name"
            problems.add(str(file), said)
    problems.raise_any()


def _hides(ours: Path, file: Path) -> bool:
    return ours.is_file() and not (file.is_file() and _content(ours) == _content(file))


def _content(file: Path) -> list[bytes]:
    """Return the lines of an option file without comments, but with the one that names a package."""
    lines = [line.strip() for line in file.read_bytes().splitlines()]
    return [line for line in lines if line and (line[:1] != b"#" or b"@package" in line)]
