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
               +-- ExpressionError    an expression that cannot be read

A finished run that `verify` finds different is no exception: it is an answer, with exit code 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from initlab.engine.device import CUPY
from initlab.engine.errors import OptionError
from initlab.engine.registry import advice

T = TypeVar("T")
R = TypeVar("R")

EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_INCONCLUSIVE = 3
EXIT_STOPPED = 130


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the config: `place` is a config path (`model.layers[1].units`) or a
    command line word. `unknown` is true for a name that nothing has: a slip of the pen, whatever
    else the config says. `search` is true for values that only a search can vary.
    """

    place: str
    message: str
    unknown: bool = field(default=False, compare=False)
    search: bool = field(default=False, compare=False)

    @classmethod
    def of_name(cls, place: str, said: str, name: object, known: Iterable[object]) -> Problem:
        """A name that nothing has: says the nearest, and lists the known ones."""
        return cls(place, f"{said} - {advice(str(name), map(str, known))}", unknown=True)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    def below(self, place: str) -> Problem:
        """The problem of a part, placed in the whole that has the part at `place`."""
        dot = "." if place and self.place and not self.place.startswith("[") else ""
        return replace(self, place=f"{place}{dot}{self.place}")


class RunnerError(Exception):
    """Root of what the runner raises; `exit_code` is what the process ends with."""

    exit_code = EXIT_FAILED


class ConfigError(RunnerError):
    """A config that cannot be run; `problems` holds everything found wrong, each once, not the first
    only.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(str(p) for p in self.problems))

    @classmethod
    def of(cls, place: str, message: str, unknown: bool = False) -> ConfigError:
        """The error for one problem."""
        return cls([Problem(place, message, unknown)])

    @classmethod
    def unknown(cls, place: str, said: str, name: object, known: Iterable[object]) -> ConfigError:
        """The error for a name that nothing has: says the nearest, and lists the known ones."""
        return cls([Problem.of_name(place, said, name, known)])


class Problems:
    """What is wrong with several parts, gathered so that all of it is said at once.

        problems = Problems()
        with problems.under("model.input"):
            shape = parse_input(node)       # a ConfigError is kept, its places put below model.input
        problems.add("seed", "must be …")
        problems.raise_any()                # shape exists from here on

    A function that parses a part says places within the part and raises; who calls it says where the
    part stands. That is the one way in which problems travel. Where the sound rest of something is
    gone on with, so that more is said at once, an object has the rest and, as `problems`, what is
    wrong with what was left out: `Words`, `Space`, `DeclaredSweep`.
    """

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self.found = list(found)

    def __len__(self) -> int:
        return len(self.found)

    def add(self, place: str, message: str) -> None:
        """Note one problem."""
        self.found.append(Problem(place, message))

    def unknown(self, place: str, said: str, name: object, known: Iterable[object]) -> None:
        """Note a name that nothing has; the nearest and the known ones are said."""
        self.found.append(Problem.of_name(place, said, name, known))

    @contextmanager
    def under(self, place: str = "") -> Iterator[None]:
        """While open, a ConfigError ends the block and is kept, and so are an OptionError and a
        QuantityError.
        """
        try:
            yield
        except (ConfigError, OptionError, QuantityError) as error:
            self.found += [problem.below(place) for problem in problems_of(error)]

    def sound(self, parts: Mapping[str, T], parse: Callable[[T], R]) -> dict[str, R]:
        """`parse` of every part that is sound, by its place; what is wrong with the others is kept."""
        made: dict[str, R] = {}
        for place, part in parts.items():
            with self.under(place):
                made[place] = parse(part)
        return made

    def concern(self, *places: str) -> bool:
        """Whether something is wrong at one of these places, or below it."""
        return any(
            found.place == place or found.place.startswith((f"{place}.", f"{place}["))
            for found in self.found
            for place in places
        )

    def raise_any(self) -> None:
        """ConfigError with everything that was found; nothing where nothing was."""
        if self.found:
            raise ConfigError(self.found)


def problems_of(error: ConfigError | OptionError | QuantityError) -> list[Problem]:
    """What an error says is wrong."""
    if isinstance(error, ConfigError):
        return error.problems
    if isinstance(error, QuantityError):
        return [Problem("", str(error), error.unknown)]
    return [Problem(one.option, one.problem, one.unknown) for one in error.errors]


def each(parts: Mapping[str, T], parse: Callable[[T], R]) -> dict[str, R]:
    """`parse` of every part, by its place. ConfigError with what is wrong with any of them."""
    problems = Problems()
    made = problems.sound(parts, parse)
    problems.raise_any()
    return made


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
    claim is named by who catches it. `unknown` is true for a name that nothing has.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, message: str, unknown: bool = False) -> None:
        self.unknown = unknown
        super().__init__(message)

    def at(self, place: str, said: str = "") -> ConfigError:
        """The error of the config that holds the expression at `place`; `said` goes before."""
        return ConfigError.of(place, said + str(self), self.unknown)


class ExpressionError(QuantityError):
    """A text cannot be read as an expression; `problem` follows the text in the message."""

    def __init__(self, text: str, problem: str) -> None:
        self.problem = problem
        super().__init__(f"'{text}' {problem}")


def print_error(error: RunnerError) -> None:
    """One line a problem, on stderr."""
    for line in str(error).splitlines():
        print(f"error: {line}", file=sys.stderr)
