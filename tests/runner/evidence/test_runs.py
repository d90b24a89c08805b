"""All runs below a folder, from Python."""

from __future__ import annotations

import copy
import json
import re
import shutil
import sys
from types import ModuleType

import pytest

import initlab
from initlab.runner.errors import EvidenceError, QuantityError
from initlab.runner.evidence.columns import differences
from initlab.runner.evidence.runs import Runs, runs
from initlab.runner.evidence.status import FAILED, Status, write


@pytest.fixture
def three(tmp_path):
    """Runs of two initializers, in folders of two depths."""
    for number, words in enumerate((["init=he"], ["init=he", "seed=1"], ["init=normal"])):
        initlab.declare(*words, "probe=forward").run(tmp_path / "a" / str(number))
    (tmp_path / "unfinished").mkdir()
    return tmp_path


def kinds(found):
    return [(run.config["init"]["kind"], run.config["seed"]) for run in found]


def test_every_finished_run_below_a_folder_is_found_in_order(three):
    found = runs(three)
    assert isinstance(found, Runs) and len(found) == 3
    assert kinds(found) == [("he", 0), ("he", 1), ("normal", 0)]
    assert [run.path.name for run in found] == ["0", "1", "2"]
    assert found[-1].path == three / "a" / "2"
    assert isinstance(found[:2], Runs) and kinds(found[:2]) == [("he", 0), ("he", 1)]
    assert len(runs(three / "a" / "0")) == 1


def test_runs_are_chosen_by_conditions_on_configs_and_figures(three):
    found = runs(three)
    assert kinds(found.where("init.kind == 'he'")) == [("he", 0), ("he", 1)]
    loss = found[0].figures["output_rms"]
    chosen = found.where(f"init.kind == 'he' and figures.output_rms == {loss!r}")
    assert kinds(chosen) == [("he", 0)]
    assert kinds(found.where("init.kind == 'he'").where("seed in [1]")) == [("he", 1)]
    assert len(found.where("seed == 7")) == 0


def test_a_condition_that_is_wrong_says_where(three):
    with pytest.raises(QuantityError, match="column 6: there is no '=' - write =="):
        runs(three).where("seed = 3")
    with pytest.raises(QuantityError, match="did you mean 'output_rms'"):
        runs(three).where("figures.output_rmz < 1")


@pytest.mark.parametrize("condition", [None, 3, b"seed == 0", ["seed == 0"]])
def test_a_condition_is_a_text(three, condition):
    with pytest.raises(TypeError, match='the condition must be a text like "seed == 0 and'):
        runs(three).where(condition)


def test_a_run_that_cannot_be_read_is_listed_and_a_condition_on_it_is_a_warning(three):
    (three / "a" / "1" / "manifest.json").write_text("{")
    found = runs(three)
    assert sorted(run.state for run in found) == ["damaged", "finished", "finished"]
    with pytest.warns(UserWarning, match="left out: .*a/1/manifest.json: the manifest is damaged"):
        assert kinds(found.where("seed == 0")) == [("he", 0), ("normal", 0)]
    shutil.rmtree(three / "a" / "1")
    (three / "a" / "0" / "stats.json").write_text("{")
    with pytest.warns(UserWarning, match="a/0/stats.json: is damaged"):
        assert kinds(runs(three).where("figures.output_rms > 0")) == [("normal", 0)]
    assert len(runs(three).where("state == 'damaged'")) == 1


def test_runs_that_did_not_finish_are_among_them(three):
    (three / "failed").mkdir()
    write(three / "failed", Status(FAILED, "x-1", ["init=he"], "ValueError: no"))
    found = runs(three)
    assert len(found) == 4 and len(found.where("state == 'finished'")) == 3
    [failed] = found.where("state == 'failed' and 'init=he' in words")
    assert (failed.state, failed.facts["error"]) == ("failed", "ValueError: no")
    with pytest.raises(EvidenceError, match="failed: is no run"):
        _ = failed.manifest
    assert repr(found).splitlines()[0] == "4 runs: 3 finished, 1 failed"


