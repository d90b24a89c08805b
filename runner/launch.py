"""What `initlab run` does: one run, a sweep, or one of Hydra's own answers.

A single run is composed once, checked, and handed to Hydra's job runner. `--multirun`, `--cfg`, `--info`
and the rest are Hydra's own; `--help` (`terminal.help`) and `-sc` (`terminal.completion`) are ours.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobStatus, run_job
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from initlab.runner import expectation
from initlab.runner.config.code_search import LOGGING_CLASSES
from initlab.runner.config.compose import (
    ComposedWithProblems,
    compose,
    conf_dir,
    prepare,
    settle_folder,
)
from initlab.runner.config.hydra_internals import VERSION, allowing, arguments_parser, hydra_context
from initlab.runner.config.identity import declaration_of
from initlab.runner.errors import ConfigError
from initlab.runner.evidence import judged, status
from initlab.runner.evidence.folder import Origin
from initlab.runner.plan.validate import validate
from initlab.runner.run import stages
from initlab.runner.sweep.job import finished, report_run
from initlab.runner.sweep.job import run_job as run_sweep_job
from initlab.runner.sweep.sweeper import check_report, conclude, register, sweep
from initlab.runner.terminal import tables
from initlab.runner.terminal.completion import shell_completion
from initlab.runner.terminal.help import help_text, terminal_width
from initlab.runner.tracking import track_run


def launch(words: list[str]) -> int:
    """Do what the words of the command line say; gives the exit code."""
    os.environ["HYDRA_FULL_ERROR"] = "1"
    register()
    arguments = arguments_parser().parse_args(words)
    if arguments.experimental_rerun:
        raise ConfigError.of(
            "--experimental-rerun", "is refused: it unpickles a file - run the same overrides again"
        )
    for flag in ("config_path", "config_name"):
        if getattr(arguments, flag):
            said = "is refused: there is one root config - add groups with --config-dir"
            raise ConfigError.of(f"--{flag.replace('_', '-')}", said)
    if arguments.shell_completion:
        return show(shell_completion(sys.argv[0], arguments.overrides))
    if arguments.hydra_help:
        return hand_to_hydra(words)
    if arguments.help:
        return show(help_text(arguments.config_dir, terminal_width()) + "\n")
    if arguments.cfg or arguments.info:
        composed(arguments)  # so that Hydra is handed nothing that it would instantiate
        return hand_to_hydra(words)
    config = None if arguments.multirun else composed(arguments)
    if config is None or config.hydra.mode == RunMode.MULTIRUN:
        return sweep(arguments.overrides, arguments.config_dir)
    return single_run(config)


def show(text: str) -> int:
    """Print a text that its reader may stop reading, as `head` does; gives the exit code."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # or Python complains when it closes stdout
    return 0


def composed(arguments: Namespace) -> DictConfig:
    """The composed config. Where some words were wrong, the rest is checked too, so that everything
    is said at once.
    """
    try:
        return compose(arguments.overrides, arguments.config_dir)
    except ComposedWithProblems as error:
        problems = list(error.problems)
        try:
            validate(declaration_of(error.config))
        except ConfigError as more:
            said = {problem.place for problem in problems}
            problems += [problem for problem in more.problems if problem.place not in said]
        raise ConfigError(problems) from error


def single_run(config: DictConfig) -> int:
    """Check the config, then plan or run it."""
    varied = [part for part in ("grid", "cases", "union") if config.sweep.get(part)]
    if varied:
        raise ConfigError.of(
            "sweep",
            f"sweep.{varied[0]} declares several runs - add -m to run them, and dry_run=true to see them",
        )
    checked = validate(declaration_of(config))
    claims = checked.claims
    words = [str(word) for word in config.hydra.overrides.task]
    problems = expectation.check(claims, [(words, checked)])
    if problems:
        raise ConfigError(problems)
    out = tables.console()
    origin = Origin(words, hydra_files(config))
    folder = settle_folder(config, checked.declaration)
    if config.dry_run:
        state = "to run" if finished(checked.declaration, folder) is None else "finished"
        print(f"{state}  {checked.run_id}\n\n1 run: 1 {state}; nothing was written")
        return 0
    if checked.task == "plan":
        tables.print_plan(out, checked.plan)
        return 0
    if config.hydra.job.chdir:
        folder = folder.absolute()
    check_writable(folder)
    status.remove(folder)
    judged.forget(folder)
    check_report(str(config.report))

    def task(_: DictConfig) -> str:
        root = stages.execute(checked, folder, origin, out).root
        if config.report == "all":
            report_run(folder)
        return root

    job = run_job(
        task_function=task,
        config=config,
        job_dir_key="hydra.run.dir",
        job_subdir_key=None,
        hydra_context=hydra_context(LOGGING_CLASSES),
    )
    if job.status == JobStatus.FAILED:
        error: Any = job._return_value
        raise error
    track_run(checked, folder)
    return conclude(claims, [(words, folder)], folder, config.report != "none") if claims else 0


def check_writable(folder: Path) -> None:
    """ConfigError unless the run's folder can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        said = f"cannot be written ({error.strerror}) - run from another working directory or give name=…"
        raise ConfigError.of(f"output folder {folder}", said) from error


def hydra_files(config: DictConfig) -> dict[str, str]:
    """What Hydra would keep in `.hydra/`, as text by file name."""
    task = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return {
        "config.yaml": OmegaConf.to_yaml(task),
        "hydra.yaml": OmegaConf.to_yaml(OmegaConf.masked_copy(config, "hydra")),
        "overrides.yaml": OmegaConf.to_yaml(config.hydra.overrides.task),
    }


def hand_to_hydra(words: list[str]) -> int:
    """Let Hydra's entry point do what the words say."""
    prepare()
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
    """What `--cfg` and `--info` are about; runs and sweeps are started by `run_command`."""
    return run_sweep_job(config)
