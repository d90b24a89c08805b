"""Every exception class of the runner, and the exit codes they give.

    Exception
     +-- RunnerError
          +-- ConfigError        the config is wrong: one or more `Problem`s, all at once        exit 2
          +-- LedgerError        a parameter was not initialized exactly once, as planned        exit 1
          +-- Contradicted       a watched model is not as declared, or as any model should be     exit 1
          +-- EvidenceError      a manifest or snapshot is missing, damaged or of another kind   exit 2
          +-- StorageError       the run's folder cannot be written, or another process uses it  exit 2
          +-- MemoryShortage     a run needs more memory than the host or the GPU has            exit 2
          +-- TimedOut           a run took longer than its timeout                              exit 1
          +-- Stopped            the user pressed Ctrl-C, or a signal asked to end     exit 130, 128 + n
          +-- QuantityError      a claim is about something that the results do not have         exit 2
               +-- ExpressionError    an expression that cannot be read

A finished run that `verify` finds different is not an exception but a result, with exit code 1.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from initlab.engine.device import CUPY
from initlab.engine.errors import BESIDE, OptionError
from initlab.engine.registry import advice

T = TypeVar("T")
R = TypeVar("R")

EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_INCONCLUSIVE = 3
EXIT_STOPPED = 130
EXIT_UNREAD = 141
"""What a shell gives a process that SIGPIPE ended."""
CONFIG_PATH = re.compile(r"[A-Za-z_][\w.]*\[\d+\][\w.\[\]]*( \(|$)")
"""A place in a list of a config; the id of a claim may follow."""
SHOWN = 120
"""Characters of an expression that a message shows."""


@dataclass(frozen=True)
class Problem:
    """One problem of the config.

    `place` is a config path (`model.layers[1].units`), printed as it can be typed
    (`model.layers.1.units`), or a command line word. `unknown` is true for
    an unknown name, which is a misspelling whatever else the config says. `search` is true for
    values that only a search can vary.
    """

    place: str
    message: str
    unknown: bool = field(default=False, compare=False)
    search: bool = field(default=False, compare=False)

    @classmethod
    def of_name(cls, place: str, said: str, name: object, known: Iterable[object]) -> Problem:
        """Return the problem with an unknown name; it gives the nearest and lists the known ones."""
        return cls(place, f"{said} - {advice(str(name), map(str, known))}", unknown=True)

    def __str__(self) -> str:
        """Return the problem in one line; its place, and options beside it, as words that can be
        typed.
        """
        place = typed(self.place)
        parent, dot, _ = place.rpartition(".")
        message = self.message.replace(BESIDE, parent + dot)
        return f"{place}: {message}" if place else message

    def below(self, place: str) -> Problem:
        """Return the problem with `place` in front of its own place, which lies within that part."""
        dot = "." if place and self.place and not self.place.startswith("[") else ""
        return replace(self, place=f"{place}{dot}{self.place}")


def typed(place: str) -> str:
    """Return a place in a config as a word of the command line has it: `model.layers.0.units` for
    `model.layers[0].units`.
    """
    return re.sub(r"\[(\d+)\]", r".\1", place) if CONFIG_PATH.match(place) else place


class RunnerError(Exception):
    """Base class of the runner's errors; `exit_code` is the exit code of the process."""

    exit_code = EXIT_FAILED


class ConfigError(RunnerError):
    """A config that cannot be run; `problems` has all problems that were found, each once."""

    exit_code = EXIT_REFUSED

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(str(p) for p in self.problems))

    @classmethod
    def of(cls, place: str, message: str, unknown: bool = False) -> ConfigError:
        """Return the error of one problem."""
        return cls([Problem(place, message, unknown)])

    @classmethod
    def unknown(cls, place: str, said: str, name: object, known: Iterable[object]) -> ConfigError:
        """Return the error of an unknown name; it gives the nearest and lists the known ones."""
        return cls([Problem.of_name(place, said, name, known)])


