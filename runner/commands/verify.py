"""`initlab verify DIR …`, `initlab verify --lock FILE`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register
from initlab.runner.errors import EXIT_REFUSED, ConfigError, EvidenceError, print_error


@register
class Verify(Command):
    """Make finished runs again and compare: every value, figure, file, and field of the manifest.

    For outputs/<name>, every run in it is verified, of every sweep and single ones; with --last only
    those of the last sweep. The line of a verified run says what was covered. docs/verify.md in the
    source has the details.

    With --lock FILE: draw every run of a lock again and say what changed, and why. For a lock of laws
    (initlab lock --laws), build the module again and say which law, writer or tie changed.

    exit codes:
      0   everything is as the manifest, or the lock, says
      1   something differs: the first parameter, figure or file is named, and by how much
      2   a manifest, file or lock is missing, damaged or of another version

    Example:
        initlab verify outputs/runs/a
    """

    usage = "DIR ..."
    summary = "recompute finished runs, to the bit"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Folders of runs and sweeps, or a lock."""
        parser.add_argument(
            "folders", nargs="*", metavar="DIR", help="outputs/<name>/<run id>, or outputs/<name>"
        )
        parser.add_argument(
            "--last", action="store_true", help="of outputs/<name>: the last sweep, not all runs"
        )
        parser.add_argument(
            "--values", action="store_true", help="draw the values again, but measure nothing again"
        )
        parser.add_argument(
            "--lock",
            nargs="?",
            type=Path,
            const=Path("initlab.lock"),
            metavar="FILE",
            help="check the runs of this lock instead, initlab.lock if no name is given",
        )
        parser.add_argument(
            "--junit", type=Path, metavar="FILE", help="with --lock: write a JUnit report"
        )
        parser.add_argument(
            "--config-dir",
            metavar="DIR",
            help="with --lock: the folder of options it was made with",
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Print a line for each run; return the worst exit code."""
        from initlab.runner.check.lockcheck import verify_lock
        from initlab.runner.check.lockfile import is_of_laws
        from initlab.runner.check.several import verify_all
        from initlab.runner.evidence.found import meant
        from initlab.runner.listing import print_line
        from initlab.runner.terminal.tables import console

        if bool(given.folders) == (given.lock is not None):
            raise ConfigError.of("verify", "give folders of runs or sweeps, or --lock FILE")
        if given.lock is not None and given.values:
            raise ConfigError.of("--values", "is for folders")
        if given.lock is not None and given.last:
            raise ConfigError.of("--last", "is for folders")
        if given.lock is not None and is_of_laws(given.lock):
            from initlab.runner.torch.watch.declared_laws import verify_laws

            return verify_laws(given.lock, given.config_dir, given.junit)
        if given.lock is not None:
            return verify_lock(given.lock, console(), given.config_dir, given.junit)
        if given.junit or given.config_dir:
            option = "--junit" if given.junit else "--config-dir"
            raise ConfigError.of(option, "is for --lock FILE")
        worst = 0
        for answer in verify_all(list(map(meant, given.folders)), not given.values, given.last):
            if answer.code == EXIT_REFUSED:
                print_error(EvidenceError(answer.text))
            else:
                out = console(err=bool(answer.code))
                several = len(given.folders) > 1 or answer.folder != meant(given.folders[0])
                print_line(out, answer.fitting(out.width) if several else answer.text)
            worst = max(worst, answer.code)
        return worst
