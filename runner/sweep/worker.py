"""What a process that a launcher started does beside its run: it ends with its sweep.

the sweep is asked to end     it leaves the file END beside the runs; the run ends within seconds,
                              and no further one begins
the sweep's process is gone   a process that it started itself finishes its run, and ends
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from initlab.runner.errors import Terminated
from initlab.runner.evidence.members import Member
from initlab.runner.evidence.provenance import Calling
from initlab.runner.evidence.status import CRASHED, FAILED, RUNNING, Status, read, write

END = ".end"
"""A file in a sweep's folder; it asks the runs of the sweep to end."""
EVERY = 0.5
"""Seconds between two looks for it."""
PATIENCE = 3.0
"""Seconds that a process has to end in order, before it is killed."""
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Sweeping:
    """The sweep that a process performs a run for: where it was called, and its own process."""

    calling: Calling
    pid: int
    host: str

    @classmethod
    def here(cls, calling: Calling) -> Sweeping:
        """Return the sweep of this process."""
        return cls(calling, os.getpid(), socket.gethostname())

    @property
    def is_alone(self) -> bool:
        """Whether this process holds one run only: a process of a launcher, and its main thread."""
        ours = (os.getpid(), socket.gethostname()) == (self.pid, self.host)
        return not ours and threading.current_thread() is threading.main_thread()

    @property
    def is_parent(self) -> bool:
        """Whether the sweep's process started this one."""
        return self.host == socket.gethostname() and os.getppid() == self.pid


@contextmanager
def following(sweep: Sweeping | None, folder: Path) -> Iterator[bool]:
    """End the run in `folder`, performed inside a `with`, when its sweep is asked to end.

    Yields whether the run may begin. Nothing is done in the sweep's own process, and in a thread of
    somebody else's.
    """
    if sweep is None or not sweep.is_alone:
        yield sweep is None or not (folder.parent / END).exists()
        return
    orphan = _orphan() or Orphan(sweep)
    orphan.busy = True
    over = threading.Event()
    threading.Thread(target=_watch, args=(folder.parent / END, over), daemon=True).start()
    try:
        with _ended_in_order(folder.parent / END):
            yield not (folder.parent / END).exists()
    finally:
        over.set()
        orphan.busy = False


@contextmanager
def _ended_in_order(asked: Path) -> Iterator[None]:
    """Let SIGTERM end what is done inside a `with` as Ctrl-C does, if the sweep asked for it; else it
    does what it did before: a run whose process somebody else ends is launched again.
    """
    before = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before)
        if asked.exists():
            raise Terminated(number)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _watch(path: Path, over: threading.Event) -> None:
    while not over.wait(EVERY):
        if path.exists():
            os.kill(os.getpid(), signal.SIGTERM)
            if not over.wait(PATIENCE):
                os.kill(os.getpid(), signal.SIGKILL)


class Orphan(threading.Thread):
    """Ends this process when the one that started it is gone, and it is not `busy` with a run.

    Without it the processes of joblib wait five minutes for another run.
    """

    def __init__(self, sweep: Sweeping) -> None:
        super().__init__(name="initlab-orphan", daemon=True)
        self.busy = False
        self._sweep = sweep
        if sweep.is_parent:
            self.start()

    def run(self) -> None:
        """Wait for that."""
        while self._sweep.is_parent or self.busy:
            time.sleep(EVERY)
        os._exit(0)


def _orphan() -> Orphan | None:
    return next((one for one in threading.enumerate() if isinstance(one, Orphan)), None)


@contextmanager
def ending(members: Sequence[Member]) -> Iterator[None]:
    """Let the processes of a sweep's runs end, when this one is asked to inside a `with`."""
    folders = {Path(member.folder).parent for member in members}
    for folder in folders:
        (folder / END).unlink(missing_ok=True)
    before: dict[int, Any] = {}
    asked: list[BaseException] = []

    def ask(number: int, frame: FrameType | None) -> None:
        for folder in folders:
            with suppress(OSError):
                (folder / END).touch()
        signal.signal(number, before[number])
        try:
            before[number](number, frame)
        except BaseException as error:
            asked.append(error)  # a launcher may make another of it
            raise

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in ASKING}
        before = {number: how for number, how in before.items() if callable(how)}
        for number in before:
            signal.signal(number, ask)
    try:
        yield
        if asked:  # the launcher did not pass it on
            raise asked[0]
    except KeyboardInterrupt as error:
        first = asked[0] if asked else error
        settle(members, str(first) or "stopped from the keyboard")
        raise first from None
    finally:
        for number, how in before.items():
            if signal.getsignal(number) is ask:
                signal.signal(number, how)


def settle(members: Sequence[Member], said: str) -> None:
    """End the processes on this machine that still perform a run, and write how the runs ended: they
    failed, for the reason `said`.
    """
    begun = {member.folder: read(Path(member.folder)) for member in members}
    here = socket.gethostname()
    open_runs = {
        folder: status
        for folder, status in begun.items()
        if status.host == here and status.pid != os.getpid() and status.state in (RUNNING, CRASHED)
    }
    until = time.monotonic() + PATIENCE
    left = {status.pid for status in open_runs.values() if status.state == RUNNING}
    _signal(left, signal.SIGTERM)
    while time.monotonic() < until and any(map(is_alive, left)):
        time.sleep(EVERY / 10)
    _signal(left, signal.SIGKILL)
    for folder in open_runs:
        _note(Path(folder), said)


def _note(folder: Path, said: str) -> None:
    """Write that a run failed whose process was ended before it could say so."""
    status: Status = read(folder)
    if status.state in (RUNNING, CRASHED):
        with suppress(OSError):
            write(folder, replace(status, state=FAILED, error=said))


def _signal(processes: set[int], number: int) -> None:
    for process in processes:
        with suppress(OSError):
            os.kill(process, number)


def is_alive(process: int) -> bool:
    """Return whether a process runs; one that has ended, and was not waited for, does not."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists() and _answers(process)
    except (OSError, IndexError):
        return False


def _answers(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
