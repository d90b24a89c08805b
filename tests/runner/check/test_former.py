"""Runs of statistics version 1, made before containers had rows and the mode could be chosen, still
verify.

`former/averaged` has batch normalization, a residual block and a concurrent one, measured forward in
predict mode; `former/dropped` has a transformer block and dropout, measured backward in train mode.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from initlab.runner.check.figures import wrong_figure
from initlab.runner.check.recompute import Recomputed
from initlab.runner.check.verify import verify
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.plan.validate import revalidate

FORMER = Path(__file__).parent / "former"


@pytest.mark.parametrize("name", ["averaged", "dropped"])
def test_a_run_of_version_1_is_measured_again_as_it_was(name, tmp_path):
    folder = shutil.copytree(FORMER / name, tmp_path / name)
    assert RunFolder(folder).stats.version == 1
    answer = verify(folder)
    assert answer.code == 0, answer.text


@pytest.mark.parametrize("column", ["rms", "rms_ratio", "grad_ratio", "cosine"])
def test_a_changed_figure_of_version_1_is_found(column):
    run = RunFolder(FORMER / "averaged")
    row = run.stats.layers[2]
    row[column] *= 1.01
    said = wrong_figure(run, Recomputed(revalidate(run.manifest.config), measured=True))
    assert said is not None and f"layers[2] 'block.c1'.{column} is" in said
