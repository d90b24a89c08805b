"""The runs of a sweep that a test's folder holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kept_runs import keep

from initlab.runner.evidence.members import Member
from initlab.runner.evidence.status import COMPLETED, FAILED, Status, write


@pytest.fixture
def members(tmp_path) -> list[Member]:
    """A run that completed, one that failed and one that never began."""
    made = [
        Member(f"x-{n}", str(tmp_path / f"x-{n}"), ["init=normal", f"seed={n}"]) for n in range(3)
    ]
    done, failed = Path(made[0].folder), Path(made[1].folder)
    failed.mkdir()
    keep(done)
    stats = {
        "parameters": [
            {"path": f"{number}.weight", "shape": [2], "verdict": verdict}
            for number, verdict in enumerate(["off", "ok"])
        ],
        "figures": {"loss": 2.302585093},
    }
    (done / "stats.json").write_text(json.dumps(stats))
    write(done, Status(COMPLETED, "x-0", seconds=0.25, root="0123456789abcdef0123"))
    write(
        failed,
        Status(
            FAILED, "x-1", error="ValueError: a | b\nand more", traceback="Traceback", seconds=0.5
        ),
    )
    return made
