"""Records of a study: each network is studied in a process of its own, and what a file holds is kept."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar


class Named(Protocol):
    """A network of a study."""

    @property
    def name(self) -> str:
        """The name by which its record is found."""


C = TypeVar("C", bound=Named)


def attempt(study: Callable[[C], dict[str, Any]], case: C) -> dict[str, Any]:
    """Return the record of a network, or why there is none."""
    try:
        return study(case)
    except Exception as error:
        return {"name": case.name, "error": f"{type(error).__name__}: {error}"}


def record(path: Path, cases: Iterable[C], study: Callable[[C], dict[str, Any]]) -> None:
    """Append the records of the networks that the file does not hold, from JOBS processes (2)."""
    had = {json.loads(line)["name"] for line in path.open()} if path.exists() else set()
    left = [case for case in cases if case.name not in had]
    with (
        multiprocessing.get_context("spawn").Pool(int(os.environ.get("JOBS", "2"))) as pool,
        path.open("a") as out,
    ):
        for number, found in enumerate(pool.imap_unordered(partial(attempt, study), left), 1):
            out.write(json.dumps(found) + "\n")
            out.flush()
            print(f"{number}/{len(left)} {found['name']} {found.get('error', '')}", flush=True)
