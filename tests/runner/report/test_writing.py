"""A report is of what a folder holds."""

from __future__ import annotations

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import judged
from initlab.runner.report.writing import renew_report, write_report

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def test_a_run_and_a_sweep_each_get_their_own(run_folder, sweep_folder):
    run, sweep = write_report(run_folder), write_report(sweep_folder)
    assert (run.parent, sweep.parent) == (run_folder, sweep_folder)
    assert run.read_text() != sweep.read_text()


def test_a_folder_that_is_neither_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match=r"neither a finished run .* nor a folder of runs"):
        write_report(tmp_path)


def test_a_report_is_renewed_where_there_is_one_and_a_failure_is_a_warning(run_folder, capsys):
    renew_report(run_folder)
    assert not (run_folder / "report.html").exists()
    write_report(run_folder)
    judged.write(run_folder, 1e-6, [{"id": "a_claim", "verdict": "reproduced"}])
    renew_report(run_folder)
    assert "a_claim" in (run_folder / "report.html").read_text()
    (run_folder / "claims.json").write_text("{")
    renew_report(run_folder)
    assert "warning: report.html is without the claims: " in capsys.readouterr().err
    assert "a_claim" in (run_folder / "report.html").read_text()