class Problems:
    """Collects the problems of several parts, so that all of them are reported at once.

        problems = Problems()
        with problems.under("model.input"):
            shape = parse_input(node)       # a ConfigError is collected, its places put below model.input
        problems.add("seed", "must be …")
        problems.raise_any()                # shape exists from here on

    A function that parses a part raises with places relative to the part; its caller knows the
    place of the part. All problems are reported in this way. If the valid rest of something is used
    further, to find more problems, an object holds the rest and, as `problems`, those of the parts
    left out: `Words`, `Space`, `DeclaredSweep`.
    """

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self.found = list(found)

    def __len__(self) -> int:
        return len(self.found)

    def add(self, place: str, message: str) -> None:
        """Add one problem."""
        self.found.append(Problem(place, message))

    def unknown(self, place: str, said: str, name: object, known: Iterable[object]) -> None:
        """Add the problem of an unknown name; it gives the nearest and lists the known ones."""
        self.found.append(Problem.of_name(place, said, name, known))

    @contextmanager
    def under(self, place: str = "") -> Iterator[None]:
        """Collect a ConfigError, OptionError or QuantityError raised inside a `with`, which it
        ends.
        """
        try:
            yield
        except (ConfigError, OptionError, QuantityError) as error:
            self.found += [problem.below(place) for problem in problems_of(error)]

    def sound(self, parts: Mapping[str, T], parse: Callable[[T], R]) -> dict[str, R]:
        """Return {place: parse(part)} of the valid parts; the problems of the others are collected."""
        made: dict[str, R] = {}
        for place, part in parts.items():
            with self.under(place):
                made[place] = parse(part)
        return made

    def concern(self, *places: str) -> bool:
        """Return whether there is a problem at one of these places or below."""
        return any(
            found.place == place or found.place.startswith((f"{place}.", f"{place}["))
            for found in self.found
            for place in places
        )

    def raise_any(self) -> None:
        """Raise ConfigError with all collected problems, if there are any."""
        if self.found:
            raise ConfigError(self.found)


def problems_of(error: ConfigError | OptionError | QuantityError) -> list[Problem]:
    """Return the problems of an error."""
    if isinstance(error, ConfigError):
        return error.problems
    if isinstance(error, QuantityError):
        return [Problem("", str(error), error.unknown)]
    return [Problem(one.option, one.problem, one.unknown) for one in error.errors]


def each(parts: Mapping[str, T], parse: Callable[[T], R]) -> dict[str, R]:
    """Return {place: parse(part)} of all parts. Raises ConfigError with the problems of all of
    them.
    """
    problems = Problems()
    made = problems.sound(parts, parse)
    problems.raise_any()
    return made


class LedgerError(RunnerError):
    """What was initialized differs from the plan."""


class Contradicted(RunnerError, AssertionError):
    """A watched model is not as it is declared, or as any model should be. An AssertionError, so that a
    test that makes the check fails by it.
    """


class EvidenceError(RunnerError):
    """A manifest or a snapshot that cannot be used."""

    exit_code = EXIT_REFUSED


class StorageError(RunnerError):
    """A run's folder that cannot be written: full disk, missing folder, or in use by another
    process.
    """

    exit_code = EXIT_REFUSED


class MemoryShortage(RunnerError):
    """A run that needs more memory than is available."""

    exit_code = EXIT_REFUSED

    @classmethod
    def of(cls, error: BaseException, device: str) -> MemoryShortage:
        """Return the error for an exception of an array library, with its notes on what was being
        done.

        See `engine.device.is_shortage`.
        """
        said = ", ".join([str(error).rstrip(". "), *getattr(error, "__notes__", ())])
        if type(error).__module__.partition(".")[0] in CUPY:
            return cls(
                f"{device} has less memory than the run needs: {said} - use a smaller data.batch, "
                "dtype=float16, or device=cpu"
            )
        return cls(
            f"the run needs more memory than there is: {said} - task=plan shows its size, "
            "init_mode=streamed needs little memory"
        )


class TimedOut(RunnerError):
    """A run that took longer than its `timeout`."""


class Stopped(RunnerError):
    """The user stopped the command from the keyboard, or another process by a signal."""

    exit_code = EXIT_STOPPED


class Terminated(KeyboardInterrupt):
    """A signal asked the process to end, which it does as after Ctrl-C: workers are stopped, and what
    was finished is kept. `exit_code` is what a shell gives for the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.exit_code = 128 + number
        super().__init__(f"stopped by {signal.Signals(number).name}")

    def __reduce__(self) -> tuple[type[Terminated], tuple[int]]:
        return type(self), (self.number,)


class QuantityError(RunnerError):
    """An expression cannot be read, or the results of runs do not have the quantity.

    The message is one line; the code that catches it adds the claim. `unknown` is true for an
    unknown name.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, message: str, unknown: bool = False) -> None:
        self.unknown = unknown
        super().__init__(message)

    def at(self, place: str, said: str = "") -> ConfigError:
        """Return the ConfigError for the expression at `place` of the config; `said` comes first."""
        return ConfigError.of(place, said + str(self), self.unknown)


class ExpressionError(QuantityError):
    """A text cannot be read as an expression; `problem` follows the text in the message.

    `at`, from 0, is the place of the problem. Of a long text, the part around it is shown.
    """

    def __init__(self, text: str, problem: str, at: int | None = None) -> None:
        self.problem = problem
        first = max(0, min(at or 0, len(text)) - SHOWN // 2) if len(text) > SHOWN else 0
        rest = first + SHOWN < len(text)
        shown = "…" * (first > 0) + text[first : first + SHOWN] + "…" * rest
        place = " " if at is None else f", column {at + 1}: "
        super().__init__(f"'{shown}'{place}{problem}")


def print_error(error: RunnerError) -> None:
    """Print an error on stderr, one line per problem."""
    for line in str(error).splitlines():
        print(f"error: {line}", file=sys.stderr)
