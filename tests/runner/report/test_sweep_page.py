"""A sweep's report: kinds of runs, failures, and many runs."""

from __future__ import annotations

import json
import re

import pytest
from outline import Outline, text_of

from initlab.runner.evidence.members import Member, read_members, write_members
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report


def test_a_sweeps_report_shows_kinds_of_runs_and_says_what_failed(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    outline = Outline(text)
    assert "4 of 6 runs completed; 2 failed." in text
    assert "init.sigma: must be a positive number, got -1.0" in text
    assert "Median of the last layer: sigma=0.1: " in text
    assert len([box for box in outline.all("input") if box.get("value")]) == 4


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
    assert "rule=torch, gain=0.3333" in text_of(write_sweep_report(folder))


def test_settings_are_a_table_with_the_best_first_as_in_the_summary(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    rows = cells_of(text, "settings")
    summary = (sweep_folder / "summary.md").read_text().split("## Runs")[0]
    listed = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in summary.splitlines()
        if line.startswith("|") and "---" not in line
    ]
    assert rows == listed and "gradient_first" in rows[0] and "±" in rows[1][3]
    assert "fewest fatal, harmful, odd findings first" in text


def cells_of(text: str, table: str) -> list[list[str]]:
    """Return the texts of the cells of a table, the headings first."""
    found = re.search(f'id="{table}">(.*?)</table>', text, re.DOTALL)[1]
    found = found.replace("<wbr>", "").replace("\u00a0", " ")
    rows = re.findall("<tr>(.*?)</tr>", found)
    return [
        [re.sub("<[^>]*>", "", cell) for cell in re.findall("<t[hd].*?</t[hd]>", row)]
        for row in rows
    ]


def test_the_largest_objective_is_first_only_if_a_search_says_so(sweep_folder):
    for number, path in enumerate(sorted(sweep_folder.glob("*/status.json"))):
        status = json.loads(path.read_text())
        path.write_text(json.dumps(status | {"objective": float(number)}))
    first = cells_of(text_of(write_sweep_report(sweep_folder)), "settings")
    (sweep_folder / ".hydra").mkdir(exist_ok=True)
    (sweep_folder / ".hydra" / "hydra.yaml").write_text("hydra: {sweeper: {direction: maximize}}")
    again = text_of(write_sweep_report(sweep_folder))
    best = [float(row[first[0].index("objective")].split()[0]) for row in first[1:3]]
    other = [
        float(row[first[0].index("objective")].split()[0])
        for row in cells_of(again, "settings")[1:3]
    ]
    assert best == sorted(best) and other == sorted(other, reverse=True)
    assert "argest objective first" in again


def test_columns_that_say_the_same_of_every_run_are_left_out(many, sweep_folder):
    heads = cells_of(text_of(write_sweep_report(many(3))), "runs")[0]
    assert not {"state", "error", "not as declared"} & set(heads) and heads[-1] == "root"
    mixed = cells_of(text_of(write_sweep_report(sweep_folder)), "runs")[0]
    assert mixed[1:4] == ["sigma", "seed", "state"] and mixed[-1] == "error"


def test_parameters_that_are_not_as_declared_are_counted(sweep_folder):
    run = next(path for path in sweep_folder.iterdir() if (path / "manifest.json").exists())
    stats = json.loads((run / "stats.json").read_text())
    stats["parameters"][0]["verdict"] = "off"
    (run / "stats.json").write_text(json.dumps(stats))
    text = text_of(write_sweep_report(sweep_folder))
    assert "not as declared" in cells_of(text, "runs")[0]


def test_a_sweep_with_gradients_has_a_chart_of_them(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    assert "Median of the last weight: sigma=0.1: " in text
    assert "<h3>gradient_first</h3>" in text
