"""The diagnosis in the reports of a run and of a sweep."""

from __future__ import annotations

import re

from outline import Outline, text_of

from initlab.runner.evidence.diagnosed import Diagnosis, Finding
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.report.findings import diagnoses_line, diagnosis_cell, diagnosis_section
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report

LOUD = Finding(
    "loud",
    "a<b>.weight",
    5.0,
    0.5,
    "5 times",
    "1",
    "It hurts.",
    "A & B 2015",
    ("init=he", "x='1'"),
    2,
)
ODD = Finding("strange", "the network", 1.0, None, "1", "2", "Look.", "C 2016", (), 0.5)


def test_a_finding_has_its_severity_place_figures_reason_and_words_to_type():
    text = diagnosis_section(Diagnosis((LOUD, ODD), ("the loss", "the loss", "units")))
    Outline(text)
    assert '<p class="fatal">1 fatal, 1 odd; worst: loud at a&lt;b&gt;.weight.</p>' in text
    assert '<span class="fatal">fatal</span> loud' in text and text.count("<li><h3>") == 2
    assert "<dt>measured</dt><dd>5 times</dd><dt>expected</dt><dd>1</dd>" in text
    assert 'It hurts. <span class="soft">(A &amp; B 2015)</span>' in text
    assert "<code>init=he x=&#x27;1&#x27;</code>" in text and text.count("<dt>instead</dt>") == 1
    assert text.count("<li>the loss</li>") == 1 and "<li>units</li>" in text


def test_a_diagnosis_without_findings_says_what_was_looked_at_and_none_shows_nothing():
    text = diagnosis_section(Diagnosis((), ("the loss",)))
    assert '<p class="good">Nothing found that is known to hurt.</p>' in text
    assert "<li>the loss</li>" in text and "<ol" not in text
    assert diagnosis_section(None) == ""


def test_cells_are_sorted_by_how_bad_the_worst_finding_is():
    found = [None, Diagnosis((), ()), Diagnosis((ODD,), ()), Diagnosis((LOUD, ODD), ())]
    cells = [diagnosis_cell(one) for one in found]
    assert cells[0] == "<td></td>" and cells[3].endswith(">fatal: loud</td>")
    places = [float(re.search('data-value="([^"]+)"', cell).group(1)) for cell in cells[1:]]
    assert places == sorted(places) and len(set(places)) == 3


def test_the_runs_of_a_sweep_are_counted_by_their_worst_finding():
    sound, bad = Diagnosis((), ()), Diagnosis((LOUD,), ())
    assert diagnoses_line([]) == ""
    assert "nothing found that is known to hurt in 2 runs." in diagnoses_line([sound, sound])
    line = diagnoses_line([sound, bad, sound])
    assert line.startswith('<p class="fatal">')
    assert "1 fatal, 2 without a finding of 3 runs." in line


def test_a_runs_report_begins_with_its_diagnosis(run_folder):
    diagnosis = RunFolder(run_folder).diagnosis
    text = text_of(write_run_report(run_folder))
    assert re.findall("<h2>(.*?)</h2>", text)[:2] == ["Diagnosis", "Run"]
    assert diagnosis.headline[1:] in text
    (run_folder / "diagnosis.json").unlink()
    assert "<h2>Diagnosis" not in text_of(write_run_report(run_folder))


def test_a_sweeps_report_says_how_bad_its_runs_are(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    assert "Diagnosis, by the worst finding: " in text and ">diagnosis</button>" in text
    for path in sweep_folder.glob("*/diagnosis.json"):
        path.unlink()
    assert "iagnosis" not in text_of(write_sweep_report(sweep_folder)).split("<script>")[0]


def test_advice_that_several_findings_share_is_said_once():
    again = Finding(**{**vars(LOUD), "id": "again"})
    other = Finding(**{**vars(LOUD), "id": "other", "instead": ("init=zero",)})
    text = diagnosis_section(Diagnosis((LOUD, other, again), ()))
    assert text.count("<dt>instead</dt>") == 2 and text.count("init=he") == 1
