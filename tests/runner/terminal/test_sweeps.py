"""The tables of a sweep."""

from __future__ import annotations

from types import SimpleNamespace

from initlab.runner.terminal import sweeps
from initlab.runner.terminal.tables import console


def test_each_run_has_a_line_with_its_state_and_what_is_swept(capsys):
    sweeps.print_runs(console(), ["1a", "2b"], [{"seed": "0"}, {"init": "he"}], ["finished", "new"])
    head, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert head == ["state", "run", "seed", "init"]
    assert rows == [["finished", "1a", "0"], ["new", "2b", "he"]]


def test_a_sweep_without_figures_and_diagnoses_comes_to_nothing(capsys):
    sweeps.print_summary(console(), SimpleNamespace(figures=(), diagnosed=False))
    assert capsys.readouterr().out == ""
