"""The files that reports are: whole, of one piece, honest about what is missing, and safe whatever
the evidence holds.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from initlab.runner.cli import run_command
from initlab.runner.evidence.members import Member, read_members, write_members
from initlab.runner.report import write_run_report, write_sweep_report
from initlab.runner.report.charts import run_charts

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'"
VOID = {"meta", "input", "img", "br", "link"}


class Outline(HTMLParser):
    """Checks that elements nest, and keeps what is asked of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_a_runs_report_is_one_sound_file_that_fetches_nothing(run_folder):
    text = text_of(write_run_report(run_folder))
    outline = Outline(text)
    for name, attributes in outline.elements:
        for key in ("src", "href", "xlink:href"):
            target = attributes.get(key)
            assert target is None or target.startswith(("#", "data:image/png;base64,")), (
                name,
                target,
            )
    assert "url(http" not in text and "@import" not in text
    assert "default-src 'none'" in text


def test_ids_are_of_their_own_and_every_picture_says_what_it_shows(run_folder):
    outline = Outline(text_of(write_run_report(run_folder)))
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pictures = outline.all("svg")
    assert len(pictures) == 3 + 12
    for attributes in pictures:
        assert attributes["role"] == "img"
        assert set(attributes["aria-labelledby"].split()) <= set(ids)
    assert all(len(attributes["alt"]) > 20 for attributes in outline.all("img"))


def test_a_runs_report_says_what_was_declared_and_measured(run_folder):
    text = text_of(write_run_report(run_folder))
    manifest = json.loads((run_folder / "manifest.json").read_text())
    assert manifest["digests"]["root"] in text
    assert "All 28 parameters are as declared." in text
    assert "Theory for wide layers, from the first layer" in text
    assert "against the density of Normal(0, 0.125)" in text
    assert "14 tensors, 0 of them outside 5 standard errors" in text


def test_the_same_evidence_gives_the_same_bytes(run_folder, sweep_folder):
    assert write_run_report(run_folder).read_bytes() == write_run_report(run_folder).read_bytes()
    first = write_sweep_report(sweep_folder).read_bytes()
    assert write_sweep_report(sweep_folder).read_bytes() == first


def test_a_run_without_snapshot_probe_and_histograms_has_a_report_without_them(command, tmp_path):
    assert command("snapshot=none", "probe=none", "stats=[moments]").code == 0
    [folder] = (tmp_path / "outputs" / "runs").iterdir()
    text = text_of(write_run_report(folder))
    assert (
        "<h2>Forward" not in text and "<h2>Weights" not in text and "<h2>Distributions" not in text
    )
    assert "<h2>As declared?" in text


@pytest.mark.parametrize(
    "words",
    [
        ["snapshot=npz"],
        ["dtype=float16"],
        ["dtype=bfloat16"],
        ["init_mode=streamed", "probe=none"],
        ["init=orthogonal"],
        ["model=shared"],
        ["init=zero"],
        ["init=normal", "init.sigma=1e30"],
        ["model=lenet", "data=digits", "probe=train"],
    ],
    ids=" ".join,
)
def test_any_run_has_a_report(words, command, tmp_path):
    assert command(*words).code == 0
    [folder] = (tmp_path / "outputs" / "runs").iterdir()
    Outline(text_of(write_run_report(folder)))


