"""`initlab lock WORD …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register
from initlab.runner.errors import Stopped

NAME, LAWS_NAME = "initlab.lock", "initlab.laws"


@register
class Lock(Command):
    """Write a lock of every run of these words, to be checked by `initlab verify --lock`.

    The words are those of `initlab -m`: sweep=…, experiment=a,b, init=normal,he 'seed=range(0,3)'.
    Every run is drawn here, one after the other, on the CPU; no run folder is made.

    With --laws: the lock of a PyTorch model, as its own code initializes it. For each pattern of
    parameters the law, the function that wrote it last, the number of writes, and the ties; no values,
    so that seeds leave it alone. The words declare one model that @initlab.torch.model makes.

    exit codes:
      0   the lock is written, or was up to date
      1   a run was not filled as planned
      2   words, plugin or file are wrong; nothing was written

    Example:
        initlab lock init=normal,he 'seed=range(0,3)'
    """

    usage = "WORD ..."
    summary = "write a lock: the digests that runs must give"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the words and the file."""
        parser.add_argument(
            "words", nargs="+", metavar="WORD", help="overrides, as with initlab -m"
        )
        parser.add_argument(
            "-o",
            "--output",
            type=Path,
            metavar="FILE",
            help=f"default {NAME}, with --laws {LAWS_NAME}",
        )
        parser.add_argument(
            "--laws", action="store_true", help="lock who writes what in a PyTorch model"
        )
        parser.add_argument(
            "-m", "--multirun", action="store_true", help="may be given, as with initlab -m"
        )
        parser.add_argument("--config-dir", metavar="DIR", help="a folder with options of your own")

    def perform(self, given: argparse.Namespace) -> int:
        """Draw the runs and write the lock."""
        path = given.output or Path(LAWS_NAME if given.laws else NAME)
        try:
            if given.laws:
                from initlab.runner.torch.watch.declared_laws import write_laws

                write_laws(given.words, path, given.config_dir)
            else:
                from initlab.runner.check.lock import write

                write(given.words, path, given.config_dir)
        except KeyboardInterrupt:
            raise Stopped("stopped from the keyboard, nothing was written") from None
        return 0
