"""One job of a sweep, as every launcher calls it: whatever goes wrong ends in its own status and log, and in no other run."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from runner import manifest, plugins, run, summary
from runner.errors import RunnerError
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
    identifier = run_id(canonical_of(resolved))
    if resolved.get("task") == "plan":
        return _plan(config, identifier)
    files = {
        "config.yaml": OmegaConf.to_yaml(config),
        "hydra.yaml": OmegaConf.to_yaml(OmegaConf.create({"hydra": hydra})),
        "overrides.yaml": OmegaConf.to_yaml(hydra.overrides.task),
    }
    started = time.perf_counter()
    try:
        checked = validate(config)
        if not (checked.resume and run.finished(checked, folder)):
            manifest.remove(folder)
            write(folder, Status(RUNNING, identifier, overrides))
        outcome = run.execute(checked, folder, files, summary.quiet_console())
    except (Exception, SystemExit) as error:
        _record_failure(folder, identifier, overrides, error, time.perf_counter() - started)
        return FAILED
    seconds = round(time.perf_counter() - started, 3)
    write(folder, Status(COMPLETED, identifier, overrides, seconds=seconds, root=outcome.root, resumed=outcome.resumed))
    said = "finished before" if outcome.resumed else f"{seconds:.2f} s"
    print(f"completed  {identifier}  {' '.join(overrides)}  ({said})", flush=True)
    return COMPLETED


def _plan(config: DictConfig, identifier: str) -> str:
    print(f"\n{identifier}", flush=True)
    summary.print_plan(summary.console(), validate(config).plan)
    return COMPLETED


def _record_failure(folder: Path, identifier: str, overrides: list[str], error: BaseException, seconds: float) -> None:
    """Keep the error where it happened: a refused config as its message, anything else with its traceback."""
    text = traceback.format_exc()
    said = str(error) if isinstance(error, RunnerError) else f"{type(error).__name__}: {error}"
    manifest.remove(folder)
    with open(folder / run.LOG_FILE, "a", encoding="utf-8") as log:
        log.write(f"ERROR {said}\n{text}")
    write(folder, Status(FAILED, identifier, overrides, said, text, round(seconds, 3)))
    print(f"failed     {identifier}  {' '.join(overrides)}: {said.splitlines()[0]}", flush=True)
