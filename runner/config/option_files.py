"""The files of `conf/`: the root config and the options of each group, and the user's own folder
beside them. Nothing of Hydra or of the engine is needed to list them.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import initlab
from initlab.runner.errors import ConfigError

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


def check_overlay(folder: Path) -> None:
    """Check a folder with the user's own options.

    Raises ConfigError unless it is a folder; warns about each option that ours hides.
    """
    if not folder.is_dir():
        raise ConfigError.of(
            f"--config-dir {folder}",
            "is no folder - give one that holds groups, like my_conf/init/wide.yaml",
        )
    for file in sorted(folder.rglob("*.yaml")):
        option = file.relative_to(folder)
        if (conf_dir() / option).exists():
            said = f"is ignored: initlab has a {option.with_suffix('')} of its own - give it another name"
            print(f"warning: {file} {said}", file=sys.stderr)
