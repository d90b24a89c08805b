"""The command `initlab run`: one run, a sweep, or one of Hydra's own functions.

A single run is composed once, checked, and passed to Hydra's job runner. `--multirun`, `--cfg`,
`--info` and others are Hydra's; `--help` (`terminal.help`) and `-sc` (`terminal.completion`) are
ours.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobStatus, run_job
from hydra.types import RunMode
from omegaconf import DictConfig

from initlab.runner.command import REGISTRY
from initlab.runner.config.explain import key_of
from initlab.runner.config.hydra_internals import VERSION, allowing, hydra_context, parse_arguments
from initlab.runner.config.option_files import conf_dir
from initlab.runner.config.permitted import LOGGING_CLASSES
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.sweep.plugin import register
from initlab.starting import uncollected

if TYPE_CHECKING:
    from initlab.runner.config.option_writer import OptionFile
    from initlab.runner.declare import DeclaredRun

DOING = ("multirun", "run", "cfg", "info", "shell_completion", "hydra_help", "help")
"""The flags that say what is done with the words, of which there can be one."""


def launch(words: list[str]) -> int:
    """Run what the words of the command line declare; return the exit code."""
    os.environ["HYDRA_FULL_ERROR"] = "1"
    arguments, words = parse_arguments(words)
    for word in arguments.overrides:
        if word in REGISTRY:
            raise ConfigError.of(word, f"is a command, which comes first - write initlab {word} …")
    check_flags(arguments)
    if arguments.help:
        from initlab.runner.command import terminal_width
        from initlab.runner.terminal.help import help_text

        return show(help_text(terminal_width()) + "\n")
    register()
    if arguments.shell_completion:
        from initlab.runner.terminal.completion import shell_completion

        return show(shell_completion(sys.argv[0], arguments.overrides))
    if arguments.hydra_help:
        return hand_to_hydra(["--hydra-help"])
    with uncollected():
        from initlab.runner.declare import composed

    if arguments.cfg or arguments.info:
        # Compose it for the checks: they refuse a config that would make Hydra instantiate a class.
        config = composed(arguments.overrides, arguments.config_dir)
        plain = [str(word) for said in config.hydra.overrides.values() for word in said]
        typed = set(arguments.overrides)
        return hand_to_hydra([*(word for word in words if word not in typed), *plain])
    several = arguments.multirun or mode_of(arguments.overrides) == "MULTIRUN"
    with uncollected():
        config = None if several else composed(arguments.overrides, arguments.config_dir)
    if config is None or config.hydra.mode == RunMode.MULTIRUN:
        from initlab.runner.sweep.sweeper import sweep

        return sweep(arguments.overrides, arguments.config_dir)
    return single_run(config, arguments.config_dir)


def check_flags(arguments: Namespace) -> None:
    """Raise ConfigError with each flag that is refused, or has no effect beside the others."""
    problems = Problems()
    if arguments.experimental_rerun:
        said = "is refused: it unpickles a file - run the same overrides again"
        problems.add("--experimental-rerun", said)
    for flag in ("config_path", "config_name"):
        if getattr(arguments, flag):
            said = "is refused: there is one root config - add groups with --config-dir"
            problems.add(f"--{flag.replace('_', '-')}", said)
    for flag in ("package", "resolve"):
        if getattr(arguments, flag) and not arguments.cfg:
            problems.add(f"--{flag}", "is for --cfg, which prints a config - add --cfg job")
    doing = [flag for flag in DOING if getattr(arguments, flag) not in (None, False)]
    if len(doing) > 1 and not arguments.help:
        first, other = (f"--{flag.replace('_', '-')}" for flag in doing[:2])
        said = "cannot be given together - leave one out"
        if doing[0] == "multirun":
            said += ", and for --cfg give one value of each key"
        problems.add(f"{first} {other}", said)
    if arguments.multirun and mode_of(arguments.overrides) == "RUN":
        problems.add("hydra.mode", "RUN contradicts -m - leave one of the two out")
    problems.raise_any()


def mode_of(words: Sequence[str]) -> str | None:
    """Return what a word of the command line gives as `hydra.mode`, in capitals."""
    found = [word.partition("=")[2] for word in words if key_of(word) == "hydra.mode"]
    return found[-1].strip("'\"").upper() if found else None


def show(text: str) -> int:
    """Print a text; return the exit code. A reader that stops reading, like `head`, is no error."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        # or Python complains when it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def single_run(config: DictConfig, config_dir: str | None = None) -> int:
    """Check the config, then do its task: run it, or print its plan, diagnosis or advice."""
    from initlab.runner.declare import declared
    from initlab.runner.run.limit import STDERR, Hung
    from initlab.runner.terminal import tables
    from initlab.runner.tracking import track_run

    with uncollected():
        run = declared(config, config_dir)
    out = tables.console()
    if config.dry_run:
        from initlab.runner.sweep.job import finished

        done = finished(run.checked.declaration, run.folder) is not None
        state = "finished" if done else "to run"
        print(f"{state}  {run.folder.name}\n\n1 run: 1 {state}; nothing was written")
        return 0
    if run.checked.task == "advise":
        print_advice_for(run, config_dir)
        return 0
    if run.checked.task != "run":
        from initlab.runner.run.showing import show as show_task

        show_task(run.checked, out)
        return 0
    folder = run.folder.absolute() if config.hydra.job.chdir else run.folder
    run.begin(folder)
    job = run_job(
        task_function=lambda _: run.make(folder, out, Hung(STDERR, ends=True)),
        config=config,
        job_dir_key="hydra.run.dir",
        job_subdir_key=None,
        hydra_context=hydra_context(LOGGING_CLASSES),
    )
    if job.status == JobStatus.FAILED:
        error: Any = job._return_value
        raise error
    if job.return_value.changed is not None:
        print(f"warning: {folder}: {job.return_value.changed}", file=sys.stderr, flush=True)
    track_run(run.checked, folder)
    if not run.checked.claims:
        return 0
    from initlab.runner.sweep.sweeper import conclude

    return conclude(run.checked.claims, [(run.words, folder)], folder, config.report != "none")


