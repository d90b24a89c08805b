"""The same Gluon programs on the engine and on real MXNet 1.9.1, which must give the same arrays.

MXNET_PYTHON names the Python of an environment that has MXNet 1.9.1; without it the one that
`python -m benchmarks.gluon` makes is taken. Where there is neither, those tests are skipped, and
what MXNet gave elsewhere (`vectors/mxnet-<module>.npz`, written by `record.py`) stands in for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from differential import (
    blocks,
    iterators,
    operators,
    optimizers,
    pictures,
    programs,
    texts,
    updates,
)

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "benchmarks" / ".venv-mxnet" / "bin" / "python"
PYTHON = os.environ.get("MXNET_PYTHON") or (str(KEPT) if KEPT.exists() else None)
MODULES = {
    "programs": programs,
    "blocks": blocks,
    "optimizers": optimizers,
    "pictures": pictures,
    "operators": operators,
    "texts": texts,
    "iterators": iterators,
    "updates": updates,
}
NAMES = [
    pytest.param((module, name), id=f"{module}-{name}")
    for module, source in MODULES.items()
    for name in sorted(source.PROGRAMS)
]
TOLERANCES = {"float16": {"rtol": 2e-3, "atol": 1e-3}}

here = pytest.mark.skipif(
    PYTHON is None,
    reason="real MXNet 1.9.1 is not here: set MXNET_PYTHON, or run python -m benchmarks.gluon",
)


def run(python: str, module: str, name: str, folder: Path) -> dict[str, np.ndarray]:
    out = folder / f"{name}.npz"
    environment = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
    }
    command = [python, "-m", f"differential.{module}", name, str(out), str(folder / name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(out) as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return (MXNet's arrays, ours) by module. The engine runs first, so MXNet reads our files; then
    the engine reads MXNet's.
    """
    found = {}
    for module in MODULES:
        folder = tmp_path_factory.mktemp(module)
        run(sys.executable, module, "engine", folder)
        theirs = run(PYTHON, module, "mxnet", folder)
        found[module] = theirs, run(sys.executable, module, "engine", folder)
    return found


def check(
    module: str, name: str, theirs: dict[str, np.ndarray], ours: dict[str, np.ndarray]
) -> None:
    theirs, ours = (
        {key: value for key, value in found.items() if key.startswith(name + "/")}
        for found in (theirs, ours)
    )
    assert f"{name}/raised" not in ours, str(ours[f"{name}/raised"])
    assert f"{name}/raised" not in theirs, str(theirs[f"{name}/raised"])
    assert theirs, f"{module} was not recorded with this program: run record.py"
    assert set(ours) == set(theirs)
    for key, wanted in theirs.items():
        assert ours[key].shape == wanted.shape, key
        assert ours[key].dtype == wanted.dtype, key
        if name in MODULES[module].EXACT or wanted.dtype.kind == "U":
            np.testing.assert_array_equal(ours[key], wanted, err_msg=key)
        else:
            close = TOLERANCES.get(wanted.dtype.name, {"rtol": 2e-4, "atol": 2e-5})
            np.testing.assert_allclose(ours[key], wanted, **close, err_msg=key)


@pytest.mark.slow
@here
@pytest.mark.parametrize("program", NAMES)
def test_the_engine_gives_what_mxnet_gives(program, both):
    check(*program, *both[program[0]])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return (MXNet's recorded arrays, ours) by module."""
    found = {}
    for module in MODULES:
        with np.load(ROOT / "tests" / "vectors" / f"mxnet-{module}.npz") as file:
            theirs = {key: file[key] for key in file.files}
        folder = tmp_path_factory.mktemp("recorded")
        found[module] = theirs, run(sys.executable, module, "engine", folder)
    return found


@pytest.mark.parametrize("program", [n for n in NAMES if n.id != "programs-files"])
def test_the_engine_gives_what_mxnet_gave(program, recorded):
    check(*program, *recorded[program[0]])
