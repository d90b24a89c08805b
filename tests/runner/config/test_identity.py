"""What identifies a run: its config, and nothing of the machine."""

from __future__ import annotations

import math

import pytest

from initlab.runner.config import identity
from initlab.runner.config.compose import compose
from initlab.runner.config.hydra_internals import borrowing_hydra
from initlab.runner.config.option_files import shipped_options
from initlab.runner.config.schema import GROUPS, SEVERAL
from initlab.runner.declare import declare
from initlab.runner.evidence.run_ids import same_run
from initlab.runner.sweep.plugin import register


def test_the_run_id_is_the_same_anywhere_and_the_name_is_the_folder_above(
    only_run, tmp_path, monkeypatch
):
    one = only_run("init=normal")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    two = only_run("init=normal", "name=mine")
    assert one.name == two.name == "normal-seed0-046dba22b31ff360"
    assert (one.parent.name, two.parent.name) == ("runs", "mine")


def test_a_run_id_holds_no_path_date_or_launcher():
    config = {
        "model": {},
        "init": {"kind": "no/rmal"},
        "seed": 3,
        "name": "x",
        "task": "run",
        "hydra": 1,
    }
    one = identity.canonical_config(config, "initlab-1", [], {})
    assert set(one) == {*identity.IDENTIFYING, "stream"}
    assert identity.run_id(one).startswith("no_rmal-seed3-")
    assert len(identity.run_id(one)) == len("no_rmal-seed3-") + 16


WAYS = [
    ("init", "mine", "kind: normal\n", ["init=normal"]),
    ("init", "mine", "kind: normal\nsigma: 1\n", ["init=normal", "init.sigma=1"]),
    ("data", "mine", "kind: uniform\nbatch: 2\nhigh: 1\n", ["data=uniform"]),
    ("probe", "mine", "kind: forward\n", ["probe=forward"]),
    ("snapshot", "mine", "kind: none\n", ["snapshot=none"]),
    ("measure", "mine", "# @package measure.layers\nkind: layers\n", ["measure=[layers]"]),
    ("stats", "mine", "# @package stats.moments\nkind: moments\n", ["stats=[moments]"]),
]


@pytest.mark.parametrize(("group", "name", "text", "words"), WAYS)
def test_an_option_that_leaves_defaults_out_is_the_same_run_as_one_that_states_them(
    tmp_path, group, name, text, words
):
    (tmp_path / group).mkdir()
    (tmp_path / group / f"{name}.yaml").write_text(text)
    chosen = f"{group}=[{name}]" if group in ("stats", "measure") else f"{group}={name}"
    assert same_run(declare(chosen, config_dir=tmp_path).run_id, declare(*words).run_id)


@pytest.mark.parametrize("share", ["", "share: null\n", "share: {}\n"])
def test_a_network_without_groups_is_the_same_run_however_it_says_so(tmp_path, share):
    (tmp_path / "model").mkdir()
    layers = "layers: [{kind: dense, units: 10}]\n"
    (tmp_path / "model" / "mine.yaml").write_text(f"input: [20]\n{layers}{share}")
    like = declare("model.layers=[{kind: dense, units: 10}]")
    assert same_run(declare("model=mine", config_dir=tmp_path).run_id, like.run_id)


def test_every_shipped_option_is_complete_as_it_is_and_has_the_one_spelling():
    register()
    shipped = shipped_options()
    for group in (*GROUPS, "model", "experiment"):
        for name in shipped[group]:
            chosen = f"{group}=[{name}]" if group in SEVERAL else f"{group}={name}"
            with borrowing_hydra():
                resolved = identity.resolve(compose([chosen]))
            completed = identity.completed(resolved)
            if group in GROUPS:
                assert completed == resolved
            if group in ("model", "init", "experiment"):
                one = identity.canonical_config(completed, "initlab-1", [], {})
                same = identity.canonical_config(completed, "initlab-1", [], {}, as_written=True)
                assert one == same


def test_what_is_not_finite_identifies_a_run_as_its_manifest_does():
    plain = identity.canonical_config(
        {"vars": {"x": math.nan, "y": [math.inf]}}, "initlab-1", [], {}
    )
    assert plain["vars"] == {"x": "nan", "y": ["inf"]}
