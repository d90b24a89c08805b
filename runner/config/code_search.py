"""The search for code in a composed config: anything that makes Hydra or `logging` import or call
something is refused.

_target_, (), class      name a class or function to call; a short list of Hydra's own is allowed
ext://…                  is imported by a logging config; sys.stdout and sys.stderr are allowed
${…}                     may resolve to any of these, so it is refused in these places
hydra.callbacks          are classes, whatever their content
hydra.job.env_set        could name a plugin for the processes of a launcher
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from initlab.runner.config import plugins
from initlab.runner.errors import ConfigError, Problem

LAUNCHERS = {
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
}
SWEEPERS = {
    "hydra_plugins.runner_sweeper.RunnerSweeper",
    "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper",
}
"""The allowed sweepers: ours, and the one that `runner.sweep.optuna` uses with its own launcher.
Any other would launch jobs whose values have not been searched.
"""
SAMPLERS = {
    f"optuna.samplers.{name}Sampler" for name in ("TPE", "Random", "CmaEs", "NSGAII", "Grid")
}
ALLOWED_TARGETS = {
    "hydra.launcher._target_": LAUNCHERS,
    "hydra.sweeper._target_": SWEEPERS,
    "hydra.sweeper.sampler._target_": SAMPLERS,
}
REFUSED_OF_OPTUNA = {
    "custom_search_space": "is refused: a config cannot name code to run - give the space as words",
    "storage": "is refused: Optuna unpickles what it finds there - resume=true with a seed of the sampler "
    "continues a search",
}
LOGGING_CLASSES = {"logging.StreamHandler", "logging.FileHandler", "colorlog.ColoredFormatter"}
STREAMS = {"ext://sys.stdout", "ext://sys.stderr"}
CODE_KEYS = ("_target_", "()", "class")
WORDS = ("hydra.overrides.", "hydra.job.override_dirname")
"""Keys under which Hydra stores the command line's words as typed. The values that they set are
searched in their own place.
"""


def check(tree: dict[str, Any]) -> None:
    """Raise ConfigError with everything that names code in an unresolved config tree with `hydra`."""
    problems = [*_named(tree, ""), *_of_hydra(tree.get("hydra", {}))]
    if problems:
        raise ConfigError(problems)


def _of_hydra(hydra: dict[str, Any]) -> Iterator[Problem]:
    """Return the problems with keys of Hydra's own node that are always refused."""
    if hydra.get("callbacks"):
        yield Problem("hydra.callbacks", "callbacks are refused: a config cannot name code to run")
    sweeper = hydra.get("sweeper")
    for key, said in REFUSED_OF_OPTUNA.items():
        if isinstance(sweeper, dict) and sweeper.get(key):
            yield Problem(f"hydra.sweeper.{key}", said)
    for node in ("launcher", "sweeper", "job_logging", "hydra_logging"):
        if isinstance(hydra.get(node), str):
            yield Problem(f"hydra.{node}", f"must be a mapping of its own, got {hydra[node]!r}")
    job = hydra.get("job")
    environment = job.get("env_set") if isinstance(job, dict) else None
    if environment and (isinstance(environment, str) or plugins.ENVIRONMENT in environment):
        yield Problem(
            "hydra.job.env_set",
            f"{plugins.ENVIRONMENT} is refused: a config cannot name a plugin - use --plugin FILE",
        )


def _named(value: Any, place: str) -> Iterator[Problem]:
    """Return the problems with values that name code, in one node of the tree and below."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _named(item, f"{place}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            here = f"{place}.{key}" if place else str(key)
            if key in CODE_KEYS and not _allowed(here, str(key), item):
                said = f"{item!r} is refused: a config cannot name code to run - use --plugin FILE"
                yield Problem(here, said)
            yield from _named(item, here)
    elif isinstance(value, str) and place.startswith("hydra.") and not place.startswith(WORDS):
        yield from _in_text(value, place)


def _in_text(value: str, place: str) -> Iterator[Problem]:
    """Return the problem with a text below `hydra` that names code."""
    in_logging = place.startswith(("hydra.job_logging.", "hydra.hydra_logging."))
    if "ext://" in value and not (in_logging and value in STREAMS):
        yield Problem(
            place,
            f"{value!r} is refused: a config cannot name code to import - use ext://sys.stderr",
        )
    elif re.search(r"\$\{\s*oc\.(create|decode)", value):
        yield Problem(place, "a node made by an interpolation is refused under hydra")
    elif in_logging and "${" in value and not value.startswith("${hydra.runtime.output_dir}"):
        said = "an interpolation is refused in a logging config - write the value itself"
        yield Problem(place, said)


def _allowed(place: str, key: str, value: Any) -> bool:
    if place in ALLOWED_TARGETS:
        return value in ALLOWED_TARGETS[place]
    in_logging = place.startswith(("hydra.job_logging.", "hydra.hydra_logging."))
    if key == "class" and not place.startswith("hydra."):
        return True
    return in_logging and key in ("class", "()") and value in LOGGING_CLASSES
