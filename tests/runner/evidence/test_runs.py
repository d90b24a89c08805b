"""All finished runs below a folder."""

from __future__ import annotations

import copy
import json
import sys
import warnings
from types import ModuleType

import pytest

import initlab
from initlab.runner.errors import EvidenceError, QuantityError
from initlab.runner.evidence.runs import Runs, runs


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


def test_a_run_that_cannot_be_read_is_a_warning_that_names_it(three):
    (three / "a" / "1" / "manifest.json").write_text("{")
    found = runs(three)
    with pytest.warns(UserWarning, match="left out: .*a/1/manifest.json: the manifest is damaged"):
        assert len(found) == 2
    (three / "a" / "0" / "stats.json").write_text("{")
    with pytest.warns(UserWarning, match="a/0/stats.json: is damaged"):
        assert kinds(found.where("figures.output_rms > 0")) == [("normal", 0)]


def test_finding_runs_reads_none(three, monkeypatch):
    (three / "a" / "1" / "manifest.json").write_text("{")
    runs(three)


def test_no_run_is_lost_when_the_process_changes_its_folder(three, monkeypatch):
    monkeypatch.chdir(three)
    found, one = runs("a"), initlab.load("a/1")
    monkeypatch.chdir("/")
    assert len(found) == 3 and one.figures == found[1].figures


def test_a_copy_has_the_same_runs(three):
    found = runs(three)
    for made in (copy.copy(found), copy.deepcopy(found)):
        assert [run.path for run in made] == [run.path for run in found]


def test_no_run_is_lost_when_the_first_reading_is_interrupted(three):
    (three / "a" / "1" / "manifest.json").write_text("{")
    found = runs(three)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="left out"):
            len(found)
    with pytest.warns(UserWarning, match="left out"):
        assert len(found) == 2


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
    assert given["columns"][:6] == ["run_id", "name", "path", "root", "seconds", "diagnosis"]
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


def test_runs_without_a_diagnosis_have_no_column_of_it(three):
    for path in three.glob("a/*/diagnosis.json"):
        path.unlink()
    assert repr(runs(three)).splitlines()[1].split() == ["run", "seed", "init", "output_rms"]
    (three / "a" / "0" / "diagnosis.json").write_text("{")
    with pytest.warns(UserWarning, match="a/0/diagnosis.json: is damaged"):
        repr(runs(three))


def test_pandas_that_is_not_installed_is_said_with_what_to_install(three, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ImportError, match=r"pandas is not installed - pip install 'initlab\[pandas\]'"
    ):
        runs(three).to_pandas()


def test_a_list_of_runs_fits_a_screen(three):
    lines = repr(runs(three)).splitlines()
    assert lines[0] == "3 finished runs"
    assert lines[1].split() == ["run", "seed", "init", "diagnosis", "output_rms"]
    assert len(lines) == 5 and max(map(len, lines)) <= 80
    many = Runs([three / "a" / "0"] * 300)
    assert repr(many).splitlines()[-1] == "… 280 more"
    assert max(map(len, repr(many).splitlines())) <= 80


def test_runs_of_several_models_are_told_apart_by_seed_and_varied_words(tmp_path):
    for model in ("mlp", "lenet", "shared"):
        for seed in (0, 1):
            words = [f"model={model}", f"seed={seed}", "init=he", "init.slope=0.1", "probe=forward"]
            initlab.declare(*words, "measure=[layers]").run(tmp_path / f"{model}{seed}")
    found = runs(tmp_path)
    head, *rows = [line.split() for line in repr(found).splitlines()[1:]]
    assert head[:3] == ["run", "seed", "model"]
    assert [row[0] for row in rows] == [run.manifest.run_id for run in found]
    assert [tuple(row[1:3]) for row in rows] == [
        (str(run.config["seed"]), run.path.name[:-1]) for run in found
    ]
    assert max(map(len, repr(found).splitlines())) <= 80


def test_runs_without_varied_words_are_told_apart_by_their_configs(tmp_path):
    for number, words in enumerate((["init=he"], [])):
        initlab.declare(*words, "probe=none").run(tmp_path / str(number))
        file = tmp_path / str(number) / "manifest.json"
        content = json.loads(file.read_text()) | {"overrides": []}
        file.write_text(json.dumps(content))
    assert repr(runs(tmp_path)).splitlines()[1].split()[:2] == ["run", "init"]


def test_html_has_every_column_and_text_those_that_fit(three):
    for number in range(3):
        file = three / "a" / str(number) / "stats.json"
        content = json.loads(file.read_text())
        content["figures"] |= {f"a_figure_with_a_long_name_{at}": 1.5 for at in range(5)}
        file.write_text(json.dumps(content))
    head = repr(runs(three)).splitlines()[1].split()
    assert head == ["run", "seed", "init", "diagnosis", "output_rms"]
    assert runs(three)._repr_html_().count("a_figure_with_a_long_name") == 5


def test_what_a_notebook_shows_is_escaped(three):
    file = three / "a" / "0" / "manifest.json"
    content = json.loads(file.read_text())
    content["run_id"] = "<script>alert(1)</script>"
    file.write_text(json.dumps(content))
    html = runs(three)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
