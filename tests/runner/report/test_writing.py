"""A report is of what a folder holds."""

from __future__ import annotations

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.report.writing import write_report

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def test_a_run_and_a_sweep_each_get_their_own(run_folder, sweep_folder):
    run, sweep = write_report(run_folder), write_report(sweep_folder)
    assert (run.parent, sweep.parent) == (run_folder, sweep_folder)
    assert run.read_text() != sweep.read_text()


def test_a_folder_that_is_neither_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match=r"neither a finished run .* nor a sweep"):
        write_report(tmp_path)
