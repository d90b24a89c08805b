"""Tasks that show something and write nothing: the plan, and the diagnosis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from rich.console import Console

from initlab.engine import streams
from initlab.runner.diagnosis.diagnose import findings_declared
from initlab.runner.errors import ConfigError
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.measures.base import restoring
from initlab.runner.observation.passes import observe
from initlab.runner.plan.validate import RunConfig
from initlab.runner.probes import Subject, Trace
from initlab.runner.run import stages
from initlab.runner.run.diagnosing import diagnosed, subject_of
from initlab.runner.terminal import tables
from initlab.runner.terminal.diagnosis import print_declared, print_diagnosis


def show(config: RunConfig, out: Console) -> None:
    """Do `task=plan` or `task=diagnose`. Raises ConfigError if the network cannot be diagnosed, and for
    `task=advise`, which is done for a single network above.
    """
    if config.task == "advise":
        raise ConfigError.of("task", "advise is for one network, not for a sweep - leave out -m")
    if config.task == "plan":
        tables.print_plan(out, config.plan, config.fold)
        print_declared(out, findings_declared(config.form))
    else:
        print_diagnosis(out, diagnosis_of(config))


def diagnosis_of(config: RunConfig) -> Diagnosis:
    """Draw the parameters, send one batch through the network and back, make the chosen measurements, and
    return the diagnosis.

    Nothing is written. Raises ConfigError where nothing can be sent through the network: with
    `probe=none`.
    """
    if config.probe.kind == "none":
        raise ConfigError.of("probe", "none sends nothing through the network - use probe=forward")
    mode = config.init_mode if config.init_mode != "streamed" else "eager"
    config = replace(config, init_mode=mode)
    network, _ = stages.initialize(config)
    subject = subject_of(config, network)
    seen = observe(subject)
    sections = stages.sections_of(config, subject)
    return diagnosed(config, seen, Trace(updates=_first_updates(config, subject)), sections)


def _first_updates(config: RunConfig, subject: Subject) -> list[dict[str, Any]]:
    """Return what the first step of the declared optimizer changes; the step is taken back."""
    if "updates" not in config.probe.gives:
        return []
    with streams.using(config.stream), restoring(subject), np.errstate(all="ignore"):
        return config.probe.first_updates(subject)