def test_each_run_is_as_it_was_when_they_were_listed(three):
    found = runs(three)
    write(three / "a" / "0", Status(FAILED, "x", [], "no"))
    assert [run.state for run in found] == ["finished"] * 3
    assert sorted(run.state for run in runs(three)) == ["failed", "finished", "finished"]
    assert initlab.load(three / "a" / "0").state == "failed"


def test_runs_are_sorted_by_what_they_have_and_those_without_are_last(three):
    content = json.loads((three / "a" / "1" / "stats.json").read_text())
    content["figures"] = {"output_rms": "nan"}
    (three / "a" / "1" / "stats.json").write_text(json.dumps(content))
    found = runs(three)
    assert kinds(found.sort("figures.output_rms")) == [("normal", 0), ("he", 0), ("he", 1)]
    assert kinds(found.sort("-figures.output_rms")) == [("he", 0), ("normal", 0), ("he", 1)]
    assert kinds(found.sort("init.kind, -seed")) == [("he", 1), ("he", 0), ("normal", 0)]
    assert kinds(found.sort("-init.kind, seed")) == [("normal", 0), ("he", 0), ("he", 1)]
    with pytest.raises(QuantityError, match="did you mean 'output_rms'"):
        found.sort("-figures.output_rmz")
    with pytest.raises(TypeError, match="the order must be a text"):
        found.sort(3)


def test_a_column_has_a_value_for_each_run(three):
    found = runs(three)
    assert found.column("seed") == [0, 1, 0]
    assert found.column("layers[0].rms") == [run.stats.layers[0]["rms"] for run in found]
    assert found.column("tags") == [[], [], []]
    with pytest.raises(QuantityError, match="did you mean 'stat(e|s)'"):
        found.column("stat")
    (three / "x").mkdir()
    write(three / "x", Status(FAILED, "x"))
    failed = runs(three).where("state == 'failed'")
    assert failed.column("figures.output_rms") == [None]
    with pytest.raises(QuantityError, match="did you mean 'output_rms'"):
        runs(three).column("figures.output_rmz")


def test_no_run_is_lost_when_the_process_changes_its_folder(three, monkeypatch):
    monkeypatch.chdir(three)
    found, one = runs("a"), initlab.load("a/1")
    monkeypatch.chdir("/")
    assert len(found) == 3 and one.figures == found[1].figures


def test_a_copy_has_the_same_runs(three):
    found = runs(three)
    for made in (copy.copy(found), copy.deepcopy(found)):
        assert [run.path for run in made] == [run.path for run in found]


def test_a_folder_that_cannot_be_listed_is_a_warning(three, monkeypatch):
    import os

    listed = os.scandir

    def refusing(place):
        if str(place).endswith("unfinished"):
            raise PermissionError(13, "Permission denied", str(place))
        return listed(place)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.warns(UserWarning, match="left out: .*unfinished"):
        assert len(runs(three)) == 3


def test_an_empty_path_is_no_folder():
    for read in (runs, initlab.load):
        with pytest.raises(EvidenceError, match="'': no such folder"):
            read("")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="nowhere: no such folder - give one that holds runs"):
        runs(tmp_path / "nowhere")
    assert len(runs(tmp_path)) == 0 and repr(runs(tmp_path)) == "0 finished runs"


def test_runs_become_a_table_of_pandas(three, monkeypatch):
    given = {}
    stand_in = ModuleType("pandas")
    stand_in.DataFrame = lambda rows, columns: given.update(rows=rows, columns=columns)
    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    runs(three).to_pandas()
    assert given["columns"][:5] == ["state", "run_id", "name", "path", "folder"]
    assert [row["folder"] for row in given["rows"]] == [str(run.path) for run in runs(three)]
    assert [row["diagnosis"] for row in given["rows"]] == [
        run.diagnosis.severity or "none" for run in runs(three)
    ]
    assert {"init.kind", "seed", "model.layers[0].units"} <= set(given["columns"])
    assert given["columns"][-1].startswith("figures.")
    assert [row["init.kind"] for row in given["rows"]] == ["he", "he", "normal"]
    assert given["rows"][0]["figures.output_rms"] == runs(three)[0].figures["output_rms"]