def test_a_sweeps_report_shows_kinds_of_runs_and_says_what_failed(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    outline = Outline(text)
    assert "4 of 6 runs completed; 2 failed." in text
    assert "init.sigma: must be a positive number, got -1.0" in text
    assert "Median rms of the last layer: init.sigma=0.1: " in text
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


def test_nothing_that_evidence_holds_becomes_part_of_the_page(sweep_folder):
    members = read_members(sweep_folder)
    made = [
        Member(m.run_id, str(sweep_folder / m.run_id), [*m.overrides, f"name={HOSTILE}{n}"])
        for n, m in enumerate(members)
    ]
    write_members(sweep_folder, [HOSTILE], made)
    for run in sweep_folder.iterdir():
        if (run / "manifest.json").exists():
            content = json.loads((run / "manifest.json").read_text())
            content["canonical"][HOSTILE] = content["canonical"]["model"]["layers"][0]["name"] = (
                HOSTILE
            )
            content["overrides"] = [HOSTILE]
            (run / "manifest.json").write_text(json.dumps(content))
            stats = json.loads((run / "stats.json").read_text())
            stats["figures"][HOSTILE] = 1.0
            stats["parameters"][0] |= {
                "path": HOSTILE,
                "law": HOSTILE,
                "verdict": HOSTILE,
                "declared_std": 1.0,
            }
            stats["layers"][0]["path"] = HOSTILE
            (run / "stats.json").write_text(json.dumps(stats))
            last = run
        elif (run / "status.json").exists():
            status = json.loads((run / "status.json").read_text())
            (run / "status.json").write_text(json.dumps(status | {"error": HOSTILE}))
    for path in (write_sweep_report(sweep_folder), write_run_report(last)):
        outline = Outline(text_of(path))
        assert len(outline.all("script")) == (2 if path.parent == sweep_folder else 1)
        assert not [image for image in outline.all("img") if "onerror" in image]
        assert "<script>alert" not in text_of(path)


def test_the_script_data_of_a_page_is_json_whatever_it_holds(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    found = re.search(
        r'<script type="application/json" id="runs-data">(.*?)</script>', text, re.DOTALL
    )
    runs = json.loads(found[1])
    assert len(runs) == 4
    assert all({"init.sigma", "seed", "root digest"} <= set(values) for values in runs.values())
    assert not any("model.layers[0].units" in values for values in runs.values())


def test_ten_thousand_runs_still_make_a_usable_file(many):
    folder = many(40)
    once = read_members(folder)
    write_members(folder, [], [once[n % 40] for n in range(10_000)])
    path = write_sweep_report(folder)
    assert path.stat().st_size < 10e6
    assert text_of(path).count("<tr>") > 10_000


def test_a_report_of_five_hundred_runs_is_small(many):
    assert write_sweep_report(many(500)).stat().st_size < 10e6 / 4


def test_the_command_writes_reports_of_runs_and_of_sweeps(run_folder, sweep_folder, capsys):
    assert run_command(["report", str(run_folder), str(sweep_folder)]) == 0
    assert capsys.readouterr().out == f"{run_folder}/report.html\n{sweep_folder}/report.html\n"


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: folder / "nowhere", "no such folder - give the folder of a finished run"),
        (
            lambda folder: folder.mkdir() or folder,
            "is neither a finished run (no manifest.json) nor a sweep (no sweep.json)",
        ),
    ],
    ids=["missing", "empty"],
)
def test_what_is_no_evidence_is_refused(prepare, said, tmp_path, capsys):
    assert run_command(["report", str(prepare(tmp_path / "x"))]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and said in err and len(err.splitlines()) == 1


@pytest.mark.parametrize("file", ["manifest.json", "stats.json", "plan.json"])
@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rows": [{}], "parameters": [{}]}', '{"rows": 3, "parameters": 3}']
)
def test_a_damaged_file_is_named_and_an_older_report_stays(file, text, run_folder, capsys):
    (run_folder / "report.html").write_text("older")
    (run_folder / file).write_text(text)
    assert run_command(["report", str(run_folder)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {run_folder}/") and len(err.splitlines()) == 1
    assert "run its config again" in err or "no manifest of format" in err
    assert (run_folder / "report.html").read_text() == "older"


@pytest.mark.parametrize("text", ["{", '{"format": "initlab-sweep-9"}'])
def test_a_damaged_list_of_runs_is_named(text, sweep_folder, capsys):
    (sweep_folder / "sweep.json").write_text(text)
    assert run_command(["report", str(sweep_folder)]) == 2
    assert f"error: {sweep_folder}/sweep.json: " in capsys.readouterr().err


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


def test_runs_and_sweeps_write_the_reports_that_were_asked_for(command, tmp_path):
    assert command("report=all").code == 0
    [alone] = (tmp_path / "outputs" / "runs").glob("*/report.html")
    done = command("-m", "seed=1,2", "report=sweep")
    assert done.out.splitlines()[-2] == "report: outputs/runs/report.html"
    assert list((tmp_path / "outputs" / "runs").glob("*/report.html")) == [alone]
    assert command("-m", "seed=1,2", "report=all").code == 0
    assert len(list((tmp_path / "outputs" / "runs").glob("*/report.html"))) == 3
    assert (
        command("report=some").err == "error: report: cannot be 'some' - Known: all, none, sweep.\n"
    )


def test_the_charts_of_a_run_can_be_had_as_figures(run_folder):
    charts = run_charts(run_folder)
    assert [chart.name for chart in charts][:4] == [
        "signal",
        "gradient",
        "deviation",
        "histogram-stem.weight",
    ]
    assert all(
        chart.figure.axes and chart.title and chart.description.endswith(".") for chart in charts
    )
