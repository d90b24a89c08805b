"""Runs through Hydra's launchers: joblib, Ray, Slurm. Only the status files on disk come back.

A launcher keeps what every job returned, including its config, so it receives AT_ONCE runs at a
time. If a launcher breaks, as joblib's does when a worker is killed, some runs have not ended. They
are launched again as long as each launch ends some more. A run whose own process died is then
launched alone, so that it cannot take other runs down with it.

Repeated launches use `resume=true`: if a leftover process of the first launch finishes a run, its
result is used.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from hydra.core.plugins import Plugins
from omegaconf import DictConfig, OmegaConf

from initlab.runner.config.hydra_internals import hydra_context
from initlab.runner.config.permitted import LOGGING_CLASSES, RAY
from initlab.runner.evidence.members import Member
from initlab.runner.evidence.provenance import Calling
from initlab.runner.evidence.status import (
    COMPLETED,
    CRASHED,
    FAILED,
    PENDING,
    TIMED_OUT,
    Status,
    read,
    write,
)
from initlab.runner.sweep.job import STOP, run_job
from initlab.runner.sweep.worker import ASKING, Sweeping, ending

IN_PROCESS = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
AT_ONCE = 200
"""Runs passed to a launcher at a time."""
OBJECT_STORE = 78643200
"""Bytes of Ray's store of objects, if no other number is given; that of its launcher."""


def is_in_process(config: DictConfig) -> bool:
    """Return whether the runs are performed in this process, as with Hydra's default launcher."""
    launcher = OmegaConf.to_container(config.hydra.launcher, resolve=False)
    return isinstance(launcher, dict) and launcher.get("_target_") == IN_PROCESS


def launch_all(
    config: DictConfig, members: Sequence[Member], retries: int, calling: Calling
) -> None:
    """Launch all runs; `calling` says where their sweep was called.

    A run whose process died is tried 1 + `retries` more times; then its status is crashed.
    """
    launch = Launch(config, partial(run_job, sweep=Sweeping.here(calling)))
    with ending(members):
        for start in range(0, len(members), AT_ONCE):
            batch = list(members[start : start + AT_ONCE])
            for member in batch:  # replaces the status of an earlier sweep
                Path(member.folder).mkdir(exist_ok=True)
                write(Path(member.folder), Status(PENDING, member.run_id, member.overrides))
            launch.run(batch)
            launch.again([member for member in batch if not ended(member)], 1 + retries)


def ended(member: Member) -> bool:
    """Return whether a run has ended since its status was set to pending, and is not to be launched
    again.
    """
    return read(Path(member.folder)).state in (COMPLETED, FAILED, TIMED_OUT)


def start_ray(options: DictConfig) -> None:
    """Start Ray as its launcher would, and keep the handlers of signals: Ray's own ends this process
    in the middle of things.
    """
    import ray

    if not ray.is_initialized():
        options.setdefault("object_store_memory", OBJECT_STORE)
        before = {number: signal.getsignal(number) for number in ASKING}
        given = cast(dict[str, Any], OmegaConf.to_container(options, resolve=True))
        ray.init(**given)
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_hung(member: Member) -> bool:
    """Return whether a run hung, so that its process was ended; its status then says so."""
    folder = Path(member.folder)
    found = read(folder)
    if found.state == TIMED_OUT:
        write(folder, found)
    return found.state == TIMED_OUT


def _resuming(member: Member) -> Member:
    words = [word for word in member.overrides if word.lstrip("+").partition("=")[0] != "resume"]
    return Member(member.run_id, member.folder, [*words, "resume=true"])


def _stopped(member: Member) -> bool:
    return (Path(member.folder).parent / STOP).exists()


class Launch:
    """A launcher of Hydra's, with the job that its processes perform."""

    def __init__(self, config: DictConfig, job: Callable[[DictConfig], Any]) -> None:
        self._config = config
        self._job = job
        self._said: set[str] = set()

    def run(self, members: Sequence[Member]) -> None:
        """Launch the runs and wait for them.

        A launcher that breaks is reported in one line, which is not repeated.
        """
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context(LOGGING_CLASSES),
            task_function=self._job,
            config=self._config,
        )
        try:
            if f"{type(launcher).__module__}.{type(launcher).__name__}" == RAY:
                start_ray(launcher.ray_cfg.init)  # type: ignore[attr-defined]
            launcher.launch([list(member.overrides) for member in members], initial_job_idx=0)
        except Exception as error:
            if sum(map(_is_hung, members)):
                return  # the interpreter ended its process, and the launcher missed it
            text = (
                f"error: the launcher stopped: {type(error).__name__}: "
                f"{(str(error).strip().splitlines() or [''])[0]}"
            )
            if text not in self._said:
                print(text, file=sys.stderr, flush=True)
            self._said.add(text)

    def again(self, left: list[Member], tries: int) -> None:
        """Launch the runs that have not ended: those that died each alone, the others together."""
        died: dict[str, int] = {}
        while left and not _stopped(left[0]):
            dead = [member for member in left if read(Path(member.folder)).state == CRASHED]
            others = [member for member in left if member not in dead]
            for member in dead:
                died[member.folder] = died.get(member.folder, 0) + 1
            again = [member for member in dead if died[member.folder] <= tries]
            for member in again:
                self.run([_resuming(member)])
            if others:
                self.run([_resuming(member) for member in others])
            after = [
                member
                for member in left
                if not ended(member) and (member in others or member in again)
            ]
            if not again and len(after) == len(left):
                return
            left = after
