"""A run's report: one sound file that says what was declared and measured."""

from __future__ import annotations

import json

import pytest
from outline import Outline, text_of

from initlab.runner.report.run_page import write_run_report


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


def test_a_run_without_snapshot_probe_and_histograms_has_a_report_without_them(command, tmp_path):
    assert command("snapshot=none", "probe=none", "stats=[moments]").code == 0
    [folder] = (tmp_path / "outputs" / "runs").iterdir()
    text = text_of(write_run_report(folder))
    assert (
        "<h3>Forward" not in text and "<h2>Weights" not in text and "<h2>Distributions" not in text
    )
    assert "<h2>Parameters</h2>" in text and "<h3>Measured over declared" in text


def test_a_report_says_what_was_said_of_the_run_and_where_it_was_made(command, tmp_path):
    words = ("probe=none", "stats=[moments]", "tags=[wide,old]", "note='<b> & more'")
    assert command(*words).code == 0
    [folder] = (tmp_path / "outputs" / "runs").iterdir()
    came = json.loads((folder / "manifest.json").read_text())["provenance"]
    text = text_of(write_run_report(folder))
    assert "wide, old" in text and "&lt;b&gt; &amp; more" in text
    assert f"{came['ended']} on {came['host']}" in text


@pytest.mark.slow
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


def test_every_measurement_of_a_run_is_a_table_of_its_report(command, tmp_path):
    assert command("measure=[layers,spectrum,jacobian]", "experiment=digits").code == 0
    [folder] = (tmp_path / "outputs" / "digits").iterdir()
    text = text_of(write_run_report(folder))
    Outline(text)
    for name in ("Layers", "Gradients", "Spectrum", "Jacobian"):
        assert f"<h2>{name}</h2>" in text
    assert "stable rank" in text and "pre variance" in text
