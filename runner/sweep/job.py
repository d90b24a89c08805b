"""One run of a sweep, performed in the same way under every launcher.

An error ends in the status file and the log of the run and affects no other run. The sweep learns
about a run only from its status file, so it works the same under every launcher.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import chdir, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from initlab.runner.config import plugins
from initlab.runner.config.identity import Declaration, declaration_of, typed_words
from initlab.runner.config.objective import parse_objective
from initlab.runner.errors import (
    ConfigError,
    EvidenceError,
    RunnerError,
    StorageError,
    Terminated,
    TimedOut,
)
from initlab.runner.evidence.folder import LOG, Origin, RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.provenance import Calling
from initlab.runner.evidence.status import (
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    TIMED_OUT,
    Status,
    remove,
    write,
)
from initlab.runner.files import locked_once_free, storage_errors
from initlab.runner.json_values import mapping
from initlab.runner.plan.validate import RunConfig, validate
from initlab.runner.progress import Report, unheard
from initlab.runner.run import stages
from initlab.runner.run.limit import STDERR, Hung
from initlab.runner.run.showing import show
from initlab.runner.sweep import gpus
from initlab.runner.sweep.worker import Sweeping, following
from initlab.runner.terminal import tables
from initlab.runner.tracking import track

STOP = ".stop"
"""A file in a sweep's folder; while it exists, no further run begins."""


def run_job(config: DictConfig, sweep: Sweeping | None = None) -> str | float:
    """Run a job from a composed config; the workers of Hydra's launchers call this.

    Returns the run's objective, or its final state if the config declares none.
    """
    plugins.load_from_environment()
    hydra = HydraConfig.get()
    node = cast(DictConfig, hydra)
    overrides = typed_words(node)
    if config.get("task") != "run":
        return print_task(validate(declaration_of(config, node)))
    folder = Path(hydra.runtime.output_dir)
    declaration = declaration_of(strip(config), node)
    device = declaration.resolved.get("device")
    if isinstance(device, dict) and device.get("kind") == "gpu":
        gpus.assign()
    job = Job(folder, overrides, declaration, lambda: task_text(config))
    if sweep is not None:
        job = replace(job, calling=lambda: sweep.calling, alone=sweep.is_alone)
    with following(sweep, folder) as may_begin:
        if not may_begin:
            return PENDING
        status = perform(job)
    return status.state if status.objective is None else status.objective


@dataclass(frozen=True)
class Job:
    """One run to perform.

    `declaration` is what the words `overrides` declare, `text` returns the composed config as YAML.
    With `chdir` the run is performed inside its folder. `calling` says where its sweep was called.
    """

    folder: Path
    overrides: list[str]
    declaration: Declaration
    text: Callable[[], str]
    chdir: bool = False
    calling: Callable[[], Calling] | None = None
    alone: bool = False
    """Whether this process holds this one run, so that it may end with it."""

    @cached_property
    def run(self) -> RunConfig:
        """The run, checked and planned once. Raises ConfigError with all problems."""
        return validate(self.declaration)


def strip(config: DictConfig) -> DictConfig:
    """Remove what belongs to the sweep as a whole from a job's config: its axes and its
    expectations.
    """
    for part in ("grid", "cases", "exclude", "union"):
        if OmegaConf.is_dict(config.get("sweep")) and config.sweep.get(part):
            config.sweep[part] = {} if part == "grid" else []
    for part in ("expect", "control"):
        if config.get(part):
            config[part] = []
    return config


def perform(job: Job, report: Report = unheard) -> Status:
    """Perform a run and return its status. A failed run is repeated up to `sweep.retries` times.
    `report` is told how far a long probe has come.

    If another process performs the same run, this waits until that ends. With `on_error: stop`, no
    run begins after a failure.
    """
    folder, resolved = job.folder, job.declaration.resolved
    status = Status(PENDING, job.declaration.run_id, job.overrides)
    sweep = mapping(resolved.get("sweep"))
    retries = sweep.get("retries")
    retries = retries if isinstance(retries, int) else 0
    stop = folder.parent / STOP if sweep.get("on_error") == "stop" else None
    if stop is not None and stop.exists():
        return status
    try:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with locked_once_free(folder):
                before = (
                    finished(job.declaration, folder) if resolved.get("resume") is True else None
                )
                if before is not None:
                    root, seconds = before.digests.root, before.seconds
                    status = _judge(
                        job,
                        folder,
                        replace(status, state=COMPLETED, seconds=seconds, root=root, resumed=True),
                    )
                    write(folder, status)
                    track(resolved, folder)
                    return status
                for attempt in range(1, 2 + retries):
                    status, again = _attempt(job, replace(status, attempts=attempt), report)
                    if not again:
                        break
                if status.state == COMPLETED:
                    track(resolved, folder)
            if status.state in (FAILED, TIMED_OUT) and stop is not None:
                stop.touch()
    except (StorageError, ConfigError, OSError) as error:
        return _record_failure(folder, status, error, 0.0)
    return status


