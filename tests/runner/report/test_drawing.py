"""Charts are drawn where matplotlib is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.report import drawing


def without_matplotlib(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where matplotlib cannot be imported."""
    (folder / "sitecustomize.py").write_text(
        "import sys, importlib.util\nsys.modules['matplotlib'] = None\nfound = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name.startswith('matplotlib') else found(name, *rest)\n"
    )
    import os

    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{root}"}
    environment.pop("INITLAB_REPORT", None)
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_without_matplotlib_the_extra_is_named(run_folder, tmp_path):
    done = without_matplotlib(tmp_path, "runner.report", str(run_folder))
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: a report's charts are drawn by matplotlib, which is not installed - pip install 'initlab[plot]'\n"
    )
    done = without_matplotlib(tmp_path, "runner", "report=all")
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: report: charts are drawn by matplotlib, which is not installed - pip install 'initlab[plot]'\n"
    )
    done = without_matplotlib(tmp_path, "runner", "-m", "seed=0,1")
    assert done.returncode == 0
    assert done.stderr.startswith(
        "warning: no report.html: a report's charts are drawn by matplotlib"
    )


def test_layers_are_counted_in_whole_numbers():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    for count in (1, 3, 40):
        _, pair = drawing.axes()
        pair.plot(range(count), [1.0] * count)
        drawing.counting(pair)
        assert all(tick == int(tick) for tick in pair.get_xticks())
