"""A finished run is read from Python."""

from __future__ import annotations

import json

import numpy as np
import pytest

import initlab
from initlab.engine import formats
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.finished import load


@pytest.fixture
def run(only_run):
    return load(only_run("init=he", "model=shared", "probe=forward"))


def test_a_run_has_its_manifest_config_statistics_and_figures(run):
    assert run.manifest.run_id == run.path.name
    assert run.config["init"]["kind"] == "he"
    assert {row["path"] for row in run.stats.parameters} == set(run.manifest.digests.tensors)
    assert run.figures == run.stats.figures and run.figures


def test_values_are_mapped_by_path_and_an_alias_has_its_owners(run):
    stored = formats.get("safetensors").read(run.path / "snapshot.safetensors").tensors
    assert run["0.weight"].tobytes() == stored["0.weight"].tobytes()
    assert run["2.weight"].tobytes() == stored["1.weight"].tobytes()
    base = run["0.weight"]
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert not isinstance(base, np.ndarray) or isinstance(base, np.memmap)


def test_a_run_is_iterated_over_by_path(run):
    paths = list(run)
    assert len(paths) == len(run) == len(set(paths))
    assert paths[-1] in run.manifest.aliases and "0.weight" in run and "9.weight" not in run
    with pytest.raises(KeyError, match="no parameter '0.weigth' - did you mean '0.weight'"):
        run["0.weigth"]


def test_a_run_without_a_snapshot_has_no_values(only_run):
    run = load(only_run("init=he", "snapshot=none"))
    assert "0.weight" in run
    with pytest.raises(EvidenceError, match="kept no snapshot - run it with snapshot=safetensors"):
        run["0.weight"]


def test_a_figure_that_is_not_finite_is_a_number(run):
    file = run.path / "stats.json"
    content = json.loads(file.read_text())
    content["figures"] = {"loss": "nan", "other": None, "most": "inf"}
    file.write_text(json.dumps(content))
    figures = load(run.path).figures
    assert np.isnan(figures["loss"]) and figures["other"] is None and figures["most"] == np.inf


def test_what_is_no_finished_run_is_refused_at_once(run, tmp_path):
    with pytest.raises(EvidenceError, match="no such folder"):
        load(tmp_path / "nowhere")
    (run.path / "manifest.json").write_text("{")
    with pytest.raises(EvidenceError, match="the manifest is damaged"):
        load(run.path)
    (run.path / "manifest.json").unlink()
    with pytest.raises(EvidenceError, match="no manifest, so the run did not finish"):
        load(run.path)


def test_a_run_has_its_diagnosis_if_it_made_one(only_run):
    words = ("model=deep_mlp", "init=normal", "init.sigma=0.01", "probe=backward")
    found = load(only_run(*words)).diagnosis
    assert found.severity == "fatal" and "signal-vanishes" in [one.id for one in found.findings]
    assert found.findings[0].instead == ("init=he",)


@pytest.mark.parametrize("word", ["probe=none", "diagnose=false"])
def test_a_run_that_made_no_diagnosis_has_none(word, only_run):
    assert load(only_run("init=he", word)).diagnosis is None


def test_a_run_fits_a_screen(run):
    lines = repr(run).splitlines()
    assert lines[0] == f"{run.manifest.run_id}: root {run.manifest.digests.root[:16]}"
    assert lines[1].split() == ["path", "shape", "law", "std", "verdict"]
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert "<td>0.weight</td>" in run._repr_html_()


def test_a_run_is_read_without_hydra(run):
    import subprocess
    import sys

    script = (
        "import sys, initlab\n"
        f"run = initlab.load({str(run.path)!r}); run['0.weight']; repr(run)\n"
        f"len(initlab.runs({str(run.path)!r}).where('seed == 0'))\n"
        "print([name for name in ('hydra', 'omegaconf', 'rich', 'pandas') if name in sys.modules])"
    )
    root = initlab.__path__[0].removesuffix("/initlab")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root)
    assert done.stdout == "[]\n", done.stderr