def give_advice(
    words: list[str], config_dir: str | None, train: bool = False, write: Path | None = None
) -> None:
    """Print which initializers suit the network that the words declare; with `write`, write the best
    into this file. Raises ConfigError before anything is drawn if one of them is wrong.
    """
    from initlab.runner.config.option_writer import OptionFile
    from initlab.runner.declare import composed, declared

    register()
    target = None if write is None else OptionFile(write, "init", "--write")
    run = declared(composed([*words, "task=advise"], config_dir))
    print_advice_for(run, config_dir, train, target)


def print_plan(words: list[str], config_dir: str | None, spec: Path) -> None:
    """Print the plan of a run, and write it as a declaration for `initlab audit`.

    Raises ConfigError or StorageError before anything is printed if one of them is wrong.
    """
    from initlab.runner.audit import planned
    from initlab.runner.declare import composed, declared
    from initlab.runner.run.showing import show as show_task
    from initlab.runner.terminal import tables

    register()
    planned.check(spec)
    run = declared(composed([*words, "task=plan"], config_dir))
    content = planned.text_of(run.checked)
    show_task(run.checked, tables.console())
    planned.write(spec, content)
    print(f"written: {spec}")


def print_advice_for(
    run: DeclaredRun,
    config_dir: str | None,
    train: bool = False,
    target: OptionFile | None = None,
) -> None:
    """Print which initializers suit a declared network; write the best into the target, if any."""
    from initlab.runner.advice.advise import advise, write
    from initlab.runner.progress import steps_of
    from initlab.runner.terminal import tables
    from initlab.runner.terminal.advice import print_advice

    out = tables.console()
    with steps_of("advice") as shown:
        found = advise(run.checked, run.words, config_dir, train, shown)
    print_advice(out, found.rows, found.refused, found.declared)
    if target is not None:
        print(f"written: {write(found, target)}")


def hand_to_hydra(words: list[str]) -> int:
    """Call Hydra's entry point with the words."""
    from initlab.runner.config.compose import register_with_hydra

    register_with_hydra()
    GlobalHydra.instance().clear()
    before = sys.argv
    sys.argv = [before[0], *words]
    try:
        hydra_entry()
    finally:
        sys.argv = before
    return 0


@hydra.main(
    config_path=str(conf_dir()), config_name="config", **allowing(LOGGING_CLASSES), **VERSION
)
def hydra_entry(config: DictConfig) -> str | float:
    """Stand for the task in `--cfg` and `--info`, which do not call it; `run_command` starts runs
    and sweeps.
    """
    from initlab.runner.sweep.job import run_job

    return run_job(config)
