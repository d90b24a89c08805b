"""The comment by which a config file names its schema for an editor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from initlab.runner.config import schema
from initlab.runner.config.option_files import ROOT
from initlab.runner.reference.groups import LAUNCHER

LINE = "# yaml-language-server: $schema="
OF_ROOT = ("experiment", "sweep")
"""The groups whose files hold keys of the whole config."""


def modelines(folder: Path, config_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield (the files of a group in the user's folder of options, the line that names their schema);
    `folder` is that of the schemas.
    """
    for group in ("model", "device", *schema.GROUPS, f"hydra/{LAUNCHER}", *OF_ROOT):
        name = ROOT if group in OF_ROOT else group.rpartition("/")[2]
        place = os.path.relpath(folder / f"{name}.json", config_dir / group)
        yield str(config_dir / group / "*.yaml"), f"{LINE}{Path(place).as_posix()}"
