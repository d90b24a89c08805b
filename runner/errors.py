"""Every exception class of the runner, and the exit codes they end in.

    Exception
     +-- RunnerError
          +-- ConfigError        the config is wrong: one or more `Problem`s, all at once        exit 2
          +-- LedgerError        a parameter was not initialized exactly once, as planned        exit 1
          +-- EvidenceError      a manifest or snapshot is missing, damaged or of another kind   exit 2
          +-- StorageError       the run's folder cannot be written, or somebody else writes it  exit 2
          +-- MemoryShortage     a run needs more memory than the host or the GPU has            exit 2
          +-- Stopped            the user pressed Ctrl-C                                         exit 130
          +-- QuantityError      a claim is about something that the results do not have         exit 2

A finished run that `verify` finds different is no exception: it is an answer, with exit code 1.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from initlab.engine.device import CUPY

EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_INCONCLUSIVE = 3
EXIT_STOPPED = 130


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the config: `place` is a config path (`model.layers[1].units`) or a
    command line word.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class RunnerError(Exception):
    """Root of what the runner raises; `exit_code` is what the process ends with."""

    exit_code = EXIT_FAILED


class ConfigError(RunnerError):
    """A config that cannot be run; `problems` holds everything found wrong, not the first only."""

    exit_code = EXIT_REFUSED

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))

    @classmethod
    def of(cls, place: str, message: str) -> ConfigError:
        """The error for one problem."""
        return cls([Problem(place, message)])


class LedgerError(RunnerError):
    """What was initialized is not what was planned."""


class EvidenceError(RunnerError):
    """A manifest or a snapshot that cannot be used as evidence."""

    exit_code = EXIT_REFUSED


class StorageError(RunnerError):
    """A run's folder that cannot be written: a full disk, a folder that is gone, another process at
    work in it.
    """

    exit_code = EXIT_REFUSED


class MemoryShortage(RunnerError):
    """A run that needs more memory than there is."""

    exit_code = EXIT_REFUSED

    @classmethod
    def of(cls, error: BaseException, device: str) -> MemoryShortage:
        """From what an array library raised (see `engine.device.is_shortage`), with the notes that
        say when.
        """
        said = ", ".join([str(error).rstrip(". "), *getattr(error, "__notes__", ())])
        if type(error).__module__.partition(".")[0] in CUPY:
            return cls(
                f"{device} has less memory than the run needs: {said} - use a smaller data.batch, "
                "dtype=float16, or device=cpu"
            )
        return cls(
            f"the run needs more memory than there is: {said} - task=plan shows what it would hold, "
            "init_mode=streamed holds little"
        )


class Stopped(RunnerError):
    """The user stopped the command from the keyboard."""

    exit_code = EXIT_STOPPED


class QuantityError(RunnerError):
    """An expression cannot be read, or the results of runs have nothing of the kind; one line, the
    claim is named by who catches it.
    """

    exit_code = EXIT_REFUSED


def print_error(error: RunnerError) -> None:
    """One line a problem, on stderr."""
    for line in str(error).splitlines():
        print(f"error: {line}", file=sys.stderr)