def _attempt(job: Job, status: Status, report: Report) -> tuple[Status, bool]:
    """Perform the run once. Returns its status, which is on disk, and whether to try again."""
    started = time.perf_counter()
    folder = job.folder.absolute() if job.chdir else job.folder
    try:
        with chdir(folder) if job.chdir else nullcontext():
            made = _execute(job, folder, status, report)
            seconds = round(time.perf_counter() - started, 3)
            status = replace(status, root=made.root, changed=made.changed)
            done = _judge(job, folder, replace(status, state=COMPLETED, seconds=seconds))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        failed = _record_failure(folder, status, error, time.perf_counter() - started)
        if isinstance(error, KeyboardInterrupt):
            raise
        return failed, not isinstance(error, (ConfigError, TimedOut))
    write(folder, done)
    return done, False


def _judge(job: Job, folder: Path, status: Status) -> Status:
    """Return the status of a finished run with its objective, if the config declares one.

    Raises ConfigError if the run has no such figure.
    """
    resolved = job.declaration.resolved
    objective = parse_objective(resolved.get("objective"))
    if objective is None:
        return status
    stats = RunFolder(folder).stats.by_name
    return replace(status, objective=objective.evaluate(resolved, stats))


def finished(declaration: Declaration, folder: Path) -> Manifest | None:
    """Return the manifest of the finished run of exactly this config in `folder`.

    Returns None if there is none, or if it is damaged and the run must be repeated.
    """
    try:
        return RunFolder(folder).finished_as(declaration.canonical)
    except EvidenceError:
        return None  # the manifest is damaged: make the run again


def _execute(job: Job, folder: Path, status: Status, report: Report) -> stages.Outcome:
    """Check and run the config.

    The old manifest is removed before the status says that a new run has begun.
    """
    checked = job.run
    former = RunFolder(folder).begin()
    write(folder, replace(status, state=RUNNING, limit=checked.timeout))
    quiet = tables.quiet_console()
    with open(folder / LOG, "a", encoding="utf-8") as log:
        hung = Hung(log.fileno() if job.alone else STDERR, ends=job.alone)
        made = stages.execute_locked(checked, folder, origin(job), quiet, report, former, hung)
    if job.declaration.resolved.get("report") == "all":
        from initlab.runner.report.run_page import report_run

        report_run(folder)
    return made


def origin(job: Job) -> Origin:
    """Return the words and config files a run came from. The sweep's folder holds Hydra's own part."""
    files = {
        "config.yaml": job.text(),
        "overrides.yaml": OmegaConf.to_yaml(OmegaConf.create(job.overrides)),
    }
    return Origin(job.overrides, files, job.calling)


def task_text(config: DictConfig) -> str:
    """Return a composed config as YAML, without the `hydra` node."""
    if "hydra" in config:
        config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return OmegaConf.to_yaml(config)


def print_task(checked: RunConfig) -> str:
    """Print the plan or the diagnosis of a run; write nothing."""
    print(f"\n{checked.run_id}", flush=True)
    show(checked, tables.console())
    return COMPLETED


def _record_failure(folder: Path, status: Status, error: BaseException, seconds: float) -> Status:
    """Write the error and its traceback to the run's status file and log; return the status."""
    text = traceback.format_exc()
    said = (
        str(error)
        if isinstance(error, (RunnerError, Terminated))
        else f"{type(error).__name__}: {error}".removesuffix(": ")
    )
    state = TIMED_OUT if isinstance(error, TimedOut) else FAILED
    failed = replace(status, state=state, error=said, traceback=text, seconds=round(seconds, 3))
    with suppress(OSError):  # e.g. a full disk
        try:
            write(folder, failed)
        except OSError:
            remove(folder)  # an older status must not stay
            raise
        RunFolder(folder).append_log(f"ERROR {said}\n{text}")
    return failed
