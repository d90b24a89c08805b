"""One job of a sweep, as every launcher calls it: whatever goes wrong ends in its own status and log, and in no other run."""

from __future__ import annotations

import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from runner import manifest, plugins, run, summary
from runner.errors import EvidenceError, RunnerError
from runner.identity import canonical_of, resolve, run_id
from runner.sweep.status import COMPLETED, FAILED, RUNNING, Status, write
from runner.validate import validate


def run_job(config: DictConfig) -> str:
    """Run one composed config into the folder Hydra gave it; gives the final state."""
    plugins.load_from_environment()
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = [str(word) for word in hydra.overrides.task]
    resolved = resolve(config)
    canonical = canonical_of(resolved)
    status = Status(RUNNING, run_id(canonical), overrides)
    if resolved.get("task") == "plan":
        return _plan(config, status.run_id)
    started = time.perf_counter()
    try:
        root = finished_root(canonical, folder) if resolved.get("resume") is True else None
        resumed = root is not None
        if not resumed:
            root = _execute(config, folder, status)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        _record_failure(folder, status, error, time.perf_counter() - started)
        if isinstance(error, KeyboardInterrupt):
            raise
        return FAILED
    seconds = round(time.perf_counter() - started, 3)
    write(folder, replace(status, state=COMPLETED, seconds=seconds, root=root, resumed=resumed))
    said = "finished before" if resumed else f"{seconds:.2f} s"
    print(f"{_line('completed', status)}  ({said})", flush=True)
    return COMPLETED


def finished_root(canonical: dict[str, Any], folder: Path) -> str | None:
    """The root digest of this very config's finished run in `folder`; None where it must be made, or made again."""
    try:
        content = run.finished(canonical, folder)
    except EvidenceError:
        return None  # a damaged manifest vouches for nothing
    return None if content is None else str(content["digests"]["root"])


def _execute(config: DictConfig, folder: Path, status: Status) -> str:
    """Check and run the config. The old manifest goes before the status says that another run has begun."""
    checked = validate(config)
    manifest.remove(folder)
    write(folder, status)
    hydra = HydraConfig.get()
    files = {
        "config.yaml": OmegaConf.to_yaml(config),
        "hydra.yaml": OmegaConf.to_yaml(OmegaConf.create({"hydra": hydra})),
        "overrides.yaml": OmegaConf.to_yaml(hydra.overrides.task),
    }
    return run.execute(checked, folder, files, summary.quiet_console()).root


def _plan(config: DictConfig, identifier: str) -> str:
    print(f"\n{identifier}", flush=True)
    summary.print_plan(summary.console(), validate(config).plan)
    return COMPLETED


def _record_failure(folder: Path, status: Status, error: BaseException, seconds: float) -> None:
    """Keep the error where it happened, with its traceback, and say it in one line."""
    text = traceback.format_exc()
    said = str(error) if isinstance(error, RunnerError) else f"{type(error).__name__}: {error}".removesuffix(": ")
    print(f"{_line('failed', status)}: {said.splitlines()[0]}", flush=True)
    write(folder, replace(status, state=FAILED, error=said, traceback=text, seconds=round(seconds, 3)))
    with open(folder / run.LOG_FILE, "a", encoding="utf-8") as log:
        log.write(f"ERROR {said}\n{text}")


def _line(state: str, status: Status) -> str:
    return f"{state:<9}  {status.run_id}  {' '.join(status.overrides)}".rstrip()
