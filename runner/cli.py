"""The command line: `initlab COMMAND …`, `python -m initlab …`, and in a checkout `python -m runner
…`.

The commands are in `runner/commands`; the default is `run`. An error for the user is printed here
as one line per problem on stderr and becomes an exit code: 0 done; 1 a run failed, something
differs, or a claim is refuted; 2 something was refused; 3 a claim is inconclusive; 130 Ctrl-C; 141
the reader of stdout stopped reading; 143 SIGTERM.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import initlab
from initlab.engine.errors import LawError
from initlab.runner.commands import REGISTRY
from initlab.runner.config import plugins
from initlab.runner.config.option_files import conf_dir
from initlab.runner.ending import end_in_order
from initlab.runner.errors import (
    EXIT_FAILED,
    EXIT_UNREAD,
    ConfigError,
    MemoryShortage,
    RunnerError,
    Stopped,
    StorageError,
    Terminated,
    print_error,
)
from initlab.runner.files import FULL

DEFAULT = "run"
HELP = {"-h", "--help"}
DRAW = "ENGINE_DRAW"
"""The environment variable that chooses what draws."""
PLACES = {"--config-dir", "-cd"}
"""The options of Hydra that may stand before the name of a command."""


def main(*before: str) -> None:
    """Run the words of this process's command line, after the words `before`; exit the process."""
    end_in_order()
    sys.exit(run_command([*before, *sys.argv[1:]]))


def run_command(words: list[str]) -> int:
    """Run the command that the words name; return the exit code."""
    try:
        code = dispatch(load_plugins(words))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of stdout has read enough, like `head`
        leave_stdout()
        return EXIT_UNREAD
    except RunnerError as error:
        return failed(error)
    except Terminated as stop:
        failed(Stopped(str(stop)))
        return stop.exit_code
    except KeyboardInterrupt:
        return failed(Stopped("stopped from the keyboard"))
    except MemoryError as error:
        return failed(MemoryShortage.of(error, "the device"))
    except LawError as error:
        return failed(ConfigError.of("init", beyond(error)))
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
            leave_stdout()
            return failed(StorageError(f"stdout cannot be written: {error.strerror}"))
        if isinstance(error, PermissionError) and error.filename is not None:
            said = "may not be read or written by this user - change its permissions"
            return failed(StorageError(f"{os.fsdecode(error.filename)}: {said}"))
        report = plugins.failure(error)
        if report is None:
            raise
        print(f"error: {report}", file=sys.stderr)
        return EXIT_FAILED
    except SystemExit as stop:  # argparse exits this way
        return stop.code if isinstance(stop.code, int) else int(bool(stop.code))


def leave_stdout() -> None:
    """Let what is still to be written to stdout go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def beyond(error: LawError) -> str:
    """Return what a law could not draw, with the parameter."""
    place = plugins.parameter_of(error)
    return f"cannot fill '{place}': {error}" if place else str(error)


def failed(error: RunnerError) -> int:
    """Print an error; return its exit code."""
    print_error(error)
    return error.exit_code


def check_draw() -> None:
    """Raise ConfigError if the environment variable DRAW names nothing that can draw here."""
    from initlab.engine import streams

    try:
        streams.implementation()
    except (ValueError, ImportError) as error:
        raise ConfigError.of(DRAW, str(error)) from None


def dispatch(words: list[str]) -> int:
    """Call the command that the words name. Raises ConfigError for a word that is no command."""
    if os.environ.get(DRAW):
        check_draw()
    if "--version" in words:
        from initlab.engine import streams  # takes as long as the rest of this command

        print(f"initlab {initlab.__version__}")
        print(streams.why_core())
        return 0
    words = command_first(words)
    first = words[0] if words else ""
    if first in REGISTRY:
        command = REGISTRY.get(first)()
        if command.takes_overrides and HELP.intersection(words):
            command.parser().print_help()
            return 0
        return command.main(words[1:])
    if first.replace("_", "").isidentifier():
        said = "is neither a command nor a word like key=value (initlab help lists them)"
        if len(words) > 1 and (conf_dir() / first).is_dir():
            raise ConfigError.of(first, f"is a group of options - write {first}={words[1]}")
        raise ConfigError.unknown(first, said, first, REGISTRY)
    return REGISTRY.get(DEFAULT)().main(words)


def command_first(words: list[str]) -> list[str]:
    """Return the words with the command's name first, where only the place of the options stands before
    it: `--config-dir DIR plan …`.
    """
    at = 0
    while at < len(words) and words[at].partition("=")[0] in PLACES:
        at += 1 if "=" in words[at] else 2
    if 0 < at < len(words) and words[at] in REGISTRY:
        return [words[at], *words[:at], *words[at + 1 :]]
    return words


def load_plugins(words: Iterable[str]) -> list[str]:
    """Load the plugins that `--plugin FILE` names; return the other words."""
    plugins.load_from_environment()
    rest = []
    remaining = iter(words)
    for word in remaining:
        if word == "--plugin" or word.startswith("--plugin="):
            path = word.partition("=")[2] or next(remaining, "")
            if not path:
                raise ConfigError.of("--plugin", "needs the path of a Python file")
            plugins.load(path)
        else:
            rest.append(word)
    return rest
