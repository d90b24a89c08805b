"""`initlab seal DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Seal(Command):
    """Write a detached list of the files of a run, or a sweep, with their SHA-256, to be signed.

    The list is what the tool model-signing (OpenSSF) states of a folder; docs/verify.md in the
    source shows how to sign and check it. Nothing is signed or drawn here: the files are held
    against the manifest, then listed. Of a sweep these are its list, its summary, and the files of
    its runs.

    exit codes:
      0   the seal is written, or with --check the folder is as the seal says
      1   with --check: a file is missing, added or changed, or the seal is of another run
      2   the run or the seal is missing or damaged

    Example:
        initlab seal outputs/runs/a
    """

    usage = "DIR"
    summary = "list the files of a run or a sweep with digests, to be signed"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folder and the file."""
        parser.add_argument(
            "folder",
            type=Path,
            metavar="DIR",
            help="outputs/<name>/<run id>, or outputs/<name> of a sweep",
        )
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="default: DIR.seal.json"
        )
        parser.add_argument(
            "--check", type=Path, metavar="FILE", help="compare the folder with this seal"
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Write the seal, or compare with one."""
        from initlab.runner.check.seal import compare, read, seal
        from initlab.runner.errors import ConfigError
        from initlab.runner.excerpt import counted

        if given.check is not None and given.output is not None:
            raise ConfigError.of("-o", "is for writing a seal, --check reads one - leave one out")
        if given.check is None:
            print(seal(given.folder, given.output))
            return 0
        wrong = compare(given.folder, given.check)
        if wrong is not None:
            print(f"{given.folder}: {wrong}", file=sys.stderr)
            return 1
        print(f"{given.folder}: as sealed, {counted(len(read(given.check)[1]), 'file')}")
        return 0
