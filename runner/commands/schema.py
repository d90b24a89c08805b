"""`initlab schema DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Schema(Command):
    """Write JSON Schemas of the files of a config, by which an editor completes, explains and checks them.

    There is a file for each group of options (init.json, model.json, ...), and config.json for
    experiments and sweeps, which hold keys of the whole config. Kinds of --plugin are included, and
    options of --config-dir are suggested. For each folder the line is printed that a file needs in its
    first lines, below # @package if it has that; docs/editor.md says what else an editor wants.

    exit codes:
      0   the schemas are written
      2   the folder cannot be written, or a plugin or folder is refused

    Example:
        initlab schema schemas
        initlab schema schemas --config-dir my_conf
    """

    usage = "DIR"
    summary = "JSON Schemas, by which an editor completes and checks config files"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folder."""
        parser.add_argument(
            "folder", type=Path, metavar="DIR", help="where the schemas are written"
        )
        parser.add_argument("--config-dir", metavar="DIR", help="a folder with options of your own")

    def perform(self, given: argparse.Namespace) -> int:
        """Write the schemas, and print where each belongs."""
        from initlab.runner.reference.files import file_schemas, write
        from initlab.runner.reference.groups import overlay
        from initlab.runner.reference.modelines import modelines

        written = write(given.folder, file_schemas(overlay(given.config_dir)))
        config_dir = Path(given.config_dir or "my_conf")
        print(f"{len(written)} schemas are in {given.folder}. The line for the files of a folder:")
        print()
        for files, line in modelines(given.folder, config_dir):
            print(files)
            print(f"    {line}")
        return 0