def test_the_table_is_pandas_own(three):
    pandas = pytest.importorskip("pandas")
    table = runs(three).to_pandas()
    assert isinstance(table, pandas.DataFrame) and table["seed"].tolist() == [0, 1, 0]


def test_runs_without_a_diagnosis_have_none_of_it(three):
    for path in three.glob("a/*/diagnosis.json"):
        path.unlink()
    assert runs(three).column("diagnosis") == [None] * 3
    (three / "a" / "0" / "diagnosis.json").write_text("{")
    [damaged] = runs(three).where("state == 'damaged'")
    assert "a/0/diagnosis.json: is damaged" in damaged.facts["error"]


def test_pandas_that_is_not_installed_is_said_with_what_to_install(three, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ImportError, match=r"pandas is not installed - pip install 'initlab\[pandas\]'"
    ):
        runs(three).to_pandas()


def test_a_list_of_runs_fits_a_screen(three):
    lines = repr(runs(three)).splitlines()
    assert lines[0] == "3 finished runs"
    assert lines[1].split()[:5] == ["path", "state", "when", "diagnosis", "output_rms"]
    assert len(lines) == 5 and max(map(len, lines)) <= 80
    many = Runs(list(zip([three / "a" / "0"] * 300, runs(three).records * 100, strict=True)))
    assert repr(many).splitlines()[-1] == "… 280 more"
    assert max(map(len, repr(many).splitlines())) <= 80


def test_runs_of_several_models_are_told_apart_by_seed_and_varied_words(tmp_path):
    for model in ("mlp", "lenet", "shared"):
        for seed in (0, 1):
            words = [f"model={model}", f"seed={seed}", "init=he", "init.slope=0.1", "probe=forward"]
            initlab.declare(*words, "measure=[layers]").run(tmp_path / f"{model}{seed}")
    found = runs(tmp_path)
    apart = differences(found.records)
    assert [list(values) for values in apart] == [["seed", "model"]] * 6
    assert [(values["seed"], values["model"]) for values in apart] == [
        (str(run.config["seed"]), run.path.name[:-1]) for run in found
    ]
    assert max(map(len, repr(found).splitlines())) <= 80
    html = runs(tmp_path)._repr_html_()
    assert "<th>seed</th><th>model</th>" in html and "<td>shared</td>" in html


def test_runs_without_varied_words_are_told_apart_by_their_configs(tmp_path):
    for number, words in enumerate((["init=he"], [])):
        initlab.declare(*words, "probe=none").run(tmp_path / str(number))
        file = tmp_path / str(number) / "manifest.json"
        content = json.loads(file.read_text()) | {"overrides": []}
        file.write_text(json.dumps(content))
    assert list(differences(runs(tmp_path).records)[0])[0] == "init.kind"


def test_html_has_every_column_and_text_those_that_fit(three):
    for number in range(3):
        (three / "a" / str(number)).rename(three / f"a run whose folder has a long name {number}")
    head = repr(runs(three)).splitlines()[1].split()
    assert head == ["path", "state", "when", "seed"]
    for name in ("path", "state", "when", "diagnosis", "output_rms", "seed", "init"):
        assert f"<th>{name}</th>" in runs(three)._repr_html_()


def test_what_a_notebook_shows_is_escaped(three):
    file = three / "a" / "0" / "manifest.json"
    content = json.loads(file.read_text())
    content["overrides"] = ["init=<script>alert(1)</script>"]
    file.write_text(json.dumps(content))
    html = runs(three)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("state != 'finishd'", "did you mean 'finished'?"),
        ("not ('fataal' == diagnosis)", "did you mean 'fatal'?"),
        ("state in ['failed', 'crashd'] or seed == 1", "did you mean 'crashed'?"),
    ],
)
def test_a_state_that_no_run_can_have_is_refused(tmp_path, condition, said):
    with pytest.raises(QuantityError, match=re.escape(said)):
        initlab.runs(tmp_path).where(condition)
