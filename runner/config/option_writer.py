"""An option of one's own, written as a file that `--config-dir` finds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from initlab.runner.config.option_files import shipped_options
from initlab.runner.errors import ConfigError
from initlab.runner.files import write_text
from initlab.runner.json_values import JSON

NAME = re.compile(r"[A-Za-z_][\w-]*")


class OptionFile:
    """A file FOLDER/GROUP/NAME.yaml that is to be written."""

    def __init__(self, path: Path, group: str, place: str) -> None:
        """Raise ConfigError, with this place, unless `path` can be a new option of the group."""
        self.path, self._group = path, group
        like = f"my_conf/{group}/my_net.yaml"
        if path.suffix != ".yaml" or path.absolute().parent.name != group:
            raise ConfigError.of(
                place, f"must be a file in a folder '{group}', like {like}, got {path}"
            )
        if not NAME.fullmatch(path.stem):
            said = f"must have a name of letters, digits, _ and -, like {like}, got {path.name}"
            raise ConfigError.of(place, said)
        if path.stem in shipped_options()[group]:
            said = f"{path} is hidden by {group}={path.stem} of initlab itself - give another name"
            raise ConfigError.of(place, said)
        if path.exists() or path.is_symlink():
            raise ConfigError.of(place, f"{path} exists - remove it, or give another name")

    @property
    def words(self) -> str:
        """The words that choose the option."""
        return f"--config-dir {self.path.parent.parent} {self._group}={self.path.stem}"

    def write(self, options: Mapping[str, JSON], remark: str) -> None:
        """Write the resolved options of a kind. Raises ConfigError if that fails."""
        own = {key: _literal(value) for key, value in options.items() if key != "kind"}
        content: dict[str, object] = {
            "defaults": [f"/schema/{self._group}/{options['kind']}@_here_", "_self_"]
        }
        text = yaml.safe_dump({**content, **own}, sort_keys=False, allow_unicode=True)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.path, f"# {remark}\n{text}")
        except OSError as error:
            raise ConfigError.of(str(self.path), f"cannot be written: {error.strerror}") from error


def _literal(value: JSON) -> JSON:
    """Return a value in whose texts no interpolation is read."""
    if isinstance(value, dict):
        return {key: _literal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_literal(inner) for inner in value]
    return value.replace("${", "\\${") if isinstance(value, str) else value
