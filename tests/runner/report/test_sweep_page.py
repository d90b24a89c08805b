"""A sweep's report: kinds of runs, failures, and many runs."""

from __future__ import annotations

import pytest
from outline import Outline, text_of

from initlab.runner.evidence.members import Member, read_members, write_members
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import (
    RunGroup,
    gradient_panels,
    signal_panels,
    write_sweep_report,
)


def test_a_sweeps_report_shows_kinds_of_runs_and_says_what_failed(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    outline = Outline(text)
    assert "4 of 6 runs completed; 2 failed." in text
    assert "init.sigma: must be a positive number, got -1.0" in text
    assert "Median rms of the last layer: sigma=0.1: " in text
    assert ">not as declared<" in text and ">off<" not in text
    assert len([box for box in outline.all("input") if box.get("type") == "checkbox"]) == 4


def test_a_run_with_a_report_of_its_own_is_linked(sweep_folder):
    run = next(path for path in sweep_folder.iterdir() if (path / "manifest.json").exists())
    write_run_report(run)
    assert f'href="{run.name}/report.html"' in text_of(write_sweep_report(sweep_folder))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("stats.json", "is damaged"),
        ("plan.json", "is damaged"),
        ("manifest.json", "the manifest is damaged"),
    ],
)
def test_a_damaged_run_of_a_sweep_is_shown_as_such(file, said, sweep_folder):
    run = next(path for path in sweep_folder.iterdir() if (path / "manifest.json").exists())
    (run / file).write_text("{")
    assert said in text_of(write_sweep_report(sweep_folder))


def test_runs_that_are_gone_are_pending(sweep_folder):
    import shutil

    for member in read_members(sweep_folder):
        shutil.rmtree(sweep_folder / member.run_id)
    write_members(
        sweep_folder,
        [],
        [
            Member(m.run_id, str(sweep_folder / m.run_id), m.overrides)
            for m in read_members(sweep_folder)
        ],
    )
    assert "0 of 6 runs completed; 6 pending." in text_of(write_sweep_report(sweep_folder))


@pytest.mark.slow
def test_ten_thousand_runs_still_make_a_usable_file(many):
    folder = many(40)
    once = read_members(folder)
    write_members(folder, [], [once[n % 40] for n in range(10_000)])
    path = write_sweep_report(folder)
    assert path.stat().st_size < 10e6
    assert text_of(path).count("<tr>") > 10_000


def test_a_report_of_five_hundred_runs_is_small(many):
    assert write_sweep_report(many(500)).stat().st_size < 10e6 / 4


def test_a_sweep_that_judges_claims_has_them_in_its_report(command, tmp_path, monkeypatch):
    monkeypatch.delenv("INITLAB_REPORT")
    claim = (
        "{id: width, cite: me, quantity: figures.output_rms, predicted: 0, floor: 9, within: 99}"
    )
    done = command("-m", "init=normal", "seed=0,1", "probe=forward", f"expect=[{claim}]")
    assert done.code == 0, done.err
    text = text_of(tmp_path / "outputs" / "runs" / "report.html")
    assert "<h2>Claims</h2>" in text and ">width<" in text and "reproduced" in text


def test_a_kind_of_run_has_a_short_label_with_few_digits(many):
    folder = many(2)
    members = read_members(folder)
    words = ["vars.rule=torch", "model.layers[0].gain=0.3333333333333333"]
    write_members(folder, [], [Member(members[0].run_id, members[0].folder, words), members[1]])
    assert "rule=torch, gain=0.33333" in text_of(write_sweep_report(folder))


def kinds(*sizes: float) -> list[RunGroup]:
    made = []
    for at, size in enumerate(sizes):
        lines = [[1.0, size**0.5, size], [1.0, "nan", size]]
        made.append(RunGroup(f"kind={at}", lines, lines, runs=2))
    return made


@pytest.mark.parametrize("panels", [signal_panels, gradient_panels])
def test_a_kind_that_collapsed_does_not_flatten_the_others(panels):
    together, apart = panels(kinds(0.5, 2.0)), panels(kinds(1e-16, 2.0, 0.5))
    limits = [[pair.get_ylim() for pair in chart.figure.axes] for chart in (together, apart)]
    assert len(set(limits[0])) == 1 and len(set(limits[1])) == 3
    assert limits[1][1][0] > 0.5 and "a scale of its own" in apart.description
    assert "a scale of its own" not in together.description
    assert "kind=0: 1e-16; kind=1: 2; kind=2: 0.5" in apart.description
    colours = {line.get_color() for pair in apart.figure.axes for line in pair.lines}
    assert len(colours) == 1


def test_kinds_without_a_positive_number_have_no_panel():
    assert gradient_panels([RunGroup("a", gradients=[["nan", 0.0]]), RunGroup("b")]) is None


def test_a_sweep_with_gradients_has_a_chart_of_them(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    assert "Median rms of the last weight: sigma=0.1: " in text
