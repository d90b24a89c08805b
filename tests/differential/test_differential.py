"""The same Gluon programs on the engine and on real MXNet 1.9.1, which must give the same arrays.

MXNET_PYTHON names the Python of an environment that has MXNet 1.9.1; without it the one that
`python -m benchmarks.gluon` makes is taken. Where there is neither, those tests are skipped, and
what MXNet gave elsewhere (`vectors/mxnet-programs.npz`, written by `record.py`) stands in for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from differential import programs

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
KEPT = ROOT / "benchmarks" / ".venv-mxnet" / "bin" / "python"
PYTHON = os.environ.get("MXNET_PYTHON") or (str(KEPT) if KEPT.exists() else None)

here = pytest.mark.skipif(
    PYTHON is None,
    reason="real MXNet 1.9.1 is not here: set MXNET_PYTHON, or run python -m benchmarks.gluon",
)


def run(python: str, name: str, folder: Path) -> dict[str, np.ndarray]:
    out = folder / f"{name}.npz"
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
    command = [python, str(HERE / "programs.py"), name, str(out), str(folder / name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(out) as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return (MXNet's arrays, ours). The engine runs first, so MXNet reads our files; then the
    engine reads MXNet's.
    """
    folder = tmp_path_factory.mktemp("differential")
    run(sys.executable, "engine", folder)
    theirs = run(PYTHON, "mxnet", folder)
    return theirs, run(sys.executable, "engine", folder)


def check(name: str, theirs: dict[str, np.ndarray], ours: dict[str, np.ndarray]) -> None:
    theirs, ours = (
        {key: value for key, value in found.items() if key.startswith(name + "/")}
        for found in (theirs, ours)
    )
    assert f"{name}/raised" not in ours, str(ours[f"{name}/raised"])
    assert f"{name}/raised" not in theirs, str(theirs[f"{name}/raised"])
    assert set(ours) == set(theirs)
    for key, wanted in theirs.items():
        assert ours[key].shape == wanted.shape, key
        assert ours[key].dtype == wanted.dtype, key
        if name in programs.EXACT:
            np.testing.assert_array_equal(ours[key], wanted, err_msg=key)
        else:
            np.testing.assert_allclose(ours[key], wanted, rtol=2e-4, atol=2e-5, err_msg=key)


@pytest.mark.slow
@here
@pytest.mark.parametrize("name", sorted(programs.PROGRAMS))
def test_the_engine_gives_what_mxnet_gives(name, both):
    check(name, *both)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return (MXNet's recorded arrays, ours)."""
    with np.load(ROOT / "tests" / "vectors" / "mxnet-programs.npz") as file:
        return {key: file[key] for key in file.files}, run(
            sys.executable, "engine", tmp_path_factory.mktemp("recorded")
        )


@pytest.mark.parametrize("name", sorted(set(programs.PROGRAMS) - {"files"}))
def test_the_engine_gives_what_mxnet_gave(name, recorded):
    check(name, *recorded)
